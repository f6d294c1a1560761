//! A request, written.

use super::{documents, tools};
use crate::DialectError;
use crate::cohere::command::write_inference;
use crate::request::{self, no_block, no_place, put};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, DialectError>;

pub(super) fn write(request: &ConverseRequest) -> Result<Value> {
    request::only(request, &["messages", "system", "inferenceConfig", "toolConfig", "additionalModelRequestFields"])?;
    let messages = request.messages.as_deref().unwrap_or_default();
    let (last, before) = messages.split_last().ok_or_else(|| no_place("messages"))?;
    if last.role != ConversationRole::User {
        return Err(no_place(format!("messages.{}.role", before.len())));
    }
    let mut body = Map::new();
    match asked(messages) {
        // The results of the calls that the message led to.
        Some((asked, before)) => {
            let answers = results(messages, before.len())?;
            let mut turns = history(before)?;
            turns.extend((!answers.is_empty()).then(|| json!({"role": "TOOL", "tool_results": answers})));
            put(&mut body, "message", Some(said(before.len(), asked)?));
            put(&mut body, "chat_history", Some(turns).filter(|t| !t.is_empty()));
            put(&mut body, "tool_results", Some(results(messages, messages.len() - 1)?));
        }
        None => {
            let answers = results(messages, before.len())?;
            let text = said(before.len(), last)?;
            let mut turns = history(before)?;
            if text.is_empty() {
                put(&mut body, "tool_results", Some(answers).filter(|a| !a.is_empty()));
            } else if !answers.is_empty() {
                turns.push(json!({"role": "TOOL", "tool_results": answers}));
            }
            put(&mut body, "message", Some(text));
            put(&mut body, "chat_history", Some(turns).filter(|t| !t.is_empty()));
        }
    }
    put(&mut body, "documents", Some(documents::of(messages)?).filter(|d| !d.is_empty()));
    let mut preamble = String::new();
    for (i, block) in request.system.iter().flatten().enumerate() {
        let SystemContentBlock::Text(text) = block else { return Err(no_block(&format!("system.{i}"), block)) };
        if i > 0 {
            preamble.push('\n');
        }
        preamble.push_str(text);
    }
    put(&mut body, "preamble", Some(preamble).filter(|p| !p.is_empty()));
    if let Some(p) = request.inference_config.as_ref().and_then(|c| c.top_p)
        && !(0.01..=0.99).contains(&p)
    {
        let text = "inferenceConfig.topP must be from 0.01 to 0.99 in the model's request format.";
        return Err(DialectError::Rule(text.to_owned()));
    }
    write_inference(request, &mut body);
    if let Some(config) = &request.tool_config {
        put(&mut body, "tools", Some(tools::write(config)?));
    }
    request::merge(&mut body, request.additional_model_request_fields.as_ref())?;
    Ok(Value::Object(body))
}

/// The user's turn that led to the calls whose results are the last turn, and what was said before it: where those
/// three turns say nothing else, the format has one form for them.
fn asked(messages: &[Message]) -> Option<(&Message, &[Message])> {
    let [before @ .., asked, called, last] = messages else { return None };
    let mut calls = called.content.iter();
    let mut answers = last.content.iter();
    while let (Some(call), Some(answer)) = (calls.next(), answers.next()) {
        let (ContentBlock::ToolUse(call), ContentBlock::ToolResult(answer)) = (call, answer) else { return None };
        if call.tool_use_id != answer.tool_use_id {
            return None;
        }
    }
    let fitting = |b: &ContentBlock| {
        matches!(b, ContentBlock::Text(_) | ContentBlock::SearchResult(_) | ContentBlock::ToolResult(_))
    };
    let fits = called.content.len() == last.content.len()
        && called.role == ConversationRole::Assistant
        && asked.role == ConversationRole::User
        && asked.content.iter().all(fitting)
        && asked.content.iter().any(|b| matches!(b, ContentBlock::Text(text) if !text.is_empty()));
    fits.then_some((asked, before))
}

/// The turns before the one that is asked about; documents are of that one only.
fn history(messages: &[Message]) -> Result<Vec<Value>> {
    if let Some(i) = messages.iter().position(|m| m.content.iter().any(|b| matches!(b, ContentBlock::SearchResult(_))))
    {
        return Err(no_place(format!("messages.{i}.content.searchResult")));
    }
    turns(messages)
}

/// `messages` as the turns of `chat_history`; documents stand apart.
pub(super) fn turns(messages: &[Message]) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        match message.role {
            ConversationRole::Assistant => {
                let mut texts = Vec::new();
                let mut calls = Vec::new();
                for block in &message.content {
                    match block {
                        ContentBlock::ToolUse(call) if call.r#type.is_none() => calls.push(tool_call(call)),
                        other => texts.push(other.clone()),
                    }
                }
                let text = request::text(&format!("messages.{i}"), &texts)?;
                let mut turn = json!({"role": "CHATBOT", "message": text});
                if !calls.is_empty() {
                    turn["tool_calls"] = calls.into();
                }
                out.push(turn);
            }
            ConversationRole::User => {
                let answers = results(messages, i)?;
                let answered = !answers.is_empty();
                if answered {
                    out.push(json!({"role": "TOOL", "tool_results": answers}));
                }
                let text = said(i, message)?;
                if !(answered && text.is_empty()) {
                    out.push(json!({"role": "USER", "message": text}));
                }
            }
            _ => out.push(json!({"role": "SYSTEM", "message": said(i, message)?})),
        }
    }
    Ok(out)
}

pub(super) fn tool_call(call: &ToolUseBlock) -> Value {
    json!({"name": call.name, "parameters": call.input})
}

/// The text of a turn beside its tool results and documents.
fn said(i: usize, message: &Message) -> Result<String> {
    let apart = |b: &&ContentBlock| !matches!(b, ContentBlock::ToolResult(_) | ContentBlock::SearchResult(_));
    let texts: Vec<ContentBlock> = message.content.iter().filter(apart).cloned().collect();
    request::text(&format!("messages.{i}"), &texts)
}

/// The tool results of turn `i`, each with the call of the turn before that it answers.
fn results(messages: &[Message], i: usize) -> Result<Vec<Value>> {
    let calls = i.checked_sub(1).and_then(|n| messages.get(n)).map(|m| m.content.as_slice()).unwrap_or_default();
    let mut out = Vec::new();
    for (j, block) in messages[i].content.iter().enumerate() {
        let ContentBlock::ToolResult(result) = block else { continue };
        let at = format!("messages.{i}.content.{j}.toolResult");
        let call = calls.iter().find_map(|block| match block {
            ContentBlock::ToolUse(call) if call.tool_use_id == result.tool_use_id => Some(call),
            _ => None,
        });
        let (Some(call), None) = (call, &result.r#type) else { return Err(no_place(at)) };
        let mut outputs = Vec::new();
        if result.status == Some(ToolResultStatus::Error) {
            // The format has no member for it, so the model is told in words.
            outputs.push(json!({"error": "The tool failed."}));
        }
        for (n, part) in result.content.iter().enumerate() {
            outputs.push(match part {
                ToolResultContentBlock::Text(text) => json!({"text": text}),
                ToolResultContentBlock::Json(value @ Value::Object(_)) => value.clone(),
                other => return Err(no_block(&format!("{at}.content.{n}"), other)),
            });
        }
        out.push(json!({"call": tool_call(call), "outputs": outputs}));
    }
    Ok(out)
}
