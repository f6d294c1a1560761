//! A request, written.

use super::beside;
use super::format::{Format, Reasoning};
use super::messages::{CLOSE, OPEN};
use super::tools;
use crate::DialectError;
use crate::body::parse;
use crate::converse::plain;
use crate::request::{self, decimal, no_block, no_place, put};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

type Result<T> = std::result::Result<T, DialectError>;

pub(super) fn write(format: &Format, request: &ConverseRequest) -> Result<Value> {
    let mut places = vec!["messages", "system", "inferenceConfig", "toolConfig", "additionalModelRequestFields"];
    if format.read.contains(&"response_format") {
        places.push("outputConfig");
    }
    request::only(request, &places)?;
    let mut body = Map::new();
    let mut messages = Vec::new();
    for (i, block) in request.system.iter().flatten().enumerate() {
        match block {
            SystemContentBlock::Text(text) => messages.push(json!({"role": "system", "content": text})),
            other => return Err(no_block(&format!("system.{i}"), other)),
        }
    }
    for (i, message) in request.messages.iter().flatten().enumerate() {
        let at = format!("messages.{i}");
        match message.role {
            ConversationRole::Assistant => messages.push(assistant(format, &at, message)?),
            ConversationRole::System => {
                let content = content(parts(format, &at, message)?);
                messages.push(json!({"role": "system", "content": content}));
            }
            _ => user(format, &at, message, &mut messages)?,
        }
    }
    put(&mut body, "messages", Some(messages));
    let config = request.inference_config.clone().unwrap_or_default();
    put(&mut body, format.limit, config.max_tokens);
    put(&mut body, "temperature", config.temperature.map(decimal));
    put(&mut body, "top_p", config.top_p.map(decimal));
    put(&mut body, "stop", config.stop_sequences.filter(|s| !s.is_empty()));
    if let Some(config) = &request.tool_config {
        tools::write(format, config, &mut body)?;
    }
    if let Some(config) = &request.output_config {
        output(config, &mut body)?;
    }
    request::merge(&mut body, request.additional_model_request_fields.as_ref())?;
    Ok(Value::Object(body))
}

fn output(config: &OutputConfig, body: &mut Map<String, Value>) -> Result<()> {
    put(body, "reasoning_effort", config.effort.as_deref());
    let Some(text) = &config.text_format else { return Ok(()) };
    let at = "outputConfig.textFormat.structure.jsonSchema.schema";
    let OutputFormatStructure::JsonSchema(definition) = &text.structure else { return Err(no_place(at)) };
    let Ok(schema @ Value::Object(_)) = parse(definition.schema.as_bytes()) else { return Err(no_place(at)) };
    let mut wanted = Map::new();
    put(&mut wanted, "name", definition.name.as_deref());
    put(&mut wanted, "description", definition.description.as_deref());
    put(&mut wanted, "schema", Some(schema));
    put(&mut wanted, "strict", Some(true));
    put(body, "response_format", Some(json!({"type": "json_schema", "json_schema": wanted})));
    Ok(())
}

/// What a block says in words; citations would be lost.
fn words(block: &ContentBlock) -> Option<Cow<'_, str>> {
    plain(block).filter(|_| !matches!(block, ContentBlock::CitationsContent(_)))
}

fn part(format: &Format, at: &str, block: &ContentBlock) -> Result<Value> {
    if let Some(text) = words(block) {
        return Ok(json!({"type": "text", "text": text}));
    }
    Ok(match block {
        ContentBlock::Image(ImageBlock { format: kind, source: ImageSource::Bytes(bytes), .. }) if format.media => {
            let url = format!("data:image/{};base64,{}", kind.as_str(), STANDARD.encode(bytes));
            json!({"type": "image_url", "image_url": {"url": url}})
        }
        ContentBlock::Document(given) if format.files => beside::file(at, given)?,
        ContentBlock::Audio(AudioBlock { format: kind, source: AudioSource::Bytes(bytes), .. })
            if format.media && matches!(kind.as_str(), "wav" | "mp3") =>
        {
            let data = STANDARD.encode(bytes);
            json!({"type": "input_audio", "input_audio": {"data": data, "format": kind.as_str()}})
        }
        other => return Err(no_block(at, other)),
    })
}

