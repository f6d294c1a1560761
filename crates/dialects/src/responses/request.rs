//! A request, written.

use super::tools;
use crate::DialectError;
use crate::body::parse;
use crate::converse::plain;
use crate::openai::file_members;
use crate::request::{self, decimal, no_block, no_place, put};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, DialectError>;

pub(super) fn write(request: &ConverseRequest) -> Result<Value> {
    let places = [
        "messages",
        "system",
        "inferenceConfig.maxTokens",
        "inferenceConfig.temperature",
        "inferenceConfig.topP",
        "toolConfig",
        "outputConfig",
        "additionalModelRequestFields",
    ];
    request::only(request, &places)?;
    let mut body = Map::new();
    let mut items = Vec::new();
    for (i, block) in request.system.iter().flatten().enumerate() {
        let SystemContentBlock::Text(text) = block else { return Err(no_block(&format!("system.{i}"), block)) };
        items.push(json!({"type": "message", "role": "system", "content": text}));
    }
    for (i, message) in request.messages.iter().flatten().enumerate() {
        let at = format!("messages.{i}");
        match message.role {
            ConversationRole::Assistant => assistant(&at, message, &mut items)?,
            _ => user(&at, message, &mut items)?,
        }
    }
    put(&mut body, "input", Some(items));
    let config = request.inference_config.clone().unwrap_or_default();
    put(&mut body, "max_output_tokens", config.max_tokens);
    put(&mut body, "temperature", config.temperature.map(decimal));
    put(&mut body, "top_p", config.top_p.map(decimal));
    if let Some(config) = &request.tool_config {
        tools::write(config, &mut body)?;
    }
    let mut fields = match &request.additional_model_request_fields {
        None => Map::new(),
        Some(Value::Object(fields)) => fields.clone(),
        Some(_) => return Err(no_place("additionalModelRequestFields")),
    };
    output(request.output_config.as_ref(), &mut fields, &mut body)?;
    request::merge(&mut body, Some(&Value::Object(fields)))?;
    Ok(Value::Object(body))
}

/// `text` and `reasoning`, of which Converse has a part and the fields beside it the rest.
fn output(config: Option<&OutputConfig>, fields: &mut Map<String, Value>, body: &mut Map<String, Value>) -> Result<()> {
    let mut text = Map::new();
    put(&mut text, "verbosity", fields.remove("verbosity"));
    put(&mut text, "format", fields.remove("response_format"));
    if let Some(format) = config.and_then(|c| c.text_format.as_ref()) {
        let at = "outputConfig.textFormat.structure.jsonSchema.schema";
        let OutputFormatStructure::JsonSchema(definition) = &format.structure else { return Err(no_place(at)) };
        let Ok(schema @ Value::Object(_)) = parse(definition.schema.as_bytes()) else { return Err(no_place(at)) };
        let mut wanted = Map::new();
        put(&mut wanted, "type", Some("json_schema"));
        put(&mut wanted, "name", definition.name.as_deref());
        put(&mut wanted, "description", definition.description.as_deref());
        put(&mut wanted, "schema", Some(schema));
        put(&mut wanted, "strict", Some(true));
        put(&mut text, "format", Some(wanted));
    }
    put(body, "text", Some(text).filter(|text| !text.is_empty()));
    let effort = config.and_then(|c| c.effort.as_deref()).map(Value::from);
    let effort = effort.or_else(|| fields.remove("reasoning_effort"));
    put(body, "reasoning", effort.map(|effort| json!({"effort": effort})));
    Ok(())
}

fn user(at: &str, message: &Message, items: &mut Vec<Value>) -> Result<()> {
    let mut parts = Vec::new();
    let role = message.role.as_str();
    for (i, block) in message.content.iter().enumerate() {
        let at = format!("{at}.content.{i}");
        let ContentBlock::ToolResult(result) = block else {
            parts.push(part(&at, block)?);
            continue;
        };
        flush(role, &mut parts, items);
        items.push(tool_result(&at, result)?);
    }
    flush(role, &mut parts, items);
    Ok(())
}

