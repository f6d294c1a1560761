//! Citations, both ways.

use crate::DialectError;
use crate::body::Node;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Value, json};

/// `citations: {enabled}` of a document or a search result.
pub(super) fn config(node: &Node) -> Result<Option<CitationsConfig>, DialectError> {
    let Some(config) = node.get("citations")? else { return Ok(None) };
    let enabled = config.get("enabled")?.map(|e| e.boolean()).transpose()?.unwrap_or_default();
    Ok(Some(CitationsConfig { enabled }))
}

/// The citations of a text block that the model wrote and the caller sends back.
pub(super) fn read(list: &Node) -> Result<Vec<Citation>, DialectError> {
    let mut out = Vec::new();
    for node in list.array()? {
        let whole = |key: &str| -> Result<Option<i32>, DialectError> {
            let n = node.get(key)?.map(|n| n.integer(0, i64::from(i32::MAX))).transpose()?;
            Ok(n.and_then(|n| i32::try_from(n).ok()))
        };
        let words = |key: &str| -> Result<Option<String>, DialectError> {
            Ok(node.get(key)?.map(|t| t.string()).transpose()?.map(str::to_owned))
        };
        let kinds = [
            "char_location",
            "page_location",
            "content_block_location",
            "search_result_location",
            "web_search_result_location",
        ];
        let document_index = whole("document_index")?;
        let location = match node.required("type")?.one_of(&kinds)? {
            "char_location" => CitationLocation::DocumentChar(DocumentCharLocation {
                document_index,
                start: whole("start_char_index")?,
                end: whole("end_char_index")?,
            }),
            "page_location" => CitationLocation::DocumentPage(DocumentPageLocation {
                document_index,
                start: whole("start_page_number")?,
                end: whole("end_page_number")?,
            }),
            "content_block_location" => CitationLocation::DocumentChunk(DocumentChunkLocation {
                document_index,
                start: whole("start_block_index")?,
                end: whole("end_block_index")?,
            }),
            "search_result_location" => CitationLocation::SearchResultLocation(SearchResultLocation {
                search_result_index: whole("search_result_index")?,
                start: whole("start_block_index")?,
                end: whole("end_block_index")?,
            }),
            _ => CitationLocation::Web(WebLocation { url: words("url")?, domain: None }),
        };
        out.push(Citation {
            title: words("document_title")?.or(words("title")?),
            source: words("source")?,
            source_content: words("cited_text")?
                .filter(|t| !t.is_empty())
                .map(|t| vec![CitationSourceContent::Text(t)]),
            location: Some(location),
        });
    }
    Ok(out)
}

/// One citation of an answer.
pub(super) fn write(citation: &Citation) -> Value {
    let mut cited = String::new();
    for part in citation.source_content.iter().flatten() {
        if let CitationSourceContent::Text(text) = part {
            cited.push_str(text);
        }
    }
    let title = &citation.title;
    match &citation.location {
        Some(CitationLocation::DocumentChar(at)) => json!({
            "type": "char_location", "cited_text": cited, "document_index": at.document_index,
            "document_title": title, "start_char_index": at.start, "end_char_index": at.end,
        }),
        Some(CitationLocation::DocumentPage(at)) => json!({
            "type": "page_location", "cited_text": cited, "document_index": at.document_index,
            "document_title": title, "start_page_number": at.start, "end_page_number": at.end,
        }),
        Some(CitationLocation::SearchResultLocation(at)) => json!({
            "type": "search_result_location", "cited_text": cited, "search_result_index": at.search_result_index,
            "source": citation.source, "title": title, "start_block_index": at.start, "end_block_index": at.end,
        }),
        Some(CitationLocation::Web(at)) => json!({
            "type": "web_search_result_location", "cited_text": cited, "url": at.url, "title": title,
            "encrypted_index": "",
        }),
        Some(CitationLocation::DocumentChunk(at)) => json!({
            "type": "content_block_location", "cited_text": cited, "document_index": at.document_index,
            "document_title": title, "start_block_index": at.start, "end_block_index": at.end,
        }),
        // A place is required; without one the whole of the first document is named.
        Some(CitationLocation::Unset) | None => json!({
            "type": "content_block_location", "cited_text": cited, "document_index": 0,
            "document_title": title, "start_block_index": 0, "end_block_index": 0,
        }),
    }
}
