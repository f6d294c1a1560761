//! `tools` and `tool_choice`, both ways.

use super::format::Format;
use crate::DialectError;
use crate::body::Node;
use crate::request::{no_block, put};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

/// Reads both; what Converse cannot say of them goes into `fields`.
pub(super) fn read(
    format: &Format,
    body: &Node,
    fields: &mut Map<String, Value>,
) -> Result<Option<ToolConfiguration>, DialectError> {
    let mut tools = Vec::new();
    for tool in body.get("tools")?.map(|t| t.array()).transpose()?.unwrap_or_default() {
        tool.required("type")?.one_of(&["function"])?;
        tool.only(&["type", "function"])?;
        let function = tool.required("function")?;
        function.only(&["name", "description", "parameters", "strict"])?;
        let description = function.get("description")?.map(|d| d.string()).transpose()?;
        let schema = match function.get("parameters")? {
            Some(parameters) => {
                parameters.object()?;
                parameters.value.clone()
            }
            // Left out, the function has none.
            None => json!({"type": "object", "properties": {}}),
        };
        tools.push(Tool::ToolSpec(ToolSpecification {
            name: function.required("name")?.text(1, 64)?.to_owned(),
            description: description.filter(|d| !d.is_empty()).map(str::to_owned),
            input_schema: ToolInputSchema::Json(schema),
            strict: function.get("strict")?.map(|s| s.boolean()).transpose()?,
        }));
    }
    let tool_choice = match body.get("tool_choice")? {
        Some(node) => choice(format, &node, fields)?,
        None => None,
    };
    if let (true, Some(ToolChoice::Any(_) | ToolChoice::Tool(_)), Some(node)) =
        (tools.is_empty(), &tool_choice, body.get("tool_choice")?)
    {
        return Err(node.refuse("a tool is asked for, but there are no tools"));
    }
    Ok((!tools.is_empty()).then_some(ToolConfiguration { tools, tool_choice }))
}

fn choice(format: &Format, choice: &Node, fields: &mut Map<String, Value>) -> Result<Option<ToolChoice>, DialectError> {
    if format.named_tool && choice.value.is_object() {
        choice.required("type")?.one_of(&["function"])?;
        choice.only(&["type", "function"])?;
        let function = choice.required("function")?;
        function.only(&["name"])?;
        let name = function.required("name")?.string()?.to_owned();
        return Ok(Some(ToolChoice::Tool(SpecificToolChoice { name })));
    }
    Ok(match choice.one_of(&["auto", "none", format.some_tool])? {
        "auto" => Some(ToolChoice::Auto(AutoToolChoice {})),
        "none" => {
            fields.insert("tool_choice".to_owned(), choice.value.clone());
            None
        }
        _ => Some(ToolChoice::Any(AnyToolChoice {})),
    })
}

/// Writes both into `body`.
pub(super) fn write(
    format: &Format,
    config: &ToolConfiguration,
    body: &mut Map<String, Value>,
) -> Result<(), DialectError> {
    let mut tools = Vec::new();
    for (i, tool) in config.tools.iter().enumerate() {
        match tool {
            Tool::ToolSpec(spec) => {
                let mut function = Map::new();
                put(&mut function, "name", Some(spec.name.as_str()));
                put(&mut function, "description", spec.description.as_deref());
                if let ToolInputSchema::Json(schema) = &spec.input_schema {
                    put(&mut function, "parameters", Some(schema.clone()));
                }
                put(&mut function, "strict", spec.strict);
                tools.push(json!({"type": "function", "function": function}));
            }
            other => return Err(no_block(&format!("toolConfig.tools.{i}"), other)),
        }
    }
    put(body, "tools", Some(tools).filter(|t| !t.is_empty()));
    let choice: Value = match &config.tool_choice {
        Some(ToolChoice::Auto(_)) => "auto".into(),
        Some(ToolChoice::Any(_)) => format.some_tool.into(),
        Some(ToolChoice::Tool(tool)) if format.named_tool => {
            json!({"type": "function", "function": {"name": tool.name}})
        }
        Some(other) => return Err(no_block("toolConfig.toolChoice", other)),
        None => return Ok(()),
    };
    put(body, "tool_choice", Some(choice));
    Ok(())
}
