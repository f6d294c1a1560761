//! What every answer in Converse shapes shares: events folded into an answer, and the fields of a provider that a
//! caller asked to see.

mod fold;
mod pointers;
#[cfg(test)]
mod tests;
mod unfold;

pub(crate) use fold::arguments;
pub use fold::{Fold, Incomplete, citation, no_arguments, tool_input};
pub use pointers::{check_paths, prune};
pub(crate) use unfold::cite;
pub use unfold::unfold;

use std::borrow::Cow;

use outcrop_api::bedrock_runtime::{
    CitationGeneratedContent, ContentBlock, ContentBlockDelta, ConverseOutput, ConverseResponse, ConverseStreamOutput,
    DocumentBlock, DocumentContentBlock, DocumentFormat, DocumentSource, GuardrailConverseContentBlock,
    JsonSchemaDefinition, OutputConfig, OutputFormat, OutputFormatStructure, OutputFormatType, TokenUsage,
};
use serde_json::Value;

/// The stop sequence that ended an answer. Providers put it into `additionalModelResponseFields`.
pub fn stop_sequence(fields: Option<&Value>) -> Option<&str> {
    fields?.get("stop_sequence")?.as_str()
}

/// The text that an event adds to the answer.
pub fn text_delta(event: &ConverseStreamOutput) -> Option<&str> {
    let ConverseStreamOutput::ContentBlockDelta(event) = event else { return None };
    let ContentBlockDelta::Text(text) = &event.delta else { return None };
    (!text.is_empty()).then_some(text)
}

/// Everything that was read, the cache included: for formats that have one count.
pub fn prompt_tokens(usage: &TokenUsage) -> i32 {
    let cached = [usage.cache_read_input_tokens, usage.cache_write_input_tokens];
    cached.into_iter().flatten().fold(usage.input_tokens, i32::saturating_add)
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

/// A document that is text, between tags that name it, so that what it says is told from what the user says.
pub fn paper(document: &DocumentBlock) -> Option<String> {
    use DocumentFormat as Format;
    let text: Cow<'_, str> = match &document.source {
        DocumentSource::Text(text) => text.into(),
        DocumentSource::Content(blocks) => {
            let texts = blocks.iter().filter_map(|block| match block {
                DocumentContentBlock::Text(text) => Some(text.as_str()),
                DocumentContentBlock::Unset => None,
            });
            texts.collect::<Vec<_>>().join("\n").into()
        }
        DocumentSource::Bytes(bytes)
            if matches!(document.format, None | Some(Format::Txt | Format::Md | Format::Csv | Format::Html)) =>
        {
            std::str::from_utf8(bytes).ok()?.into()
        }
        _ => return None,
    };
    let context = document.context.as_deref().map(|context| format!("{context}\n")).unwrap_or_default();
    Some(format!("<document name={:?}>\n{context}{text}\n</document>", document.name))
}

/// Converse requires a name and allows few characters in it; a title may be anything.
pub(crate) fn document_name(title: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-()[]".contains(c);
    let plain: String = title.chars().map(|c| if allowed(c) { c } else { ' ' }).collect();
    let name: String = plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
    if name.trim().is_empty() { "Document".to_owned() } else { name.trim().to_owned() }
}

/// The place in Converse of a schema that the answer must satisfy.
pub(crate) fn schema(schema: &Value, name: Option<String>, description: Option<String>) -> OutputConfig {
    let definition = JsonSchemaDefinition { schema: schema.to_string(), name, description };
    OutputConfig {
        text_format: Some(OutputFormat {
            r#type: OutputFormatType::JsonSchema,
            structure: OutputFormatStructure::JsonSchema(definition),
        }),
        ..OutputConfig::default()
    }
}
