//! Content blocks, each with the checkpoint that follows it.

use std::borrow::Cow;

use outcrop_api::bedrock_runtime::*;
use serde_json::Value;

use super::request::Body;
use crate::DialectError;
use crate::anthropic::citations;
use crate::converse::{no_arguments, plain, tool_input};
use crate::request::{no_block, no_place};

type Result<T> = std::result::Result<T, DialectError>;

/// A block that is written.
pub(super) struct Part<'a> {
    pub(super) block: Cow<'a, ContentBlock>,
    pub(super) at: String,
    point: Option<CachePointBlock>,
}

/// What of `content` is written. A checkpoint belongs to the last block before it that can carry one.
pub(super) fn parts<'a>(at: &str, content: impl Iterator<Item = Cow<'a, ContentBlock>>) -> Result<Vec<Part<'a>>> {
    let mut out: Vec<Part<'a>> = Vec::new();
    for (i, block) in content.enumerate() {
        let at = format!("{at}.{i}");
        if let ContentBlock::CachePoint(point) = &*block {
            let carries = |part: &&mut Part<'_>| !matches!(*part.block, ContentBlock::ReasoningContent(_));
            let before = out.iter_mut().rev().find(carries).ok_or_else(|| no_block(&at, &*block))?;
            before.point.get_or_insert_with(|| point.clone());
        } else if says_something(&block) {
            out.push(Part { block, at, point: None });
        }
    }
    Ok(out)
}

fn says_something(block: &ContentBlock) -> bool {
    match block {
        ContentBlock::Text(_)
        | ContentBlock::CitationsContent(_)
        | ContentBlock::GuardContent(GuardrailConverseContentBlock::Text(_)) => {
            plain(block).is_some_and(|text| !text.trim().is_empty())
        }
        ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(thought)) => {
            thought.signature.as_ref().is_some_and(|s| !s.is_empty())
        }
        _ => true,
    }
}

