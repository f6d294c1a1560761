//! A chat as the values that templates read.

use serde_json::{Map, Value, json};

use super::python_json;
use crate::chat::{Chat, ChatMessage, Part, Role, Tool};

/// For templates that know tools: `tool_calls` on the assistant's turns, results as turns of role `tool`.
pub(super) fn native(chat: &Chat) -> Vec<Value> {
    let mut turns = Vec::new();
    for message in &chat.messages {
        if message.role == Role::Assistant {
            turns.push(assistant(message));
            continue;
        }
        // Results keep their place among the texts, as turns of their own.
        let mut texts = Vec::new();
        for part in &message.parts {
            match part {
                Part::Text(text) => texts.push(text.as_str()),
                Part::ToolResult { id, name, content, is_error } => {
                    flush(&mut turns, message.role, &mut texts);
                    let name = name.as_deref().or_else(|| called_tool(chat, id)).unwrap_or_default();
                    turns.push(json!({ "role": "tool", "tool_call_id": id, "name": name, "content": result(content, *is_error) }));
                }
                Part::ToolCall { .. } | Part::Reasoning(_) | Part::CachePoint => {}
            }
        }
        flush(&mut turns, message.role, &mut texts);
    }
    turns
}

fn flush(turns: &mut Vec<Value>, role: Role, texts: &mut Vec<&str>) {
    if !texts.is_empty() {
        turns.push(turn(role, texts.join("\n")));
        texts.clear();
    }
}

fn assistant(message: &ChatMessage) -> Value {
    let mut fields = Map::new();
    fields.insert("role".into(), "assistant".into());
    fields.insert("content".into(), join_text(message).into());
    let mut calls = Vec::new();
    for part in &message.parts {
        match part {
            Part::ToolCall { id, name, arguments } => {
                calls.push(
                    json!({ "type": "function", "id": id, "function": { "name": name, "arguments": arguments } }),
                );
            }
            Part::Reasoning(text) => {
                fields.insert("reasoning_content".into(), text.clone().into());
            }
            _ => {}
        }
    }
    if !calls.is_empty() {
        fields.insert("tool_calls".into(), calls.into());
    }
    fields.into()
}

/// For templates that know none: tools are described after the system text and calls and results are written
/// out, in the format that Hermes models introduced and most later ones understand.
pub(super) fn as_text(chat: &Chat) -> Vec<Value> {
    let mut turns = Vec::new();
    let mut tools = if chat.tools.is_empty() { None } else { Some(describe(&chat.tools)) };
    if tools.is_some() && chat.messages.first().is_none_or(|first| first.role != Role::System) {
        turns.extend(tools.take().map(|text| turn(Role::System, text)));
    }
    for message in &chat.messages {
        let mut pieces = Vec::new();
        for part in &message.parts {
            match part {
                Part::Text(text) => pieces.push(text.clone()),
                Part::ToolCall { name, arguments, .. } => pieces.push(written_call(name, arguments)),
                Part::ToolResult { content, is_error, .. } => {
                    pieces.push(format!("<tool_response>\n{}\n</tool_response>", result(content, *is_error)));
                }
                Part::Reasoning(_) | Part::CachePoint => {}
            }
        }
        if message.role == Role::System
            && let Some(tools) = tools.take()
        {
            pieces.push(format!("\n{tools}"));
        }
        turns.push(turn(message.role, pieces.join("\n")));
    }
    turns
}

fn written_call(name: &str, arguments: &Value) -> String {
    let call = json!({ "name": name, "arguments": arguments });
    format!("<tool_call>\n{}\n</tool_call>", python_json(&call, None).unwrap_or_default())
}

fn describe(tools: &[Tool]) -> String {
    let mut text = String::from(
        "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n\
         You are provided with function signatures within <tools></tools> XML tags:\n<tools>",
    );
    for tool in tool_list(tools) {
        text.push('\n');
        text.push_str(&python_json(&tool, None).unwrap_or_default());
    }
    text.push_str(
        "\n</tools>\n\nFor each function call, return a json object with function name and arguments within \
         <tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>",
    );
    text
}

/// The tools as templates list them.
pub(super) fn tool_list(tools: &[Tool]) -> Vec<Value> {
    let function = |tool: &Tool| json!({ "type": "function", "function": { "name": tool.name, "description": tool.description, "parameters": tool.schema } });
    tools.iter().map(function).collect()
}

/// A chat that ends in words of the assistant: those words, and the chat before them.
pub(super) fn assistant_prefill(chat: &Chat) -> Option<(String, Chat)> {
    let last = chat.messages.last().filter(|last| last.role == Role::Assistant)?;
    if last.parts.iter().any(|part| matches!(part, Part::ToolCall { .. })) {
        return None;
    }
    let mut before = chat.clone();
    before.messages.pop();
    Some((join_text(last), before))
}

/// The system's words moved into the first user turn, and neighbours of one role made one turn.
pub(super) fn fold(turns: Vec<Value>) -> Vec<Value> {
    let mut folded: Vec<Value> = Vec::new();
    for mut turn in turns {
        if turn["role"] == "system" {
            turn["role"] = "user".into();
        }
        let same = folded.last().is_some_and(|last| last["role"] == turn["role"] && turn["role"] != "tool");
        match folded.last_mut() {
            Some(last) if same => {
                let text = |turn: &Value| turn["content"].as_str().unwrap_or_default().to_owned();
                last["content"] = format!("{}\n\n{}", text(last), text(&turn)).into();
                if let Some(Value::Array(more)) = turn.get("tool_calls").cloned() {
                    let calls = last["tool_calls"].as_array().cloned().unwrap_or_default();
                    last["tool_calls"] = [calls, more].concat().into();
                }
            }
            _ => folded.push(turn),
        }
    }
    folded
}

/// The texts of a turn.
fn join_text(message: &ChatMessage) -> String {
    let text = |part: &Part| match part {
        Part::Text(text) => Some(text.clone()),
        _ => None,
    };
    message.parts.iter().filter_map(text).collect::<Vec<_>>().join("\n")
}

fn turn(role: Role, content: String) -> Value {
    let role = match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    json!({ "role": role, "content": content })
}

fn result(content: &str, is_error: bool) -> String {
    if is_error { format!("Error: {content}") } else { content.to_owned() }
}

fn called_tool<'a>(chat: &'a Chat, call: &str) -> Option<&'a str> {
    chat.messages.iter().flat_map(|message| &message.parts).find_map(|part| match part {
        Part::ToolCall { id, name, .. } if id == call => Some(name.as_str()),
        _ => None,
    })
}
