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

/// The text that an event adds to the answer.
pub fn text_delta(event: &outcrop_api::bedrock_runtime::ConverseStreamOutput) -> Option<&str> {
    use outcrop_api::bedrock_runtime::{ContentBlockDelta, ConverseStreamOutput};
    let ConverseStreamOutput::ContentBlockDelta(event) = event else { return None };
    let ContentBlockDelta::Text(text) = &event.delta else { return None };
    (!text.is_empty()).then_some(text)
}

/// Everything that was read, the cache included: for formats that have one count.
pub fn prompt_tokens(usage: &outcrop_api::bedrock_runtime::TokenUsage) -> i32 {
    let cached = [usage.cache_read_input_tokens, usage.cache_write_input_tokens];
    cached.into_iter().flatten().fold(usage.input_tokens, i32::saturating_add)
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
