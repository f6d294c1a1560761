use super::blocks::checkpoint;
use crate::DialectError;
use crate::body::Node;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value};

/// `tools` and `tool_choice`; what Converse cannot say of them goes into `fields`.
pub(super) fn read(body: &Node, fields: &mut Map<String, Value>) -> Result<Option<ToolConfiguration>, DialectError> {
    let mut tools = Vec::new();
    let mut defined_by_provider = Vec::new();
    for tool in body.get("tools")?.map(|t| t.array()).transpose()?.unwrap_or_default() {
        if tool.get("type")?.map(|t| t.string()).transpose()?.is_some_and(|t| t != "custom") {
            defined_by_provider.push(tool.value.clone());
            continue;
        }
        let schema = tool.required("input_schema")?;
        schema.object()?;
        tools.push(Tool::ToolSpec(ToolSpecification {
            name: tool.required("name")?.text(1, 64)?.to_owned(),
            description: tool.get("description")?.map(|d| d.string()).transpose()?.map(str::to_owned),
            input_schema: ToolInputSchema::Json(schema.value.clone()),
            strict: tool.get("strict")?.map(|s| s.boolean()).transpose()?,
        }));
        if let Some(point) = checkpoint(&tool)? {
            tools.push(Tool::CachePoint(point));
        }
    }
    if !defined_by_provider.is_empty() {
        fields.insert("tools".to_owned(), Value::Array(defined_by_provider));
    }
    let given = body.get("tool_choice")?;
    let tool_choice = given.as_ref().map(|c| choice(c, fields)).transpose()?.flatten();
    if let (true, Some(given)) = (tools.is_empty(), given) {
        // Converse has a choice only beside tools of its own.
        fields.insert("tool_choice".to_owned(), given.value.clone());
    }
    Ok((!tools.is_empty()).then_some(ToolConfiguration { tools, tool_choice }))
}

fn choice(choice: &Node, fields: &mut Map<String, Value>) -> Result<Option<ToolChoice>, DialectError> {
    let kind = choice.required("type")?.one_of(&["auto", "any", "tool", "none"])?;
    let alone = match choice.get("disable_parallel_tool_use")? {
        Some(flag) => flag.boolean()?,
        None => false,
    };
    if alone || kind == "none" {
        fields.insert("tool_choice".to_owned(), choice.value.clone());
    }
    Ok(match kind {
        "auto" => Some(ToolChoice::Auto(AutoToolChoice {})),
        "any" => Some(ToolChoice::Any(AnyToolChoice {})),
        "tool" => Some(ToolChoice::Tool(SpecificToolChoice { name: choice.required("name")?.string()?.to_owned() })),
        _ => None,
    })
}
