//! What every answer in Converse shapes shares: events folded into an answer, and the fields of a provider that a
//! caller asked to see.

mod fold;
mod pointers;
#[cfg(test)]
mod tests;

pub use fold::{Fold, Incomplete, citation, tool_input};
pub use pointers::{check_paths, prune};

use outcrop_api::bedrock_runtime::ConverseResponse;
use serde_json::Value;

/// The stop sequence that ended an answer. Providers put it into `additionalModelResponseFields`.
pub fn stop_sequence(fields: Option<&Value>) -> Option<&str> {
    fields?.get("stop_sequence")?.as_str()
}

/// The text blocks of an answer, joined.
pub fn text(answer: &ConverseResponse) -> String {
    use outcrop_api::bedrock_runtime::{CitationGeneratedContent, ContentBlock, ConverseOutput};
    let ConverseOutput::Message(message) = &answer.output else { return String::new() };
    let mut text = String::new();
    for block in &message.content {
        match block {
            ContentBlock::Text(t) => text.push_str(t),
            ContentBlock::CitationsContent(c) => {
                for part in c.content.iter().flatten() {
                    if let CitationGeneratedContent::Text(t) = part {
                        text.push_str(t);
                    }
                }
            }
            _ => {}
        }
    }
    text
}
