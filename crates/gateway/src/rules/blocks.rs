//! One message by itself.

use super::{Check, Family, Modality, refuse};
use outcrop_api::bedrock_runtime::{
    ContentBlock, ConversationRole, DocumentBlock, GuardrailConverseContentBlock, Message, ToolResultContentBlock,
};

pub(super) fn check(i: usize, message: &Message, family: &Family) -> Check {
    if message.content.is_empty() {
        return refuse(format!(
            "The content field in the Message object at messages.{i} is empty. Add a ContentBlock object to the \
             content field and try again."
        ));
    }
    for (j, block) in message.content.iter().enumerate() {
        one(&format!("messages.{i}.content.{j}"), block, message, family)?;
    }
    let has = |wanted: fn(&ContentBlock) -> bool| message.content.iter().any(wanted);
    if has(|b| matches!(b, ContentBlock::Document(_))) && !has(|b| matches!(b, ContentBlock::Text(_))) {
        return refuse("A text block must be included when using documents. Add a text block and retry your request.");
    }
    Ok(())
}

fn one(at: &str, block: &ContentBlock, message: &Message, family: &Family) -> Check {
    match block {
        ContentBlock::Text(text) if text.trim().is_empty() => refuse(format!(
            "The text field in the ContentBlock object at {at} is blank. Add text to the text field, and try again."
        )),
        ContentBlock::GuardContent(GuardrailConverseContentBlock::Text(guarded)) if guarded.text.trim().is_empty() => {
            refuse(format!("The guard content field in the ContentBlock object at {at} is blank"))
        }
        ContentBlock::GuardContent(GuardrailConverseContentBlock::Image(_)) => readable(at, Modality::Image, family),
        ContentBlock::Image(_) => {
            from_user(at, Modality::Image, message)?;
            readable(at, Modality::Image, family)
        }
        ContentBlock::Document(document) => {
            from_user(at, Modality::Document, message)?;
            paper(at, document, family)
        }
        ContentBlock::Video(_) => readable(at, Modality::Video, family),
        ContentBlock::Audio(_) => readable(at, Modality::Audio, family),
        // Some clients send the arguments as the text that they were streamed as.
        ContentBlock::ToolUse(tool) if !tool.input.is_object() => not_an_object(&format!("{at}.toolUse.input")),
        ContentBlock::ToolResult(result) => {
            for (k, part) in result.content.iter().enumerate() {
                let at = format!("{at}.toolResult.content.{k}");
                match part {
                    ToolResultContentBlock::Json(value) if !value.is_object() => not_an_object(&format!("{at}.json"))?,
                    ToolResultContentBlock::Image(_) => readable(&at, Modality::Image, family)?,
                    ToolResultContentBlock::Document(document) => paper(&at, document, family)?,
                    ToolResultContentBlock::Video(_) => readable(&at, Modality::Video, family)?,
                    _ => {}
                }
            }
            Ok(())
        }
        ContentBlock::Unset => refuse(format!(
            "ContentBlock object at {at} must set one of the following keys: text, image, toolUse, toolResult, \
             document, video, cachePoint, reasoningContent, citationsContent, searchResult."
        )),
        _ => Ok(()),
    }
}

fn not_an_object(at: &str) -> Check {
    refuse(format!("The format of the value at {at} is invalid. Provide a json object for the field and try again."))
}

fn from_user(at: &str, modality: Modality, message: &Message) -> Check {
    if message.role == ConversationRole::User {
        return Ok(());
    }
    let name = modality.name();
    refuse(format!(
        "The {name} content block at {at} is in a message that is not the user's. Move the {name} to a user message \
         and try again."
    ))
}

fn paper(at: &str, document: &DocumentBlock, family: &Family) -> Check {
    readable(at, Modality::Document, family)?;
    if !proper_name(&document.name) {
        return refuse(
            "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, \
             parentheses, and square brackets. The name can't contain more than one consecutive whitespace character. \
             Check that the file name conforms to these restrictions and retry your request.",
        );
    }
    Ok(())
}

fn proper_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || "-()[]".contains(c);
    let mut after_space = false;
    name.chars().all(|c| {
        let twice = after_space && c.is_whitespace();
        after_space = c.is_whitespace();
        allowed(c) && !twice
    })
}

/// A block that the model cannot read is never left out: the caller would take the answer for one that knew it.
fn readable(at: &str, modality: Modality, family: &Family) -> Check {
    if family.reads.contains(&modality) {
        return Ok(());
    }
    refuse(format!(
        "This model doesn't support the {} content block that you provided. Update the content block and try again. \
         (The block at {at}, the model {}.)",
        modality.name(),
        family.name
    ))
}
