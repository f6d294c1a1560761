//! Items, read as turns.

use crate::DialectError;
use crate::body::Node;
use crate::openai::{arguments, data_image, file_data};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outcrop_api::bedrock_runtime::*;
use serde_json::Value;

type Result<T> = std::result::Result<T, DialectError>;
type Read = (Vec<SystemContentBlock>, Vec<Message>);

/// The conversation of earlier items and new ones.
pub(super) fn read(earlier: &[Value], new: &[Value]) -> Result<Read> {
    let mut out = (Vec::new(), Vec::new());
    for item in earlier.iter().chain(new) {
        add(&Node::root(item), &mut out)?;
    }
    Ok(out)
}

/// Refuses items that cannot be read, by their place in the body.
pub(super) fn check(input: &Node) -> Result<()> {
    if input.value.is_string() {
        return input.text(1, usize::MAX).map(drop);
    }
    let mut out = (Vec::new(), Vec::new());
    for item in input.items(1, usize::MAX)? {
        add(&item, &mut out)?;
    }
    Ok(())
}

fn add(item: &Node, (system, messages): &mut Read) -> Result<()> {
    use ConversationRole::{Assistant, User};
    let kind = item.get("type")?.map(|t| t.string()).transpose()?.unwrap_or("message");
    match kind {
        "message" => {
            item.only(&["type", "role", "content", "id", "status", "phase"])?;
            let content = item.required("content")?;
            match item.required("role")?.one_of(&["user", "assistant", "system", "developer"])? {
                "user" => say(messages, User, parts(&content)?),
                "assistant" => say(messages, Assistant, said(&content)?),
                _ => {
                    let texts = said(&content)?;
                    if messages.is_empty() {
                        for block in texts {
                            if let ContentBlock::Text(text) = block {
                                system.push(SystemContentBlock::Text(text));
                            }
                        }
                    } else if !texts.is_empty() {
                        messages.push(Message { role: ConversationRole::System, content: texts });
                    }
                }
            }
        }
        "function_call" => {
            item.only(&["type", "id", "call_id", "name", "arguments", "status"])?;
            let call = ToolUseBlock {
                tool_use_id: item.required("call_id")?.text(1, 64)?.to_owned(),
                name: item.required("name")?.text(1, 64)?.to_owned(),
                input: arguments(&item.required("arguments")?)?,
                r#type: None,
            };
            say(messages, Assistant, vec![ContentBlock::ToolUse(call)]);
        }
        "function_call_output" => {
            item.only(&["type", "id", "call_id", "output", "status"])?;
            let result = ToolResultBlock {
                tool_use_id: item.required("call_id")?.text(1, 64)?.to_owned(),
                content: result(&item.required("output")?)?,
                status: None,
                r#type: None,
            };
            say(messages, User, vec![ContentBlock::ToolResult(result)]);
        }
        "reasoning" => {
            item.only(&["type", "id", "summary", "content", "encrypted_content", "status"])?;
            say(messages, Assistant, reasoning(item)?.into_iter().collect());
        }
        "item_reference" => {
            return Err(item.refuse("items are not kept by themselves, send the item or use previous_response_id"));
        }
        other => return Err(item.refuse(format_args!("items of the type {other} are not spoken"))),
    }
    Ok(())
}

/// Items of one side that follow each other are one turn.
fn say(messages: &mut Vec<Message>, role: ConversationRole, content: Vec<ContentBlock>) {
    match messages.last_mut() {
        _ if content.is_empty() => {}
        Some(last) if last.role == role => last.content.extend(content),
        _ => messages.push(Message { role, content }),
    }
}

/// What a user says.
fn parts(content: &Node) -> Result<Vec<ContentBlock>> {
    if let Some(text) = content.value.as_str() {
        return Ok(vec![ContentBlock::Text(text.to_owned())]);
    }
    content.items(1, usize::MAX)?.iter().map(part).collect()
}

fn part(part: &Node) -> Result<ContentBlock> {
    Ok(match part.required("type")?.one_of(&["input_text", "input_image", "input_file"])? {
        "input_text" => {
            part.only(&["type", "text"])?;
            ContentBlock::Text(part.required("text")?.string()?.to_owned())
        }
        "input_image" => ContentBlock::Image(image(part)?),
        _ => {
            part.only(&["type", "filename", "file_data", "file_id"])?;
            ContentBlock::Document(file_data(part)?)
        }
    })
}

fn image(part: &Node) -> Result<ImageBlock> {
    part.only(&["type", "image_url", "detail", "file_id"])?;
    if let Some(id) = part.get("file_id")? {
        return Err(id.refuse("files are not kept here, send image_url as a data URL"));
    }
    if let Some(detail) = part.get("detail")?
        && detail.string()? != "auto"
    {
        return Err(detail.refuse("an image is read as it is, leave detail out or set it to auto"));
    }
    data_image(&part.required("image_url")?)
}

/// What the model or whoever instructs it says: text only. Empty texts are none.
fn said(content: &Node) -> Result<Vec<ContentBlock>> {
    let mut texts = Vec::new();
    if let Some(text) = content.value.as_str() {
        texts.push(text);
    } else {
        for part in content.array()? {
            let kind = part.required("type")?.one_of(&["output_text", "input_text", "text", "refusal"])?;
            part.only(&["type", "text", "refusal", "annotations", "logprobs"])?;
            let key = if kind == "refusal" { kind } else { "text" };
            texts.push(part.required(key)?.string()?);
        }
    }
    Ok(texts.into_iter().filter(|t| !t.is_empty()).map(|t| ContentBlock::Text(t.to_owned())).collect())
}

fn result(output: &Node) -> Result<Vec<ToolResultContentBlock>> {
    if let Some(text) = output.value.as_str() {
        return Ok(vec![ToolResultContentBlock::Text(text.to_owned())]);
    }
    let mut out = Vec::new();
    for node in output.array()? {
        out.push(match part(&node)? {
            ContentBlock::Image(image) => ToolResultContentBlock::Image(image),
            ContentBlock::Document(document) => ToolResultContentBlock::Document(document),
            ContentBlock::Text(text) => ToolResultContentBlock::Text(text),
            _ => continue,
        });
    }
    Ok(out)
}

/// Content first; a summary alone comes from elsewhere. What is encrypted without content is redacted reasoning.
fn reasoning(item: &Node) -> Result<Option<ContentBlock>> {
    let mut text = String::new();
    for (key, kind) in [("content", "reasoning_text"), ("summary", "summary_text")] {
        if !text.is_empty() {
            break;
        }
        for part in item.get(key)?.map(|c| c.array()).transpose()?.unwrap_or_default() {
            part.required("type")?.one_of(&[kind])?;
            text.push_str(part.required("text")?.string()?);
        }
    }
    let sealed = item.get("encrypted_content")?;
    let block = match (text.is_empty(), sealed) {
        (true, None) => return Ok(None),
        (true, Some(sealed)) => {
            let bytes = STANDARD.decode(sealed.string()?);
            let bytes = bytes.map_err(|_| sealed.refuse("was not written by this server"))?;
            ReasoningContentBlock::RedactedContent(bytes.into())
        }
        (false, sealed) => {
            let signature = sealed.map(|s| s.string()).transpose()?.map(str::to_owned);
            ReasoningContentBlock::ReasoningText(ReasoningTextBlock { text, signature })
        }
    };
    Ok(Some(ContentBlock::ReasoningContent(block)))
}
