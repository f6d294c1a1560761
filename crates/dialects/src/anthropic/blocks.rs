//! Content blocks of a request.

use super::citations;
use crate::DialectError;
use crate::body::Node;
use crate::converse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outcrop_api::bedrock_runtime::*;

type Result<T> = std::result::Result<T, DialectError>;

const TAGS: &str = "'text', 'image', 'document', 'search_result', 'thinking', 'redacted_thinking', 'tool_use', \
                    'tool_result', 'server_tool_use'";

/// The content of a message: a string, or a list of blocks.
pub(super) fn content(content: &Node) -> Result<Vec<ContentBlock>> {
    if content.value.is_string() {
        return text(content).map(|t| t.into_iter().map(ContentBlock::Text).collect());
    }
    let mut out = Vec::new();
    for node in content.array()? {
        out.push(block(&node)?);
        if let Some(point) = checkpoint(&node)? {
            out.push(ContentBlock::CachePoint(point));
        }
    }
    Ok(out)
}

/// A string content; the empty string is no content.
fn text(node: &Node) -> Result<Option<String>> {
    let text = node.string()?;
    if !text.is_empty() && text.trim().is_empty() {
        return Err(DialectError::Rule("messages: text content blocks must contain non-whitespace text".to_owned()));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn block(node: &Node) -> Result<ContentBlock> {
    let kind = node.required("type")?.string()?;
    Ok(match kind {
        "text" => {
            let Some(text) = text(&node.required("text")?)? else {
                return Err(DialectError::Rule("messages: text content blocks must be non-empty".to_owned()));
            };
            match node.get("citations")?.map(|c| citations::read(&c)).transpose()?.unwrap_or_default() {
                none if none.is_empty() => ContentBlock::Text(text),
                citations => ContentBlock::CitationsContent(CitationsContentBlock {
                    content: Some(vec![CitationGeneratedContent::Text(text)]),
                    citations: Some(citations),
                }),
            }
        }
        "image" => ContentBlock::Image(image(node)?),
        "document" => ContentBlock::Document(document(node)?),
        "search_result" => ContentBlock::SearchResult(search_result(node)?),
        "thinking" => {
            let text = node.required("thinking")?.string()?.to_owned();
            let signature = node.get("signature")?.map(|s| s.string()).transpose()?;
            let signature = signature.filter(|s| !s.is_empty()).map(str::to_owned);
            let block = ReasoningContentBlock::ReasoningText(ReasoningTextBlock { text, signature });
            ContentBlock::ReasoningContent(block)
        }
        "redacted_thinking" => {
            ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(blob(&node.required("data")?)?))
        }
        "tool_use" | "server_tool_use" => ContentBlock::ToolUse(ToolUseBlock {
            tool_use_id: node.required("id")?.text(1, 64)?.to_owned(),
            name: node.required("name")?.string()?.to_owned(),
            input: {
                let input = node.required("input")?;
                input.object()?;
                input.value.clone()
            },
            r#type: (kind == "server_tool_use").then_some(ToolUseType::ServerToolUse),
        }),
        "tool_result" => ContentBlock::ToolResult(tool_result(node)?),
        other => {
            return Err(DialectError::Rule(format!(
                "{}: Input tag '{other}' found using 'type' does not match any of the expected tags: {TAGS}",
                node.dotted()
            )));
        }
    })
}

fn tool_result(node: &Node) -> Result<ToolResultBlock> {
    let mut content = Vec::new();
    if let Some(given) = node.get("content")? {
        if let Some(text) = given.value.as_str() {
            content.push(ToolResultContentBlock::Text(text.to_owned()));
        } else {
            for part in given.array()? {
                content.push(match part.required("type")?.string()? {
                    "text" => ToolResultContentBlock::Text(part.required("text")?.string()?.to_owned()),
                    "image" => ToolResultContentBlock::Image(image(&part)?),
                    "document" => ToolResultContentBlock::Document(document(&part)?),
                    "search_result" => ToolResultContentBlock::SearchResult(search_result(&part)?),
                    other => {
                        return Err(DialectError::Rule(format!(
                            "{}: Input tag '{other}' found using 'type' does not match any of the expected tags: \
                             'text', 'image', 'document', 'search_result'",
                            part.dotted()
                        )));
                    }
                });
            }
        }
    }
    // Absent is not the same as false: only some families know the member.
    let status = match node.get("is_error")?.map(|e| e.boolean()).transpose()? {
        Some(true) => Some(ToolResultStatus::Error),
        Some(false) => Some(ToolResultStatus::Success),
        None => None,
    };
    let tool_use_id = node.required("tool_use_id")?.text(1, 64)?.to_owned();
    Ok(ToolResultBlock { tool_use_id, content, status, r#type: None })
}

fn image(node: &Node) -> Result<ImageBlock> {
    let source = node.required("source")?;
    source.required("type")?.one_of(&["base64"])?;
    let types = ["image/png", "image/jpeg", "image/gif", "image/webp"];
    let format = source.required("media_type")?.one_of(&types)?.trim_start_matches("image/").into();
    let bytes = blob(&source.required("data")?)?;
    Ok(ImageBlock { format, source: ImageSource::Bytes(bytes), error: None })
}

fn document(node: &Node) -> Result<DocumentBlock> {
    let source = node.required("source")?;
    let (format, source) = match source.required("type")?.one_of(&["base64", "text", "content"])? {
        "base64" => {
            source.required("media_type")?.one_of(&["application/pdf"])?;
            (Some(DocumentFormat::Pdf), DocumentSource::Bytes(blob(&source.required("data")?)?))
        }
        "text" => (Some(DocumentFormat::Txt), DocumentSource::Text(source.required("data")?.string()?.to_owned())),
        _ => {
            let given = source.required("content")?;
            let mut parts = Vec::new();
            match given.value.as_str() {
                Some(text) => parts.push(DocumentContentBlock::Text(text.to_owned())),
                None => {
                    for part in given.array()? {
                        part.required("type")?.one_of(&["text"])?;
                        parts.push(DocumentContentBlock::Text(part.required("text")?.string()?.to_owned()));
                    }
                }
            }
            (None, DocumentSource::Content(parts))
        }
    };
    let title = node.get("title")?.map(|t| t.string()).transpose()?;
    Ok(DocumentBlock {
        format,
        name: converse::document_name(title.unwrap_or_default()),
        source,
        context: node.get("context")?.map(|c| c.string()).transpose()?.map(str::to_owned),
        citations: citations::config(node)?,
    })
}

fn search_result(node: &Node) -> Result<SearchResultBlock> {
    let mut content = Vec::new();
    for part in node.required("content")?.array()? {
        part.required("type")?.one_of(&["text"])?;
        content.push(SearchResultContentBlock { text: part.required("text")?.string()?.to_owned() });
    }
    Ok(SearchResultBlock {
        source: node.required("source")?.string()?.to_owned(),
        title: node.required("title")?.string()?.to_owned(),
        content,
        citations: citations::config(node)?,
    })
}

fn blob(node: &Node) -> Result<Bytes> {
    STANDARD.decode(node.string()?).map(Bytes::from).map_err(|_| node.refuse("is not valid base64"))
}

/// The checkpoint that stands after `node`, where it asks for one.
pub(super) fn checkpoint(node: &Node) -> Result<Option<CachePointBlock>> {
    let Some(cache) = node.get("cache_control")? else { return Ok(None) };
    cache.required("type")?.one_of(&["ephemeral"])?;
    let ttl = cache.get("ttl")?.map(|t| t.one_of(CacheTTL::VALUES)).transpose()?.map(CacheTTL::from);
    Ok(Some(CachePointBlock { r#type: CachePointType::Default, ttl }))
}