impl Body {
    /// One block. `begun` is the end of an answer that the model goes on with.
    pub(super) fn part(&mut self, part: &Part<'_>, begun: bool) -> Result<()> {
        let block = &*part.block;
        let at = &part.at;
        self.out.begin_object();
        match block {
            ContentBlock::Text(text) => {
                self.text("type", "text");
                self.text("text", if begun { text.trim_end() } else { text });
            }
            ContentBlock::GuardContent(GuardrailConverseContentBlock::Text(guarded)) => {
                self.text("type", "text");
                self.text("text", &guarded.text);
            }
            ContentBlock::GuardContent(GuardrailConverseContentBlock::Image(image)) => {
                let GuardrailConverseImageSource::Bytes(bytes) = &image.source else {
                    return Err(no_block(at, block));
                };
                self.picture(image.format.as_str(), bytes);
            }
            ContentBlock::CitationsContent(cited) => {
                self.text("type", "text");
                self.text("text", &plain(block).unwrap_or_default());
                self.citations(cited);
            }
            ContentBlock::Image(image) => self.image(image).ok_or_else(|| no_block(at, block))?,
            ContentBlock::Document(document) => self.document(document, at)?,
            ContentBlock::SearchResult(found) => self.search_result(found),
            ContentBlock::ToolUse(tool) => self.tool_use(tool, at)?,
            ContentBlock::ToolResult(result) => self.tool_result(result, at)?,
            ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(thought)) => {
                self.text("type", "thinking");
                self.text("thinking", &thought.text);
                self.text("signature", thought.signature.as_deref().unwrap_or_default());
            }
            ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(data)) => {
                self.text("type", "redacted_thinking");
                self.out.key("data");
                self.out.blob(data);
            }
            other => return Err(no_block(at, other)),
        }
        if let Some(point) = &part.point {
            self.cache_control(point, at)?;
        }
        self.out.end_object();
        Ok(())
    }

    fn image(&mut self, image: &ImageBlock) -> Option<()> {
        let ImageSource::Bytes(bytes) = &image.source else { return None };
        self.picture(image.format.as_str(), bytes);
        Some(())
    }

    fn picture(&mut self, format: &str, bytes: &[u8]) {
        self.text("type", "image");
        self.out.key("source");
        self.out.begin_object();
        self.text("type", "base64");
        self.text("media_type", &format!("image/{format}"));
        self.out.key("data");
        self.out.blob(bytes);
        self.out.end_object();
    }

    /// Those of earlier answers. A page of the web is cited by an index that Converse has no place for, so such a
    /// citation cannot be told again; the text can.
    fn citations(&mut self, cited: &CitationsContentBlock) {
        let told =
            |c: &&Citation| !matches!(c.location, None | Some(CitationLocation::Unset | CitationLocation::Web(_)));
        let list: Vec<&Citation> = cited.citations.iter().flatten().filter(told).collect();
        if list.is_empty() {
            return;
        }
        self.out.key("citations");
        self.out.begin_array();
        for citation in list {
            self.out.document(&citations::write(citation));
        }
        self.out.end_array();
    }

    fn search_result(&mut self, found: &SearchResultBlock) {
        self.text("type", "search_result");
        self.text("source", &found.source);
        self.text("title", &found.title);
        self.out.key("content");
        self.out.begin_array();
        for part in &found.content {
            self.out.begin_object();
            self.text("type", "text");
            self.text("text", &part.text);
            self.out.end_object();
        }
        self.out.end_array();
        self.citing(found.citations.as_ref());
    }

    /// `citations: {enabled}` of a document or a search result.
    pub(super) fn citing(&mut self, config: Option<&CitationsConfig>) {
        if let Some(config) = config {
            self.out.key("citations");
            self.out.begin_object();
            self.out.key("enabled");
            self.out.boolean(config.enabled);
            self.out.end_object();
        }
    }

    fn tool_use(&mut self, tool: &ToolUseBlock, at: &str) -> Result<()> {
        let server = tool.r#type == Some(ToolUseType::ServerToolUse);
        self.text("type", if server { "server_tool_use" } else { "tool_use" });
        self.text("id", &tool_id(&tool.tool_use_id));
        self.text("name", &tool.name);
        self.out.key("input");
        match &tool.input {
            input @ Value::Object(_) => self.out.document(input),
            // Models that call without arguments say so in many ways.
            Value::Null => self.out.document(&no_arguments()),
            Value::String(text) => self.out.document(&tool_input(text).unwrap_or_else(no_arguments)),
            _ => return Err(no_place(format!("{at}.toolUse.input, which is no object"))),
        }
        Ok(())
    }

    fn tool_result(&mut self, result: &ToolResultBlock, at: &str) -> Result<()> {
        // The results of Anthropic's own tools are told as they came: one document under the tool's own name.
        if let (Some(kind), [ToolResultContentBlock::Json(content)]) = (&result.r#type, result.content.as_slice()) {
            self.text("type", kind);
            self.text("tool_use_id", &tool_id(&result.tool_use_id));
            self.out.key("content");
            self.out.document(content);
            return Ok(());
        }
        self.text("type", "tool_result");
        self.text("tool_use_id", &tool_id(&result.tool_use_id));
        self.out.key("content");
        self.out.begin_array();
        for (i, part) in result.content.iter().enumerate() {
            let at = format!("{at}.toolResult.content.{i}");
            if matches!(part, ToolResultContentBlock::Text(text) if text.trim().is_empty()) {
                continue;
            }
            self.out.begin_object();
            match part {
                ToolResultContentBlock::Text(text) => {
                    self.text("type", "text");
                    self.text("text", text);
                }
                ToolResultContentBlock::Json(value) => {
                    self.text("type", "text");
                    self.text("text", &value.to_string());
                }
                ToolResultContentBlock::Image(image) => self.image(image).ok_or_else(|| no_block(&at, part))?,
                ToolResultContentBlock::Document(document) => self.document(document, &at)?,
                ToolResultContentBlock::SearchResult(found) => self.search_result(found),
                other => return Err(no_block(&at, other)),
            }
            self.out.end_object();
        }
        self.out.end_array();
        if let Some(status) = &result.status {
            self.out.key("is_error");
            self.out.boolean(*status == ToolResultStatus::Error);
        }
        Ok(())
    }
}

/// Anthropic's ids have neither `.` nor `:`, which Converse allows and other models use.
fn tool_id(id: &str) -> Cow<'_, str> {
    if id.contains(['.', ':']) { id.replace('.', "_2e").replace(':', "_3a").into() } else { id.into() }
}
