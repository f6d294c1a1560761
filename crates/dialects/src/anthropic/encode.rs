use super::citations;
use crate::{Head, converse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Value, json};

pub(super) fn answer(prefix: &str, head: &Head, answer: &ConverseResponse) -> Value {
    let content: Vec<Value> = match &answer.output {
        ConverseOutput::Message(message) => message.content.iter().filter_map(block).collect(),
        ConverseOutput::Unset => Vec::new(),
    };
    let fields = answer.additional_model_response_fields.as_ref();
    json!({
        "id": id(prefix, head),
        "type": "message",
        "role": "assistant",
        "model": head.model_id,
        "content": content,
        "stop_reason": stop_reason(&answer.stop_reason),
        "stop_sequence": converse::stop_sequence(fields),
        "usage": usage(&answer.usage, answer.usage.output_tokens),
    })
}

pub(super) fn id(prefix: &str, head: &Head) -> String {
    format!("{prefix}{}", head.message_id)
}

/// The counts, as Anthropic names them. The cache counts are always there and zero where nothing was cached.
pub(super) fn usage(usage: &TokenUsage, output_tokens: i32) -> Value {
    json!({
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_input_tokens.unwrap_or_default(),
        "cache_read_input_tokens": usage.cache_read_input_tokens.unwrap_or_default(),
        "output_tokens": output_tokens,
    })
}

pub(super) fn stop_reason(reason: &StopReason) -> &str {
    match reason {
        StopReason::ContentFiltered => "refusal",
        // Reasons that Anthropic does not know. What a guardrail did stands beside the answer, not in it.
        StopReason::GuardrailIntervened | StopReason::MalformedModelOutput | StopReason::MalformedToolUse => "end_turn",
        other => other.as_str(),
    }
}

/// One block; `None` for blocks that no model writes.
pub(super) fn block(block: &ContentBlock) -> Option<Value> {
    Some(match block {
        ContentBlock::Text(text) => json!({"type": "text", "text": text}),
        ContentBlock::CitationsContent(cited) => {
            let mut text = String::new();
            for part in cited.content.iter().flatten() {
                if let CitationGeneratedContent::Text(part) = part {
                    text.push_str(part);
                }
            }
            let citations: Vec<Value> = cited.citations.iter().flatten().map(citations::write).collect();
            json!({"type": "text", "text": text, "citations": citations})
        }
        ContentBlock::ToolUse(tool) => json!({
            "type": tool_kind(tool.r#type.as_ref()), "id": tool.tool_use_id, "name": tool.name, "input": tool.input,
        }),
        ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning)) => json!({
            "type": "thinking", "thinking": reasoning.text,
            "signature": reasoning.signature.as_deref().unwrap_or_default(),
        }),
        ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(data)) => {
            json!({"type": "redacted_thinking", "data": STANDARD.encode(data)})
        }
        ContentBlock::ToolResult(result) => json!({
            "type": "tool_result", "tool_use_id": result.tool_use_id,
            "is_error": result.status == Some(ToolResultStatus::Error),
            "content": result.content.iter().filter_map(result_part).collect::<Vec<_>>(),
        }),
        ContentBlock::Image(image) => picture(image)?,
        _ => return None,
    })
}

pub(super) fn tool_kind(kind: Option<&ToolUseType>) -> &'static str {
    if kind == Some(&ToolUseType::ServerToolUse) { "server_tool_use" } else { "tool_use" }
}

pub(super) fn result_part(part: &ToolResultContentBlock) -> Option<Value> {
    match part {
        ToolResultContentBlock::Text(text) => Some(json!({"type": "text", "text": text})),
        ToolResultContentBlock::Json(value) => Some(json!({"type": "text", "text": value.to_string()})),
        ToolResultContentBlock::Image(image) => picture(image),
        _ => None,
    }
}

pub(super) fn picture(image: &ImageBlock) -> Option<Value> {
    let ImageSource::Bytes(bytes) = &image.source else { return None };
    let media_type = format!("image/{}", image.format.as_str());
    let source = json!({"type": "base64", "media_type": media_type, "data": STANDARD.encode(bytes)});
    Some(json!({"type": "image", "source": source}))
}
