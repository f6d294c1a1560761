//! The response object and its items.

use crate::Head;
use crate::converse::{plain, prompt_tokens};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

/// The whole answer.
pub(super) fn whole(head: &Head, answer: &ConverseResponse) -> Value {
    let blocks = match &answer.output {
        ConverseOutput::Message(message) => &message.content[..],
        ConverseOutput::Unset => &[],
    };
    let mut output: Vec<Value> = Vec::new();
    for block in blocks {
        output.extend(item(head, output.len(), block));
    }
    finished(head, output, &answer.stop_reason, &answer.usage)
}

/// A response that is being made.
pub(super) fn begun(head: &Head) -> Value {
    frame(head, "in_progress", Value::Null, Vec::new(), Value::Null)
}

/// A response that is made, as far as its limits let it.
pub(super) fn finished(head: &Head, output: Vec<Value>, stop: &StopReason, usage: &TokenUsage) -> Value {
    let reason = match stop {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => Some("max_output_tokens"),
        StopReason::ContentFiltered | StopReason::GuardrailIntervened => Some("content_filter"),
        _ => None,
    };
    let details = reason.map_or(Value::Null, |reason| json!({"reason": reason}));
    let status = if reason.is_some() { "incomplete" } else { "completed" };
    frame(head, status, details, output, counts(usage))
}

/// One that could not be made.
pub(super) fn failed(head: &Head, code: &str, message: &str) -> Value {
    let mut response = frame(head, "failed", Value::Null, Vec::new(), Value::Null);
    response["error"] = json!({"code": code, "message": message});
    response
}

fn frame(head: &Head, status: &str, details: Value, output: Vec<Value>, usage: Value) -> Value {
    let mut response = Map::new();
    let mut put = |key: &str, value: Value| drop(response.insert(key.to_owned(), value));
    put("id", super::id(&head.message_id).into());
    put("object", "response".into());
    put("created_at", head.created.into());
    put("status", status.into());
    put("background", false.into());
    put("error", Value::Null);
    put("incomplete_details", details);
    put("model", head.model_id.as_str().into());
    put("output", output.into());
    // What the request left out stands as the reference says it is then.
    for (key, value) in [
        ("instructions", Value::Null),
        ("max_output_tokens", Value::Null),
        ("metadata", json!({})),
        ("parallel_tool_calls", true.into()),
        ("previous_response_id", Value::Null),
        ("reasoning", json!({"effort": null, "summary": null})),
        ("temperature", Value::Null),
        ("text", json!({"format": {"type": "text"}})),
        ("tool_choice", "auto".into()),
        ("tools", json!([])),
        ("top_p", Value::Null),
        ("truncation", "disabled".into()),
    ] {
        put(key, value);
    }
    put("usage", usage);
    if let Value::Object(repeated) = &head.repeated {
        for (key, value) in repeated {
            response.insert(key.clone(), value.clone());
        }
    }
    Value::Object(response)
}

/// The counts: here the tokens read from the cache are among those of the input. Reasoning is not counted apart.
fn counts(usage: &TokenUsage) -> Value {
    let input = prompt_tokens(usage);
    json!({
        "input_tokens": input,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_input_tokens.unwrap_or_default(),
            "cache_write_tokens": usage.cache_write_input_tokens.unwrap_or_default(),
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input.saturating_add(usage.output_tokens),
    })
}

/// The id of the item at a place of an answer.
pub(super) fn item_id(prefix: &str, head: &Head, place: usize) -> String {
    format!("{prefix}_{}_{place}", head.message_id)
}

/// One item; `None` for blocks that say nothing here.
pub(super) fn item(head: &Head, place: usize, block: &ContentBlock) -> Option<Value> {
    Some(match block {
        ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(thought)) => {
            let mut item = json!({
                "type": "reasoning",
                "id": item_id("rs", head, place),
                "summary": [],
                "content": if thought.text.is_empty() { json!([]) } else { json!([thought_part(&thought.text)]) },
                "status": "completed",
            });
            if let Some(signature) = &thought.signature {
                item["encrypted_content"] = signature.as_str().into();
            }
            item
        }
        ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(bytes)) => json!({
            "type": "reasoning",
            "id": item_id("rs", head, place),
            "summary": [],
            "content": [],
            "status": "completed",
            "encrypted_content": STANDARD.encode(bytes),
        }),
        ContentBlock::ToolUse(call) => json!({
            "type": "function_call",
            "id": item_id("fc", head, place),
            "call_id": call.tool_use_id,
            "name": call.name,
            "arguments": call.input.to_string(),
            "status": "completed",
        }),
        other => {
            let text = plain(other).filter(|text| !text.is_empty())?;
            json!({
                "type": "message",
                "id": item_id("msg", head, place),
                "status": "completed",
                "role": "assistant",
                "content": [text_part(&text)],
            })
        }
    })
}

pub(super) fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

pub(super) fn thought_part(text: &str) -> Value {
    json!({"type": "reasoning_text", "text": text})
}
