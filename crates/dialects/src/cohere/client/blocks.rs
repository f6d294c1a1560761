//! The conversation as messages and documents.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outcrop_api::bedrock_runtime::*;
use outcrop_wire::json::Writer;
use serde_json::Value;

use super::request::text;
use crate::DialectError;
use crate::converse::{no_arguments, plain, tool_input};
use crate::request::{no_block, no_place};

type Result<T> = std::result::Result<T, DialectError>;

/// What is said, and what it is said about.
#[derive(Default)]
pub(super) struct Conversation<'a> {
    pub(super) turns: Vec<Turn<'a>>,
    pub(super) documents: Vec<Source<'a>>,
    /// Citations are asked for.
    pub(super) cited: bool,
    found: usize,
}

/// One message.
pub(super) enum Turn<'a> {
    System(Vec<Part<'a>>),
    User(Vec<Part<'a>>),
    Assistant { parts: Vec<Part<'a>>, calls: Vec<&'a ToolUseBlock> },
    Tool { id: &'a str, text: String },
}

pub(super) enum Part<'a> {
    Text(Cow<'a, str>),
    Image(&'a str, &'a [u8]),
}

/// A document, under an id that says where it stood among its kind.
pub(super) struct Source<'a> {
    id: String,
    title: &'a str,
    url: Option<&'a str>,
    context: Option<&'a str>,
    text: String,
}

impl Source<'_> {
    pub(super) fn write(&self, out: &mut Writer) {
        out.begin_object();
        text(out, "id", &self.id);
        out.key("data");
        out.begin_object();
        text(out, "title", self.title);
        if let Some(url) = self.url {
            text(out, "url", url);
        }
        if let Some(context) = self.context {
            text(out, "context", context);
        }
        text(out, "text", &self.text);
        out.end_object();
        out.end_object();
    }
}

pub(super) fn conversation(request: &ConverseRequest) -> Result<Conversation<'_>> {
    let mut out = Conversation::default();
    for (i, block) in request.system.iter().flatten().enumerate() {
        match block {
            SystemContentBlock::Text(text) => out.say(Side::System, Part::Text(text.into())),
            SystemContentBlock::GuardContent(GuardrailConverseContentBlock::Text(guarded)) => {
                out.say(Side::System, Part::Text((&guarded.text).into()));
            }
            SystemContentBlock::CachePoint(_) => {}
            other => return Err(no_block(&format!("system.{i}"), other)),
        }
    }
    for (i, message) in request.messages.iter().flatten().enumerate() {
        let at = format!("messages.{i}.content");
        let side = match message.role {
            ConversationRole::Assistant => Side::Assistant,
            ConversationRole::System => Side::System,
            _ => Side::User,
        };
        out.message(&at, side, &message.content)?;
    }
    Ok(out)
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    System,
    User,
    Assistant,
}

impl<'a> Conversation<'a> {
    /// Results of tools come first: they answer the turn before. Their messages hold text alone, so that images of
    /// theirs are shown by the user.
    fn message(&mut self, at: &str, side: Side, content: &'a [ContentBlock]) -> Result<()> {
        let mut shown = Vec::new();
        for (i, block) in content.iter().enumerate() {
            if let ContentBlock::ToolResult(result) = block {
                self.result(&format!("{at}.{i}.toolResult"), result, &mut shown)?;
            }
        }
        shown.into_iter().for_each(|part| self.say(side, part));
        for (i, block) in content.iter().enumerate() {
            let at = format!("{at}.{i}");
            match block {
                ContentBlock::ToolResult(_) | ContentBlock::CachePoint(_) | ContentBlock::ReasoningContent(_) => {}
                ContentBlock::ToolUse(call) => self.call(call, &at)?,
                ContentBlock::Document(document) => {
                    let source = self.document(document, &at)?;
                    self.documents.push(source);
                }
                ContentBlock::SearchResult(found) => self.search_result(found),
                ContentBlock::Image(ImageBlock { format, source: ImageSource::Bytes(bytes), .. })
                    if side == Side::User =>
                {
                    self.say(side, Part::Image(format.as_str(), bytes));
                }
                other => {
                    let text = plain(other).ok_or_else(|| no_block(&at, other))?;
                    self.say(side, Part::Text(text));
                }
            }
        }
        Ok(())
    }

    /// Turns of one side in a row are one.
    fn say(&mut self, side: Side, part: Part<'a>) {
        if matches!(&part, Part::Text(text) if text.trim().is_empty()) {
            return;
        }
        match (self.turns.last_mut(), side) {
            (Some(Turn::System(parts)), Side::System)
            | (Some(Turn::User(parts)), Side::User)
            | (Some(Turn::Assistant { parts, .. }), Side::Assistant) => parts.push(part),
            (_, Side::System) => self.turns.push(Turn::System(vec![part])),
            (_, Side::User) => self.turns.push(Turn::User(vec![part])),
            (_, Side::Assistant) => self.turns.push(Turn::Assistant { parts: vec![part], calls: Vec::new() }),
        }
    }

