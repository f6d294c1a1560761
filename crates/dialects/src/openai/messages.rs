//! The messages of a request, read.

use super::beside;
use super::format::{Format, Reasoning};
use crate::DialectError;
use crate::body::{Node, parse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outcrop_api::bedrock_runtime::*;
use serde_json::Value;

type Result<T> = std::result::Result<T, DialectError>;

pub(super) const OPEN: &str = "<reasoning>";
pub(super) const CLOSE: &str = "</reasoning>";

/// Instructions before the first turn are the system prompt; later ones keep their place as messages.
pub(super) fn read(format: &Format, list: &Node) -> Result<(Vec<SystemContentBlock>, Vec<Message>)> {
    let mut system = Vec::new();
    let mut messages: Vec<Message> = Vec::new();
    for item in list.items(1, usize::MAX)? {
        match item.required("role")?.one_of(format.roles)? {
            "system" | "developer" => {
                item.only(&["role", "content"])?;
                // Many clients send empty instructions, which are none.
                let texts = texts(&item.required("content")?)?.into_iter().filter(|t| !t.is_empty());
                if messages.is_empty() {
                    system.extend(texts.map(SystemContentBlock::Text));
                    continue;
                }
                let content: Vec<ContentBlock> = texts.map(ContentBlock::Text).collect();
                if !content.is_empty() {
                    messages.push(Message { role: ConversationRole::System, content });
                }
            }
            "user" => {
                item.only(&["role", "content"])?;
                let content = user(format, &item.required("content")?)?;
                say(format, &mut messages, content);
            }
            "assistant" => {
                let content = assistant(format, &item)?;
                match messages.last_mut() {
                    Some(last) if format.joins && last.role == ConversationRole::Assistant => {
                        last.content.extend(content);
                    }
                    _ => messages.push(Message { role: ConversationRole::Assistant, content }),
                }
            }
            _ => {
                let result = tool_result(&item)?;
                say(format, &mut messages, vec![ContentBlock::ToolResult(result)]);
            }
        }
    }
    Ok((system, messages))
}

/// Converse wants all results of one turn in one message, and what the user says to them stands behind them.
fn say(format: &Format, messages: &mut Vec<Message>, content: Vec<ContentBlock>) {
    let result = |block: &ContentBlock| matches!(block, ContentBlock::ToolResult(_));
    match messages.last_mut() {
        Some(last) if last.role == ConversationRole::User && (format.joins || last.content.iter().all(result)) => {
            last.content.extend(content);
        }
        _ => messages.push(Message { role: ConversationRole::User, content }),
    }
}

/// A string, or a list of text parts.
fn texts(content: &Node) -> Result<Vec<String>> {
    if let Some(text) = content.value.as_str() {
        return Ok(vec![text.to_owned()]);
    }
    let mut out = Vec::new();
    for part in content.items(1, usize::MAX)? {
        part.required("type")?.one_of(&["text"])?;
        part.only(&["type", "text"])?;
        out.push(part.required("text")?.string()?.to_owned());
    }
    Ok(out)
}

fn user(format: &Format, content: &Node) -> Result<Vec<ContentBlock>> {
    if let Some(text) = content.value.as_str() {
        return Ok(vec![ContentBlock::Text(text.to_owned())]);
    }
    if format.text_objects && content.value.is_object() {
        content.only(&["text"])?;
        return Ok(vec![ContentBlock::Text(content.required("text")?.string()?.to_owned())]);
    }
    let kinds: &[&str] = match (format.media, format.files) {
        (true, true) => &["text", "image_url", "input_audio", "file"],
        (true, false) => &["text", "image_url", "input_audio"],
        _ => &["text"],
    };
    let mut out = Vec::new();
    for part in content.items(1, usize::MAX)? {
        let kind = part.required("type")?.one_of(kinds)?;
        part.only(&["type", kind])?;
        let value = part.required(kind)?;
        out.push(match kind {
            "text" => ContentBlock::Text(value.string()?.to_owned()),
            "image_url" => ContentBlock::Image(image(&value)?),
            "file" => ContentBlock::Document(beside::document(&value)?),
            _ => {
                value.only(&["data", "format"])?;
                let format: AudioFormat = value.required("format")?.one_of(&["wav", "mp3"])?.into();
                let source = AudioSource::Bytes(blob(&value.required("data")?, None)?);
                ContentBlock::Audio(AudioBlock { format, source, error: None })
            }
        });
    }
    Ok(out)
}

fn image(value: &Node) -> Result<ImageBlock> {
    value.only(&["url", "detail"])?;
    if let Some(detail) = value.get("detail")?
        && detail.one_of(&["auto", "low", "high"])? != "auto"
    {
        return Err(detail.refuse("an image is read as it is, leave detail out or set it to auto"));
    }
    data_image(&value.required("url")?)
}

/// The image in a data URL.
pub(crate) fn data_image(url: &Node) -> Result<ImageBlock> {
    for (start, format) in [
        ("data:image/png;base64,", ImageFormat::Png),
        ("data:image/jpeg;base64,", ImageFormat::Jpeg),
        ("data:image/gif;base64,", ImageFormat::Gif),
        ("data:image/webp;base64,", ImageFormat::Webp),
    ] {
        if let Some(data) = url.string()?.strip_prefix(start) {
            let source = ImageSource::Bytes(blob(url, Some(data))?);
            return Ok(ImageBlock { format, source, error: None });
        }
    }
    Err(url.refuse("only data URLs of PNG, JPEG, GIF and WebP are read: data:image/png;base64,…"))
}

fn blob(node: &Node, data: Option<&str>) -> Result<Bytes> {
    let data = data.map_or_else(|| node.string(), Ok)?;
    STANDARD.decode(data).map(Bytes::from).map_err(|_| node.refuse("is not valid base64"))
}

fn assistant(format: &Format, item: &Node) -> Result<Vec<ContentBlock>> {
    // Clients send back the whole message of an answer, with the members that are null in it.
    let empty = ["annotations", "audio", "function_call"];
    let thoughts: &[&str] = if format.reasoning != Reasoning::None { &["reasoning_content", "reasoning"] } else { &[] };
    item.only(&[&["role", "content", "tool_calls", "refusal"], thoughts, &empty].concat())?;
    for key in empty {
        if let Some(node) = item.get(key)?
            && node.value.as_array().is_none_or(|list| !list.is_empty())
        {
            return Err(node.refuse("can't be sent back, leave it out"));
        }
    }
    let mut out = Vec::new();
    for key in thoughts {
        if let Some(thought) = item.get(key)? {
            let text = thought.string()?;
            if format.reasoning == Reasoning::Tagged && text.contains(CLOSE) {
                return Err(thought.refuse(format_args!("{CLOSE} ends reasoning and can't be part of it")));
            }
            out.push(reasoning(text));
            break;
        }
    }
    let calls = match item.get("tool_calls")? {
        Some(calls) => calls.array()?,
        None => Vec::new(),
    };
    for key in ["content", "refusal"] {
        let Some(content) = item.get(key)? else { continue };
        for text in texts(&content)? {
            let mut rest = text.as_str();
            while let Some((thought, after)) = thought(format, rest) {
                out.push(reasoning(thought));
                rest = after;
            }
            // Beside tool calls the text is mostly empty; after its reasoning it may be.
            let after_thought = matches!(out.last(), Some(ContentBlock::ReasoningContent(_)));
            if !(rest.trim().is_empty() && (after_thought || !calls.is_empty())) {
                out.push(ContentBlock::Text(rest.to_owned()));
            }
        }
    }
    for call in calls {
        out.push(ContentBlock::ToolUse(tool_call(&call)?));
    }
    if out.is_empty() {
        item.required("content")?;
    }
    Ok(out)
}

fn thought<'a>(format: &Format, text: &'a str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(OPEN).filter(|_| format.reasoning == Reasoning::Tagged)?.split_once(CLOSE)
}