fn flush(role: &str, parts: &mut Vec<Value>, items: &mut Vec<Value>) {
    if !parts.is_empty() {
        items.push(json!({"type": "message", "role": role, "content": std::mem::take(parts)}));
    }
}

/// What a block says in words; citations would be lost.
fn words(block: &ContentBlock) -> Option<String> {
    let text = plain(block).filter(|_| !matches!(block, ContentBlock::CitationsContent(_)))?;
    Some(text.into_owned())
}

fn part(at: &str, block: &ContentBlock) -> Result<Value> {
    Ok(match block {
        ContentBlock::Image(image) => picture(image).ok_or_else(|| no_block(at, block))?,
        ContentBlock::Document(given) => file(at, given)?,
        other => match words(other) {
            Some(text) => json!({"type": "input_text", "text": text}),
            None => return Err(no_block(at, other)),
        },
    })
}

fn picture(image: &ImageBlock) -> Option<Value> {
    let ImageSource::Bytes(bytes) = &image.source else { return None };
    let url = format!("data:image/{};base64,{}", image.format.as_str(), STANDARD.encode(bytes));
    Some(json!({"type": "input_image", "image_url": url, "detail": "auto"}))
}

fn file(at: &str, given: &DocumentBlock) -> Result<Value> {
    let mut out = Map::new();
    put(&mut out, "type", Some("input_file"));
    out.extend(file_members(at, given)?);
    Ok(Value::Object(out))
}

fn tool_result(at: &str, result: &ToolResultBlock) -> Result<Value> {
    if result.r#type.is_some() {
        return Err(no_place(format!("{at}.toolResult.type")));
    }
    let mut parts = Vec::new();
    if result.status == Some(ToolResultStatus::Error) {
        // The format has no member for it, so the model is told in words.
        parts.push(json!({"type": "input_text", "text": "The tool failed."}));
    }
    for (i, piece) in result.content.iter().enumerate() {
        let at = format!("{at}.toolResult.content.{i}");
        parts.push(match piece {
            ToolResultContentBlock::Text(text) => json!({"type": "input_text", "text": text}),
            ToolResultContentBlock::Json(value) => json!({"type": "input_text", "text": value.to_string()}),
            ToolResultContentBlock::Image(image) => picture(image).ok_or_else(|| no_block(&at, piece))?,
            ToolResultContentBlock::Document(given) => file(&at, given)?,
            other => return Err(no_block(&at, other)),
        });
    }
    let output = match &parts[..] {
        [one] if one["type"] == "input_text" => one["text"].clone(),
        _ => parts.into(),
    };
    Ok(json!({"type": "function_call_output", "call_id": result.tool_use_id, "output": output}))
}

fn assistant(at: &str, message: &Message, items: &mut Vec<Value>) -> Result<()> {
    for (i, block) in message.content.iter().enumerate() {
        let at = format!("{at}.content.{i}");
        items.push(match block {
            ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(thought)) => {
                let content = json!([{"type": "reasoning_text", "text": thought.text}]);
                let mut item = json!({"type": "reasoning", "summary": [], "content": content});
                if let Some(signature) = &thought.signature {
                    item["encrypted_content"] = signature.as_str().into();
                }
                item
            }
            ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(bytes)) => {
                json!({"type": "reasoning", "summary": [], "encrypted_content": STANDARD.encode(bytes)})
            }
            ContentBlock::ToolUse(call) if call.r#type.is_none() => json!({
                "type": "function_call",
                "call_id": call.tool_use_id,
                "name": call.name,
                "arguments": call.input.to_string(),
            }),
            other => match words(other) {
                Some(text) => {
                    json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
                }
                None => return Err(no_block(&at, other)),
            },
        });
    }
    Ok(())
}