    fn call(&mut self, call: &'a ToolUseBlock, at: &str) -> Result<()> {
        if call.r#type.is_some() {
            return Err(no_place(format!("{at}.toolUse.type")));
        }
        match self.turns.last_mut() {
            Some(Turn::Assistant { calls, .. }) => calls.push(call),
            _ => self.turns.push(Turn::Assistant { parts: Vec::new(), calls: vec![call] }),
        }
        Ok(())
    }

    fn result(&mut self, at: &str, result: &'a ToolResultBlock, shown: &mut Vec<Part<'a>>) -> Result<()> {
        let mut text = String::new();
        let mut line = |said: &str| {
            text.push_str(if text.is_empty() { "" } else { "\n" });
            text.push_str(said);
        };
        if result.status == Some(ToolResultStatus::Error) {
            // The format has no member for it, so the model is told in words, as by local templates.
            line("Error:");
        }
        for (i, part) in result.content.iter().enumerate() {
            let at = format!("{at}.content.{i}");
            match part {
                ToolResultContentBlock::Text(said) => line(said),
                ToolResultContentBlock::Json(value) => line(&value.to_string()),
                ToolResultContentBlock::SearchResult(found) => {
                    line(&format!("{} ({})", found.title, found.source));
                    found.content.iter().for_each(|part| line(&part.text));
                }
                ToolResultContentBlock::Document(document) => line(&words(document, &at)?),
                ToolResultContentBlock::Image(ImageBlock { format, source: ImageSource::Bytes(bytes), .. }) => {
                    line("What else this tool returned is shown in the next message.");
                    shown.push(Part::Text(format!("Returned by the tool call {}:", result.tool_use_id).into()));
                    shown.push(Part::Image(format.as_str(), bytes));
                }
                other => return Err(no_block(&at, other)),
            }
        }
        self.turns.push(Turn::Tool { id: &result.tool_use_id, text });
        Ok(())
    }

    fn document(&mut self, document: &'a DocumentBlock, at: &str) -> Result<Source<'a>> {
        self.cited |= document.citations.as_ref().is_some_and(|c| c.enabled);
        Ok(Source {
            id: format!("document-{}", self.documents.len() - self.found),
            title: &document.name,
            url: None,
            context: document.context.as_deref(),
            text: words(document, at)?,
        })
    }

    fn search_result(&mut self, found: &'a SearchResultBlock) {
        self.cited |= found.citations.as_ref().is_some_and(|c| c.enabled);
        let text: Vec<&str> = found.content.iter().map(|part| part.text.as_str()).collect();
        self.documents.push(Source {
            id: format!("search-{}", self.found),
            title: &found.title,
            url: Some(&found.source),
            context: None,
            text: text.join("\n"),
        });
        self.found += 1;
    }
}

/// The text of a document; other formats have no place here.
fn words(document: &DocumentBlock, at: &str) -> Result<String> {
    use DocumentFormat as Format;
    let format = document.format.as_ref();
    match &document.source {
        DocumentSource::Text(text) => Ok(text.clone()),
        DocumentSource::Content(parts) => {
            let texts = parts.iter().filter_map(|part| match part {
                DocumentContentBlock::Text(text) => Some(text.as_str()),
                DocumentContentBlock::Unset => None,
            });
            Ok(texts.collect::<Vec<_>>().join("\n"))
        }
        DocumentSource::Bytes(bytes)
            if matches!(format, None | Some(Format::Txt | Format::Md | Format::Csv | Format::Html)) =>
        {
            let text = std::str::from_utf8(bytes);
            Ok(text.map_err(|_| no_place(format!("{at}.document.source.bytes that is not UTF-8")))?.to_owned())
        }
        DocumentSource::S3Location(_) => Err(no_place(format!("{at}.document.source.s3Location"))),
        _ => Err(no_place(format!("a document of the format {} at {at}", format.map_or("", Format::as_str)))),
    }
}

impl Turn<'_> {
    pub(super) fn role(&self) -> &'static str {
        match self {
            Self::System(_) => "system",
            Self::User(_) => "user",
            Self::Assistant { .. } => "assistant",
            Self::Tool { .. } => "tool",
        }
    }

    pub(super) fn content(&self, out: &mut Writer) {
        match self {
            Self::System(parts) | Self::User(parts) => content(parts, out),
            Self::Tool { id, text: said } => {
                text(out, "tool_call_id", id);
                text(out, "content", said);
            }
            Self::Assistant { parts, calls } if calls.is_empty() => content(parts, out),
            Self::Assistant { parts, calls } => {
                // What is said before a call is its plan.
                if !parts.is_empty() {
                    text(out, "tool_plan", &joined(parts));
                }
                out.key("tool_calls");
                out.begin_array();
                for call in calls {
                    out.begin_object();
                    text(out, "id", &call.tool_use_id);
                    text(out, "type", "function");
                    out.key("function");
                    out.begin_object();
                    text(out, "name", &call.name);
                    let input = match &call.input {
                        input @ Value::Object(_) => input.to_string(),
                        Value::String(fragments) => tool_input(fragments).unwrap_or_else(no_arguments).to_string(),
                        _ => "{}".to_owned(),
                    };
                    text(out, "arguments", &input);
                    out.end_object();
                    out.end_object();
                }
                out.end_array();
            }
        }
    }
}

/// Text alone is one string, lines of their own.
fn content(parts: &[Part<'_>], out: &mut Writer) {
    if parts.iter().all(|part| matches!(part, Part::Text(_))) {
        return text(out, "content", &joined(parts));
    }
    out.key("content");
    out.begin_array();
    for part in parts {
        out.begin_object();
        match part {
            Part::Text(said) => {
                text(out, "type", "text");
                text(out, "text", said);
            }
            Part::Image(format, bytes) => {
                text(out, "type", "image_url");
                out.key("image_url");
                out.begin_object();
                let mut url = format!("data:image/{format};base64,");
                STANDARD.encode_string(bytes, &mut url);
                text(out, "url", &url);
                out.end_object();
            }
        }
        out.end_object();
    }
    out.end_array();
}

fn joined(parts: &[Part<'_>]) -> String {
    let mut out = String::new();
    for part in parts {
        if let Part::Text(text) = part {
            let _ = write!(out, "{}{text}", if out.is_empty() { "" } else { "\n" });
        }
    }
    out
}
