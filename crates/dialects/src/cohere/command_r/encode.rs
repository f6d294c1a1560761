use super::request::tool_call;
use crate::Head;
use crate::cohere::finish_reason;
use crate::converse::{plain, text};
use crate::request::put;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

pub(super) fn answer(head: &Head, answer: &ConverseResponse) -> Value {
    let blocks = match &answer.output {
        ConverseOutput::Message(message) => &message.content[..],
        ConverseOutput::Unset => &[],
    };
    let mut calls = Vec::new();
    for block in blocks {
        if let ContentBlock::ToolUse(call) = block {
            calls.push(tool_call(call));
        }
    }
    let text = text(answer);
    let citations = citations(blocks);
    let calls = Some(calls).filter(|c| !c.is_empty());

    let mut turn = json!({"role": "CHATBOT", "message": text});
    if let Some(calls) = &calls {
        turn["tool_calls"] = calls.clone().into();
    }
    let mut turns = head.repeated["chat_history"].as_array().cloned().unwrap_or_default();
    turns.push(turn);

    let mut body = Map::new();
    put(&mut body, "response_id", Some(head.message_id.as_str()));
    put(&mut body, "text", Some(text));
    put(&mut body, "generation_id", Some(head.message_id.as_str()));
    put(&mut body, "chat_history", Some(turns));
    put(&mut body, "finish_reason", Some(finish_reason(&answer.stop_reason)));
    put(&mut body, "tool_calls", calls);
    if !citations.is_empty() {
        let cited = |document: &&Value| citations.iter().any(|c| names(c, &document["id"]));
        let all = head.repeated["documents"].as_array().map(Vec::as_slice).unwrap_or_default();
        put(&mut body, "documents", Some(all.iter().filter(cited).cloned().collect::<Vec<_>>()));
        put(&mut body, "citations", Some(citations));
    }
    // What a provider of the same format said beside its answer.
    let fields = answer.additional_model_response_fields.as_ref();
    for key in ["prompt", "search_queries", "is_search_required"] {
        put(&mut body, key, fields.and_then(|f| f.get(key)).filter(|v| !v.is_null()).cloned());
    }
    Value::Object(body)
}

fn names(citation: &Value, id: &Value) -> bool {
    citation["document_ids"].as_array().is_some_and(|ids| ids.contains(id))
}

/// Cohere cites by the characters of the answer's text that a document carries: here those of the block.
fn citations(blocks: &[ContentBlock]) -> Vec<Value> {
    let mut out = Vec::new();
    let mut start = 0;
    for block in blocks {
        let Some(said) = plain(block) else { continue };
        let end = start + said.chars().count();
        if let ContentBlock::CitationsContent(cited) = block {
            let mut ids = Vec::new();
            for citation in cited.citations.iter().flatten() {
                ids.extend(document(citation));
            }
            if !ids.is_empty() {
                out.push(json!({"start": start, "end": end, "text": said, "document_ids": ids}));
            }
        }
        start = end;
    }
    out
}

/// The id of the document that `citation` names: its source, else its number.
fn document(citation: &Citation) -> Option<String> {
    let number = match &citation.location {
        Some(CitationLocation::SearchResultLocation(at)) => at.search_result_index,
        Some(CitationLocation::DocumentChar(at)) => at.document_index,
        Some(CitationLocation::DocumentPage(at)) => at.document_index,
        Some(CitationLocation::DocumentChunk(at)) => at.document_index,
        _ => None,
    };
    citation.source.clone().or_else(|| number.map(|n| format!("doc_{n}")))
}
