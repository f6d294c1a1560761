//! Pictures of Llama 3.2 and 4: `images` holds them, the prompt marks their places.

use crate::DialectError;
use crate::body::Node;
use crate::prompt::Prompt;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outcrop_api::bedrock_runtime::*;
use serde_json::Value;

/// The place of a picture in a prompt.
pub(super) const MARK: &str = "<|image|>";

/// Puts the pictures where the texts of the user have their marks.
pub(super) fn place<'a>(images: &Node, messages: impl Iterator<Item = &'a mut Message>) -> Result<(), DialectError> {
    let mut given = images.items(0, 20)?.into_iter();
    let total = given.len();
    if total == 0 {
        return Ok(());
    }
    let mut marks = 0;
    for message in messages.filter(|message| message.role == ConversationRole::User) {
        let [ContentBlock::Text(text)] = message.content.as_slice() else { continue };
        let mut content = Vec::new();
        for (i, part) in text.split(MARK).enumerate() {
            if i > 0 {
                marks += 1;
                content.extend(given.next().map(|node| picture(&node)).transpose()?.map(ContentBlock::Image));
            }
            if !part.trim().is_empty() {
                content.push(ContentBlock::Text(part.to_owned()));
            }
        }
        message.content = content;
    }
    if marks != total {
        return Err(images.refuse(format_args!(
            "expected as many images as there are {MARK} in the prompt: {marks}, found: {total}"
        )));
    }
    Ok(())
}

fn picture(node: &Node) -> Result<ImageBlock, DialectError> {
    let bytes = STANDARD.decode(node.string()?).map_err(|_| node.refuse("is not valid base64"))?;
    let format = match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => ImageFormat::Png,
        [0xff, 0xd8, 0xff, ..] => ImageFormat::Jpeg,
        [b'G', b'I', b'F', b'8', ..] => ImageFormat::Gif,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ImageFormat::Webp,
        _ => return Err(node.refuse("is not a PNG, JPEG, GIF or WebP image")),
    };
    Ok(ImageBlock { format, source: ImageSource::Bytes(Bytes::from(bytes)), error: None })
}

/// A block as the prompt has it.
pub(super) fn write(_: &str, assistant: bool, block: &ContentBlock) -> Result<Option<String>, DialectError> {
    Ok(match block {
        ContentBlock::Text(text) => Some(text.clone()),
        ContentBlock::Image(ImageBlock { source: ImageSource::Bytes(_), .. }) if !assistant => Some(MARK.to_owned()),
        _ => None,
    })
}

/// `images` of a request that `prompt` tells.
pub(super) fn list(request: &ConverseRequest, prompt: &Prompt) -> Result<Option<Vec<Value>>, DialectError> {
    let blocks = request.messages.iter().flatten().flat_map(|message| &message.content);
    let pictures = blocks.filter_map(|block| match block {
        ContentBlock::Image(ImageBlock { source: ImageSource::Bytes(bytes), .. }) => {
            Some(STANDARD.encode(bytes).into())
        }
        _ => None,
    });
    let all: Vec<Value> = pictures.collect();
    let said = prompt.turns.iter().filter(|turn| !turn.assistant);
    let marks: usize = said.map(|turn| turn.text.matches(MARK).count()).sum();
    match all.len() {
        0 => Ok(None),
        n if n == marks => Ok(Some(all)),
        _ => Err(DialectError::Rule(format!("A text of the conversation holds {MARK}. Remove it and try again."))),
    }
}
