//! Whole answers, and what a stream shares with them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

use super::{malformed, refusal, usage};
use crate::client::{MakeId, ReadError};

pub(super) fn read(body: &[u8], make_id: MakeId) -> Result<ConverseResponse, ReadError> {
    let Value::Object(mut said) = serde_json::from_slice(body).map_err(|e| ReadError::json(&e))? else {
        return Err(malformed(&"it is no object"));
    };
    if said.get("type").and_then(Value::as_str) == Some("error") {
        return Err(ReadError::Refused(refusal(&Value::Object(said))));
    }
    let blocks = match said.remove("content") {
        Some(Value::Array(blocks)) => blocks,
        Some(Value::Null) => Vec::new(),
        _ => return Err(malformed(&"it has no content")),
    };
    let mut content = Vec::with_capacity(blocks.len());
    for block in blocks {
        content.extend(read_block(block, make_id)?);
    }
    let stop = said.get("stop_reason").and_then(Value::as_str).ok_or_else(|| malformed(&"it has no stop_reason"))?;
    let calls = content.iter().any(|block| matches!(block, ContentBlock::ToolUse(call) if call.r#type.is_none()));
    let stop_reason = stop_reason(stop, calls);
    let usage = said.get("usage").and_then(Value::as_object).map(usage::usage).unwrap_or_default();
    Ok(ConverseResponse {
        output: ConverseOutput::Message(Message { role: ConversationRole::Assistant, content }),
        stop_reason,
        usage,
        additional_model_response_fields: Some(fields(said)),
        ..ConverseResponse::default()
    })
}

/// What a caller may point at: all of the message but its content. `/delta/stop_sequence` is where the streams of
/// InvokeModel have it, and callers of both ask for both.
pub(super) fn fields(mut message: Map<String, Value>) -> Value {
    if !message.contains_key("delta") {
        let of = |key: &str| message.get(key).cloned().unwrap_or_default();
        let delta = json!({"stop_reason": of("stop_reason"), "stop_sequence": of("stop_sequence")});
        message.insert("delta".to_owned(), delta);
    }
    Value::Object(message)
}

/// Why an answer ended. `calls`: it waits for the results of tools.
pub(super) fn stop_reason(said: &str, calls: bool) -> StopReason {
    match said {
        // Servers that only speak like Anthropic say so where they were made to call.
        "end_turn" if calls => StopReason::ToolUse,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence,
        "tool_use" => StopReason::ToolUse,
        "refusal" => StopReason::ContentFiltered,
        "model_context_window_exceeded" => StopReason::ModelContextWindowExceeded,
        // A paused turn (`pause_turn`) goes on when the caller sends the answer back, which is how every turn goes on.
        // Whoever must tell them apart points at /stop_reason.
        _ => StopReason::EndTurn,
    }
}

/// One block; `None` where it is empty, or of a kind that Converse has no word for.
pub(super) fn read_block(block: Value, make_id: MakeId) -> Result<Option<ContentBlock>, ReadError> {
    let Value::Object(mut block) = block else { return Err(malformed(&"a block is no object")) };
    let kind = text(&mut block, "type")?;
    Ok(match kind.as_str() {
        "text" => {
            let text = text(&mut block, "text")?;
            let citations = match block.remove("citations") {
                Some(Value::Array(list)) => list.iter().filter_map(citation).collect(),
                _ => Vec::new(),
            };
            match (text.is_empty(), citations.is_empty()) {
                (true, true) => None,
                (false, true) => Some(ContentBlock::Text(text)),
                _ => Some(ContentBlock::CitationsContent(CitationsContentBlock {
                    content: Some(vec![CitationGeneratedContent::Text(text)]),
                    citations: Some(citations),
                })),
            }
        }
        "thinking" => {
            let signature = text(&mut block, "signature").ok().filter(|s| !s.is_empty());
            let thought = ReasoningTextBlock { text: text(&mut block, "thinking")?, signature };
            Some(ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(thought)))
        }
        "redacted_thinking" => STANDARD
            .decode(text(&mut block, "data")?)
            .ok()
            .map(|data| ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(data.into()))),
        "tool_use" | "server_tool_use" => {
            let start = tool_start(&kind, &mut block, make_id)?;
            let input = block.remove("input").filter(Value::is_object).unwrap_or_else(|| json!({}));
            Some(ContentBlock::ToolUse(ToolUseBlock {
                tool_use_id: start.tool_use_id,
                name: start.name,
                input,
                r#type: start.r#type,
            }))
        }
        kind if is_server_result(kind) => Some(ContentBlock::ToolResult(ToolResultBlock {
            tool_use_id: text(&mut block, "tool_use_id")?,
            content: vec![ToolResultContentBlock::Json(block.remove("content").unwrap_or_default())],
            status: None,
            r#type: Some(kind.to_owned()),
        })),
        _ => None,
    })
}

/// The results of tools that ran at Anthropic: `web_search_tool_result`, `bash_code_execution_tool_result` … A call to
/// a tool of an MCP server names its server, for which Converse has no place, so neither it nor its result is told.
pub(super) fn is_server_result(kind: &str) -> bool {
    kind.ends_with("_tool_result") && kind != "mcp_tool_result"
}

pub(super) fn tool_start(
    kind: &str,
    block: &mut Map<String, Value>,
    make_id: MakeId,
) -> Result<ToolUseBlockStart, ReadError> {
    let id = text(block, "id").unwrap_or_default();
    Ok(ToolUseBlockStart {
        tool_use_id: if id.is_empty() { make_id() } else { id },
        name: text(block, "name")?,
        r#type: (kind == "server_tool_use").then_some(ToolUseType::ServerToolUse),
    })
}

pub(super) fn text(block: &mut Map<String, Value>, key: &str) -> Result<String, ReadError> {
    match block.remove(key) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(ReadError::Malformed(format!("a block has no {key}"))),
    }
}

/// A citation; `None` for kinds of places that are not known.
pub(super) fn citation(said: &Value) -> Option<Citation> {
    let whole = |key: &str| said.get(key).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
    let words = |key: &str| said.get(key).and_then(Value::as_str).map(str::to_owned);
    let document_index = whole("document_index");
    let location = match said.get("type").and_then(Value::as_str)? {
        "char_location" => CitationLocation::DocumentChar(DocumentCharLocation {
            document_index,
            start: whole("start_char_index"),
            end: whole("end_char_index"),
        }),
        "page_location" => CitationLocation::DocumentPage(DocumentPageLocation {
            document_index,
            start: whole("start_page_number"),
            end: whole("end_page_number"),
        }),
        "content_block_location" => CitationLocation::DocumentChunk(DocumentChunkLocation {
            document_index,
            start: whole("start_block_index"),
            end: whole("end_block_index"),
        }),
        "search_result_location" => CitationLocation::SearchResultLocation(SearchResultLocation {
            search_result_index: whole("search_result_index"),
            start: whole("start_block_index"),
            end: whole("end_block_index"),
        }),
        "web_search_result_location" => CitationLocation::Web(WebLocation { url: words("url"), domain: None }),
        _ => return None,
    };
    let cited = words("cited_text").filter(|text| !text.is_empty());
    Some(Citation {
        title: words("document_title").or_else(|| words("title")),
        source: words("source"),
        source_content: cited.map(|text| vec![CitationSourceContent::Text(text)]),
        location: Some(location),
    })
}
