//! What every answer in Converse shapes shares: events folded into an answer, and the fields of a provider that a
//! caller asked to see.

mod fold;
mod pointers;
#[cfg(test)]
mod tests;

pub use fold::{Fold, Incomplete, citation, tool_input};
pub use pointers::{check_paths, prune};

use std::borrow::Cow;

use outcrop_api::bedrock_runtime::{
    CitationGeneratedContent, ContentBlock, ConverseOutput, ConverseResponse, GuardrailConverseContentBlock,
};
use serde_json::Value;

/// The stop sequence that ended an answer. Providers put it into `additionalModelResponseFields`.
pub fn stop_sequence(fields: Option<&Value>) -> Option<&str> {
    fields?.get("stop_sequence")?.as_str()
}

/// The text blocks of an answer, joined.
pub fn text(answer: &ConverseResponse) -> String {
    let ConverseOutput::Message(message) = &answer.output else { return String::new() };
    message.content.iter().filter_map(plain).collect()
}

/// What a block says, where it says it in words.
pub fn plain(block: &ContentBlock) -> Option<Cow<'_, str>> {
    Some(match block {
        ContentBlock::Text(text) => text.into(),
        ContentBlock::GuardContent(GuardrailConverseContentBlock::Text(guarded)) => (&guarded.text).into(),
        ContentBlock::CitationsContent(cited) => {
            let mut text = String::new();
            for part in cited.content.iter().flatten() {
                if let CitationGeneratedContent::Text(part) = part {
                    text.push_str(part);
                }
            }
            text.into()
        }
        ContentBlock::SearchResult(found) => {
            let mut text = format!("{} ({})", found.title, found.source);
            for part in &found.content {
                text.push('\n');
                text.push_str(&part.text);
            }
            text.into()
        }
        _ => return None,
    })
}