fn reasoning(text: &str) -> ContentBlock {
    let text = ReasoningTextBlock { text: text.to_owned(), signature: None };
    ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(text))
}

fn tool_call(call: &Node) -> Result<ToolUseBlock> {
    call.only(&["id", "type", "index", "function"])?;
    if let Some(kind) = call.get("type")? {
        kind.one_of(&["function"])?;
    }
    let function = call.required("function")?;
    function.only(&["name", "arguments"])?;
    let input = arguments(&function.required("arguments")?)?;
    Ok(ToolUseBlock {
        tool_use_id: call.required("id")?.text(1, 64)?.to_owned(),
        name: function.required("name")?.text(1, 64)?.to_owned(),
        input,
        r#type: None,
    })
}

/// The input of a call, which travels as text.
pub(crate) fn arguments(node: &Node) -> Result<Value> {
    let text = node.string()?;
    let text = if text.trim().is_empty() { "{}" } else { text };
    match parse(text.as_bytes()) {
        Ok(input) if input.is_object() => Ok(input),
        _ => Err(node.refuse("is not the text of a JSON object")),
    }
}

fn tool_result(item: &Node) -> Result<ToolResultBlock> {
    item.only(&["role", "content", "tool_call_id"])?;
    let tool_use_id = item.required("tool_call_id")?.text(1, 64)?.to_owned();
    let content = texts(&item.required("content")?)?.into_iter().map(ToolResultContentBlock::Text).collect();
    Ok(ToolResultBlock { tool_use_id, content, status: None, r#type: None })
}
