use super::format::{Format, Reasoning};
use super::messages::{CLOSE, OPEN};
use crate::Head;
use crate::converse::{plain, prompt_tokens};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

pub(super) fn answer(format: &Format, head: &Head, answer: &ConverseResponse) -> Value {
    let blocks = match &answer.output {
        ConverseOutput::Message(message) => &message.content[..],
        ConverseOutput::Unset => &[],
    };
    let mut text = String::new();
    let mut thoughts = String::new();
    let mut calls = Vec::new();
    for block in blocks {
        match block {
            ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning)) => match format.reasoning {
                Reasoning::Tagged => text.extend([OPEN, &reasoning.text, CLOSE]),
                Reasoning::Member => thoughts.push_str(&reasoning.text),
                Reasoning::None => {}
            },
            ContentBlock::ToolUse(call) => calls.push(json!({
                "id": call.tool_use_id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.input.to_string()},
            })),
            other => text.push_str(&plain(other).unwrap_or_default()),
        }
    }
    let mut message = json!({"role": "assistant", "content": text});
    if !calls.is_empty() {
        if text.is_empty() {
            message["content"] = Value::Null;
        }
        message["tool_calls"] = calls.into();
    }
    if !thoughts.is_empty() {
        message["reasoning_content"] = thoughts.into();
    }
    let mut body = frame(head, "chat.completion");
    body.insert(
        "choices".to_owned(),
        json!([{"index": 0, "message": message, format.ending: ending(&answer.stop_reason)}]),
    );
    body.insert("usage".to_owned(), usage(&answer.usage));
    Value::Object(body)
}

/// What an answer and each of its chunks begin with.
pub(super) fn frame(head: &Head, object: &str) -> Map<String, Value> {
    let mut frame = Map::new();
    frame.insert("id".to_owned(), format!("chatcmpl-{}", head.message_id).into());
    frame.insert("object".to_owned(), object.into());
    frame.insert("created".to_owned(), head.created.into());
    frame.insert("model".to_owned(), head.model_id.clone().into());
    frame
}

pub(super) fn ending(reason: &StopReason) -> &'static str {
    match reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::ContentFiltered | StopReason::GuardrailIntervened => "content_filter",
        _ => "stop",
    }
}

/// The counts: here the tokens read from the cache are among those of the prompt.
pub(super) fn usage(usage: &TokenUsage) -> Value {
    let prompt = prompt_tokens(usage);
    let mut counts = json!({
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt.saturating_add(usage.output_tokens),
    });
    if let Some(read) = usage.cache_read_input_tokens {
        counts["prompt_tokens_details"] = json!({"cached_tokens": read});
    }
    counts
}
