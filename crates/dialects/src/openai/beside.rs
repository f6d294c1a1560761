//! What OpenAI's own API has besides a conversation: members that stand in other places of Converse, and files.

use crate::DialectError;
use crate::body::Node;
use crate::request::{no_block, put};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, DialectError>;

/// The efforts that Converse knows too.
const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// Members that whoever takes the call reads.
pub(crate) fn envelope(body: &Node) -> Result<()> {
    if let Some(metadata) = body.get("metadata")? {
        for (i, value) in metadata.object()?.values().enumerate() {
            if !value.is_string() {
                return Err(metadata.refuse(format_args!("value {i} is not a string")));
            }
        }
    }
    if let Some(tier) = body.get("service_tier")? {
        tier.one_of(&["auto", "default", "flex", "priority", "reserved"])?;
    }
    Ok(())
}

/// The same, and what would ask for something else than an answer in text.
pub(super) fn check(body: &Node) -> Result<()> {
    envelope(body)?;
    if let Some(store) = body.get("store")?
        && store.boolean()?
    {
        return Err(store.refuse("chat completions are not stored, leave store out or use responses"));
    }
    if let Some(modalities) = body.get("modalities")? {
        for modality in modalities.array()? {
            modality.one_of(&["text"])?;
        }
    }
    Ok(())
}

/// How hard to think, in the member `key`: Converse's own where it has the word, else beside it.
pub(crate) fn effort(
    body: &Node,
    key: &str,
    config: &mut Option<OutputConfig>,
    fields: &mut Map<String, Value>,
) -> Result<()> {
    let Some(node) = body.get(key)? else { return Ok(()) };
    let effort = node.one_of(&["none", "minimal", "low", "medium", "high", "xhigh", "max"])?;
    if EFFORTS.contains(&effort) {
        config.get_or_insert_default().effort = Some(effort.to_owned());
    } else {
        fields.insert("reasoning_effort".to_owned(), effort.into());
    }
    Ok(())
}

/// The media types of the documents that Converse reads.
const DOCUMENTS: &[(&str, DocumentFormat)] = &[
    ("application/pdf", DocumentFormat::Pdf),
    ("text/csv", DocumentFormat::Csv),
    ("text/html", DocumentFormat::Html),
    ("text/markdown", DocumentFormat::Md),
    ("text/plain", DocumentFormat::Txt),
];

/// A file part: its content as a data URL.
pub(super) fn document(value: &Node) -> Result<DocumentBlock> {
    value.only(&["filename", "file_data", "file_id"])?;
    file_data(value)
}

/// The same, where other members stand beside.
pub(crate) fn file_data(value: &Node) -> Result<DocumentBlock> {
    if let Some(id) = value.get("file_id")? {
        return Err(id.refuse("files are not kept here, send file_data as a data URL"));
    }
    let name = value.get("filename")?.map(|n| n.string()).transpose()?;
    let data = value.required("file_data")?;
    let url = data.string()?;
    let parts = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let Some((media, coded)) = parts else {
        return Err(data.refuse("is no data URL: data:application/pdf;base64,…"));
    };
    let Some((_, format)) = DOCUMENTS.iter().find(|(known, _)| *known == media) else {
        return Err(data.refuse(format_args!("{media} can't be read, send PDF, CSV, HTML, Markdown or plain text")));
    };
    let bytes = STANDARD.decode(coded).map_err(|_| data.refuse("is not valid base64"))?;
    Ok(DocumentBlock {
        format: Some(format.clone()),
        name: crate::converse::document_name(name.map_or("", |n| n.rsplit_once('.').map_or(n, |(stem, _)| stem))),
        source: DocumentSource::Bytes(Bytes::from(bytes)),
        ..DocumentBlock::default()
    })
}

/// The same, written.
pub(super) fn file(at: &str, given: &DocumentBlock) -> Result<Value> {
    Ok(json!({"type": "file", "file": file_members(at, given)?}))
}

/// Its name and content.
pub(crate) fn file_members(at: &str, given: &DocumentBlock) -> Result<Map<String, Value>> {
    let block = || no_block(at, &ContentBlock::Document(given.clone()));
    let media = DOCUMENTS.iter().find(|(_, format)| given.format.as_ref() == Some(format));
    let (Some((media, _)), DocumentSource::Bytes(bytes), None) = (media, &given.source, &given.citations) else {
        return Err(block());
    };
    if given.context.is_some() {
        return Err(block());
    }
    let url = format!("data:{media};base64,{}", STANDARD.encode(bytes));
    let name = format!("{}.{}", given.name, given.format.as_ref().map_or("", |f| f.as_str()));
    let mut out = Map::new();
    put(&mut out, "filename", Some(name));
    put(&mut out, "file_data", Some(url));
    Ok(out)
}