fn parts(format: &Format, at: &str, message: &Message) -> Result<Vec<Value>> {
    let mut parts = Vec::new();
    for (i, block) in message.content.iter().enumerate() {
        parts.push(part(format, &format!("{at}.content.{i}"), block)?);
    }
    Ok(parts)
}

/// One text is a string, anything else a list of parts.
fn content(parts: Vec<Value>) -> Value {
    match &parts[..] {
        [] => "".into(),
        [one] if one["type"] == "text" => one["text"].clone(),
        _ => parts.into(),
    }
}

/// Tool results are messages of their own and come first: they answer the turn before.
fn user(format: &Format, at: &str, message: &Message, messages: &mut Vec<Value>) -> Result<()> {
    let mut parts = Vec::new();
    let mut answered = false;
    for (i, block) in message.content.iter().enumerate() {
        let at = format!("{at}.content.{i}");
        let ContentBlock::ToolResult(result) = block else {
            parts.push(part(format, &at, block)?);
            continue;
        };
        answered = true;
        messages.push(tool_result(&at, result)?);
    }
    if !(parts.is_empty() && answered) {
        messages.push(json!({"role": "user", "content": content(parts)}));
    }
    Ok(())
}

fn tool_result(at: &str, result: &ToolResultBlock) -> Result<Value> {
    if result.r#type.is_some() {
        return Err(no_place(format!("{at}.toolResult.type")));
    }
    let mut texts = Vec::new();
    if result.status == Some(ToolResultStatus::Error) {
        // The format has no member for it, so the model is told in words.
        texts.push(json!({"type": "text", "text": "The tool failed."}));
    }
    for (i, piece) in result.content.iter().enumerate() {
        texts.push(match piece {
            ToolResultContentBlock::Text(text) => json!({"type": "text", "text": text}),
            ToolResultContentBlock::Json(value) => json!({"type": "text", "text": value.to_string()}),
            other => return Err(no_block(&format!("{at}.toolResult.content.{i}"), other)),
        });
    }
    Ok(json!({"role": "tool", "tool_call_id": result.tool_use_id, "content": content(texts)}))
}

fn assistant(format: &Format, at: &str, message: &Message) -> Result<Value> {
    let mut texts: Vec<String> = Vec::new();
    let mut thoughts = String::new();
    let mut member = String::new();
    let mut calls = Vec::new();
    for (i, block) in message.content.iter().enumerate() {
        let at = format!("{at}.content.{i}");
        match block {
            ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning))
                if format.reasoning != Reasoning::None =>
            {
                if reasoning.signature.is_some() {
                    return Err(no_place(format!("{at}.reasoningContent.reasoningText.signature")));
                }
                match format.reasoning {
                    Reasoning::Member => member.push_str(&reasoning.text),
                    _ if reasoning.text.contains(CLOSE) => return Err(no_block(&at, block)),
                    _ => thoughts.extend([OPEN, &reasoning.text, CLOSE]),
                }
            }
            ContentBlock::ToolUse(call) if call.r#type.is_none() => calls.push(json!({
                "id": call.tool_use_id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.input.to_string()},
            })),
            other => match words(other) {
                Some(text) => texts.push(std::mem::take(&mut thoughts) + &text),
                None => return Err(no_block(&at, other)),
            },
        }
    }
    if !thoughts.is_empty() {
        texts.push(thoughts);
    }
    let mut out = json!({"role": "assistant"});
    if !member.is_empty() {
        out["reasoning_content"] = member.into();
    }
    let texts: Vec<Value> = texts.into_iter().map(|text| json!({"type": "text", "text": text})).collect();
    if calls.is_empty() || !texts.is_empty() {
        out["content"] = content(texts);
    }
    if !calls.is_empty() {
        out["tool_calls"] = calls.into();
    }
    Ok(out)
}
