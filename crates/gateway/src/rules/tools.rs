//! Tools and the calls of them.

use super::{Check, Family, refuse, tool_results, tool_uses};
use outcrop_api::bedrock_runtime::{
    ContentBlock, ConversationRole, Message, Tool, ToolChoice, ToolConfiguration, ToolInputSchema,
};
use std::collections::HashSet;

pub(super) fn check(messages: &[Message], config: Option<&ToolConfiguration>, family: &Family) -> Check {
    if !family.tools && config.is_some() {
        return refuse("This model doesn't support tool use.");
    }
    let tool_block = |b: &ContentBlock| matches!(b, ContentBlock::ToolUse(_) | ContentBlock::ToolResult(_));
    if config.is_none() && messages.iter().any(|m| m.content.iter().any(tool_block)) {
        // Held whenever the history has either block, even where no tool is wanted any more.
        return refuse("The toolConfig field must be defined when using toolUse and toolResult content blocks.");
    }
    calls(messages, family)?;
    config.map_or(Ok(()), definitions)
}

/// Every use is answered in the next turn, and nothing else is.
fn calls(messages: &[Message], family: &Family) -> Check {
    let mut open: Vec<&str> = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        let answered: Vec<&str> = tool_results(message).collect();
        let missing: Vec<&str> = open.iter().copied().filter(|id| !answered.contains(id)).collect();
        if !missing.is_empty() {
            return refuse(format!(
                "Expected toolResult blocks at messages.{i}.content for the following Ids: {}",
                missing.join(", ")
            ));
        }
        if message.role != ConversationRole::Assistant && answered.len() > open.len() {
            return refuse(format!(
                "The number of toolResult blocks at messages.{i}.content exceeds the number of toolUse blocks of \
                 previous turn."
            ));
        }
        open = tool_uses(message).collect();
        let text = message.content.iter().any(|b| matches!(b, ContentBlock::Text(_)));
        if !family.text_with_tools_in_one_turn && text && (!open.is_empty() || !answered.is_empty()) {
            return refuse(format!(
                "messages.{i}.content: Conversation blocks and tool use blocks cannot be provided in the same turn."
            ));
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    refuse(format!(
        "Expected toolResult blocks at messages.{}.content for the following Ids: {}",
        messages.len(),
        open.join(", ")
    ))
}

fn definitions(config: &ToolConfiguration) -> Check {
    let mut names = HashSet::new();
    for (i, tool) in config.tools.iter().enumerate() {
        match tool {
            Tool::ToolSpec(spec) => {
                if !names.insert(spec.name.as_str()) {
                    return refuse("The model returned the following errors: tools: Tool names must be unique.");
                }
                input_schema(i, &spec.input_schema)?;
            }
            Tool::SystemTool(system) => {
                names.insert(&system.name);
            }
            Tool::CachePoint(_) => {}
            Tool::Unset => {
                return refuse(format!(
                    "Tool object at toolConfig.tools.{i} must set one of the following keys: toolSpec, systemTool, \
                     cachePoint."
                ));
            }
        }
    }
    match &config.tool_choice {
        Some(ToolChoice::Tool(choice)) if !names.contains(choice.name.as_str()) => refuse(format!(
            "The model returned the following errors: Tool '{}' not found in provided tools",
            choice.name
        )),
        Some(ToolChoice::Unset) => {
            refuse("ToolChoice object at toolConfig.toolChoice must set one of the following keys: auto, any, tool.")
        }
        _ => Ok(()),
    }
}

fn input_schema(i: usize, schema: &ToolInputSchema) -> Check {
    let at = format!("toolConfig.tools.{i}.toolSpec.inputSchema.json");
    let ToolInputSchema::Json(schema) = schema else {
        return refuse(format!("The value at {at} is missing. Provide a json object for the field and try again."));
    };
    if !schema.is_object() {
        return refuse(format!(
            "The format of the value at {at} is invalid. Provide a json object for the field and try again."
        ));
    }
    match schema.get("type") {
        Some(kind) if kind != "object" => {
            refuse(format!("The value at {at}.type must be one of the following: object."))
        }
        _ => Ok(()),
    }
}
