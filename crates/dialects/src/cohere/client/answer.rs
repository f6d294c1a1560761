//! Whole answers, and what a stream shares with them.

use outcrop_api::bedrock_runtime::*;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::malformed;
use crate::client::{MakeId, ReadError, Refusal};
use crate::converse::arguments;

#[derive(Deserialize)]
struct Answer {
    message: Said,
    finish_reason: String,
    #[serde(default)]
    usage: Value,
    id: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<Vec<Part>>,
    tool_plan: Option<String>,
    tool_calls: Option<Vec<Call>>,
    citations: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    r#type: String,
    text: Option<String>,
    thinking: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Call {
    #[serde(default)]
    pub(super) id: String,
    pub(super) function: Function,
}

#[derive(Deserialize)]
pub(super) struct Function {
    pub(super) name: Option<String>,
    pub(super) arguments: Option<String>,
}

pub(super) fn read(body: &[u8], make_id: MakeId) -> Result<ConverseResponse, ReadError> {
    let Answer { message, finish_reason, usage, id } = serde_json::from_slice(body).map_err(|e| ReadError::json(&e))?;
    let mut content = Vec::new();
    let full = |text: Option<String>| text.filter(|text| !text.is_empty());
    if let Some(plan) = full(message.tool_plan) {
        content.push(ContentBlock::Text(plan));
    }
    let mut cited: Vec<(u64, Citation)> = message.citations.iter().flatten().filter_map(citation).collect();
    for (i, part) in message.content.into_iter().flatten().enumerate() {
        match part.r#type.as_str() {
            "thinking" => content.extend(full(part.thinking).map(|text| {
                let text = ReasoningTextBlock { text, signature: None };
                ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(text))
            })),
            "text" => {
                let Some(text) = full(part.text) else { continue };
                let (here, elsewhere) = cited.into_iter().partition(|(at, _)| *at == i as u64);
                cited = elsewhere;
                content.push(said(text, here));
            }
            _ => {}
        }
    }
    // Where only one text is, nobody says which.
    if !cited.is_empty()
        && let Some(last) = content.iter_mut().rfind(|block| matches!(block, ContentBlock::Text(_)))
        && let ContentBlock::Text(text) = last
    {
        *last = said(std::mem::take(text), cited);
    }
    let calls = message.tool_calls.unwrap_or_default();
    let mut stop_reason = stop_reason(&finish_reason, !calls.is_empty(), "")?;
    for call in calls {
        let name = call.function.name.ok_or_else(|| malformed(&"a tool call has no name"))?;
        let said = call.function.arguments.unwrap_or_default();
        let Some(input) = arguments(&said, &mut stop_reason) else { continue };
        content.push(ContentBlock::ToolUse(ToolUseBlock {
            tool_use_id: if call.id.is_empty() { make_id() } else { call.id },
            name,
            input,
            r#type: None,
        }));
    }
    Ok(ConverseResponse {
        output: ConverseOutput::Message(Message { role: ConversationRole::Assistant, content }),
        stop_reason,
        usage: counts(&usage),
        additional_model_response_fields: Some(fields(id, &finish_reason, usage)),
        ..ConverseResponse::default()
    })
}

fn said(text: String, citations: Vec<(u64, Citation)>) -> ContentBlock {
    if citations.is_empty() {
        return ContentBlock::Text(text);
    }
    ContentBlock::CitationsContent(CitationsContentBlock {
        content: Some(vec![CitationGeneratedContent::Text(text)]),
        citations: Some(citations.into_iter().map(|(_, citation)| citation).collect()),
    })
}

/// What a caller may point at.
pub(super) fn fields(id: Option<String>, finish_reason: &str, usage: Value) -> Value {
    let mut out = Map::new();
    if let Some(id) = id {
        out.insert("id".to_owned(), id.into());
    }
    out.insert("finish_reason".to_owned(), finish_reason.into());
    if !usage.is_null() {
        out.insert("usage".to_owned(), usage);
    }
    Value::Object(out)
}

/// Why an answer ended. `error`: what the service says of an answer that it gave up.
pub(super) fn stop_reason(said: &str, called: bool, error: &str) -> Result<StopReason, ReadError> {
    Ok(match said {
        "MAX_TOKENS" => StopReason::MaxTokens,
        "STOP_SEQUENCE" => StopReason::StopSequence,
        "ERROR_TOXIC" => StopReason::ContentFiltered,
        "ERROR_LIMIT" => StopReason::ModelContextWindowExceeded,
        "ERROR" | "TIMEOUT" => {
            let code = if said == "TIMEOUT" { "timeout_error" } else { "error" };
            return Err(ReadError::Refused(Refusal { message: error.to_owned(), code: Some(code.to_owned()) }));
        }
        "TOOL_CALL" => StopReason::ToolUse,
        _ if called => StopReason::ToolUse,
        _ => StopReason::EndTurn,
    })
}

/// The counts as Converse has them: what was cached is not among the input.
pub(super) fn counts(usage: &Value) -> TokenUsage {
    let count = |at: &str| {
        let n = usage.pointer(at)?.as_f64().filter(|n| *n >= 0.0)?;
        // `as` saturates.
        Some(n as i32)
    };
    let prompt = count("/tokens/input_tokens").or_else(|| count("/billed_units/input_tokens")).unwrap_or_default();
    let output = count("/tokens/output_tokens").or_else(|| count("/billed_units/output_tokens")).unwrap_or_default();
    let read = count("/cached_tokens").map(|read| read.min(prompt));
    TokenUsage {
        input_tokens: prompt - read.unwrap_or_default(),
        output_tokens: output,
        total_tokens: prompt.saturating_add(output),
        cache_read_input_tokens: read,
        ..TokenUsage::default()
    }
}

/// A citation, and the number of the part of the content that it is in. The ids of sources say where they stood in the
/// request; those of tools are the ids of their calls.
pub(super) fn citation(said: &Value) -> Option<(u64, Citation)> {
    let source = said.get("sources")?.as_array()?.first()?;
    let id = source.get("id").and_then(Value::as_str).unwrap_or_default();
    let data = source.get("document").or_else(|| source.get("tool_output")).unwrap_or(&Value::Null);
    let words = |key: &str| data.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |kind: &str| id.strip_prefix(kind)?.parse::<i32>().ok();
    let location = if let Some(n) = number("document-") {
        let at = DocumentChunkLocation { document_index: Some(n), start: Some(0), end: Some(1) };
        Some(CitationLocation::DocumentChunk(at))
    } else {
        number("search-").map(|n| {
            let at = SearchResultLocation { search_result_index: Some(n), start: Some(0), end: Some(1) };
            CitationLocation::SearchResultLocation(at)
        })
    };
    let at = said.get("content_index").and_then(Value::as_u64).unwrap_or_default();
    let text = words("text").or_else(|| words("snippet")).filter(|text| !text.is_empty());
    Some((
        at,
        Citation {
            title: words("title"),
            source: words("url").or_else(|| Some(id.to_owned()).filter(|id| !id.is_empty())),
            source_content: text.map(|text| vec![CitationSourceContent::Text(text)]),
            location,
        },
    ))
}
