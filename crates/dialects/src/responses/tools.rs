//! `tools` and `tool_choice`, both ways. A tool is flat here.

use crate::DialectError;
use crate::body::Node;
use crate::request::{no_block, put};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

/// Reads both; what Converse cannot say of them goes into `fields`.
pub(super) fn read(body: &Node, fields: &mut Map<String, Value>) -> Result<Option<ToolConfiguration>, DialectError> {
    let mut tools = Vec::new();
    for tool in body.get("tools")?.map(|t| t.array()).transpose()?.unwrap_or_default() {
        let kind = tool.required("type")?;
        if kind.string()? != "function" {
            let what = kind.string()?;
            return Err(kind.refuse(format_args!("{what} is not a tool of this server, only functions are")));
        }
        tool.only(&["type", "name", "description", "parameters", "strict"])?;
        let description = tool.get("description")?.map(|d| d.string()).transpose()?;
        let schema = match tool.get("parameters")? {
            Some(parameters) => {
                parameters.object()?;
                parameters.value.clone()
            }
            // Left out, the function has none.
            None => json!({"type": "object", "properties": {}}),
        };
        tools.push(Tool::ToolSpec(ToolSpecification {
            name: tool.required("name")?.text(1, 64)?.to_owned(),
            description: description.filter(|d| !d.is_empty()).map(str::to_owned),
            input_schema: ToolInputSchema::Json(schema),
            strict: tool.get("strict")?.map(|s| s.boolean()).transpose()?,
        }));
    }
    let Some(node) = body.get("tool_choice")? else {
        return Ok((!tools.is_empty()).then_some(ToolConfiguration { tools, tool_choice: None }));
    };
    let tool_choice = if node.value.is_object() {
        node.required("type")?.one_of(&["function"])?;
        node.only(&["type", "name"])?;
        Some(ToolChoice::Tool(SpecificToolChoice { name: node.required("name")?.string()?.to_owned() }))
    } else {
        match node.one_of(&["auto", "none", "required"])? {
            "auto" => Some(ToolChoice::Auto(AutoToolChoice {})),
            "none" => {
                fields.insert("tool_choice".to_owned(), node.value.clone());
                None
            }
            _ => Some(ToolChoice::Any(AnyToolChoice {})),
        }
    };
    if let (true, Some(ToolChoice::Any(_) | ToolChoice::Tool(_))) = (tools.is_empty(), &tool_choice) {
        return Err(node.refuse("a tool is asked for, but there are no tools"));
    }
    Ok((!tools.is_empty()).then_some(ToolConfiguration { tools, tool_choice }))
}

/// Writes both into `body`.
pub(super) fn write(config: &ToolConfiguration, body: &mut Map<String, Value>) -> Result<(), DialectError> {
    let mut tools = Vec::new();
    for (i, tool) in config.tools.iter().enumerate() {
        let Tool::ToolSpec(spec) = tool else { return Err(no_block(&format!("toolConfig.tools.{i}"), tool)) };
        let mut out = Map::new();
        put(&mut out, "type", Some("function"));
        put(&mut out, "name", Some(spec.name.as_str()));
        put(&mut out, "description", spec.description.as_deref());
        if let ToolInputSchema::Json(schema) = &spec.input_schema {
            put(&mut out, "parameters", Some(schema.clone()));
        }
        put(&mut out, "strict", spec.strict);
        tools.push(Value::Object(out));
    }
    put(body, "tools", Some(tools).filter(|t| !t.is_empty()));
    let choice: Option<Value> = match &config.tool_choice {
        Some(ToolChoice::Auto(_)) => Some("auto".into()),
        Some(ToolChoice::Any(_)) => Some("required".into()),
        Some(ToolChoice::Tool(tool)) => Some(json!({"type": "function", "name": tool.name})),
        Some(ToolChoice::Unset) | None => None,
    };
    put(body, "tool_choice", choice);
    Ok(())
}
