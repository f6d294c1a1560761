//! The tags by which InvokeModel's callers mark what is to be judged ("Apply tags to user input" of the user guide).

#[cfg(test)]
mod tests;

use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{
    ContentBlock, ConverseRequest, GuardrailConverseContentBlock, GuardrailConverseContentQualifier as Qualifier,
    GuardrailConverseTextBlock, SystemContentBlock,
};
use serde_json::Value;

use super::looked::{Mark, Segment};

/// The member of a body that belongs to guardrails and not to the model.
const CONFIG: &str = "amazon-bedrock-guardrailConfig";
/// What every tag begins with.
const TAG: &str = "amazon-bedrock-guardrails-";
/// The longest suffix.
const LONGEST: usize = 20;

/// What a body says of its guardrail.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The suffix of tags.
    pub suffix: Option<String>,
    /// Chunks do not wait for a judgement.
    pub asynchronous: bool,
}

impl Config {
    /// Puts the marks of tagged text into `request`, where Converse has them: for bodies that are read as Converse.
    pub fn mark(&self, request: &mut ConverseRequest) {
        let Some(tags) = self.suffix.as_deref().map(Tags::new) else { return };
        for message in request.messages.iter_mut().flatten() {
            let blocks = std::mem::take(&mut message.content);
            let split = |block| match block {
                ContentBlock::Text(text) => tags.blocks(text, ContentBlock::Text, ContentBlock::GuardContent),
                block => vec![block],
            };
            message.content = blocks.into_iter().flat_map(split).collect();
        }
        if let Some(system) = &mut request.system {
            let blocks = std::mem::take(system);
            let split = |block| match block {
                SystemContentBlock::Text(text) => {
                    tags.blocks(text, SystemContentBlock::Text, SystemContentBlock::GuardContent)
                }
                block => vec![block],
            };
            *system = blocks.into_iter().flat_map(split).collect();
        }
    }

    /// Takes the tags out of every text in `value`: what is kept of a call is what the model read.
    pub fn untag(&self, value: &mut Value) {
        if let Some(suffix) = &self.suffix {
            Tags::new(suffix).strip(value);
        }
    }
}

/// Takes the configuration out of `body`, where it has one.
pub fn take(body: &mut bytes::Bytes) -> Result<Option<Config>, Fault> {
    if memchr::memmem::find(body, CONFIG.as_bytes()).is_none() {
        return Ok(None);
    }
    // A body that is no JSON is refused by whoever reads it for the model.
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else { return Ok(None) };
    let Some(config) = members.shift_remove(CONFIG) else { return Ok(None) };
    *body = Value::Object(members).to_string().into();
    read(&config).map(Some)
}

fn read(config: &Value) -> Result<Config, Fault> {
    let refuse = |why: &str| Err(Fault::validation(format!("Malformed input request: {CONFIG}: {why}")));
    let Value::Object(members) = config else { return refuse("must be an object.") };
    let mut read = Config::default();
    for (name, value) in members {
        match (name.as_str(), value) {
            ("tagSuffix", Value::String(suffix)) => {
                let fits = (1..=LONGEST).contains(&suffix.len()) && suffix.bytes().all(|b| b.is_ascii_alphanumeric());
                if !fits {
                    return refuse("tagSuffix must be 1 to 20 letters and digits.");
                }
                read.suffix = Some(suffix.clone());
            }
            ("streamProcessingMode", Value::String(mode)) if mode.eq_ignore_ascii_case("SYNCHRONOUS") => {}
            ("streamProcessingMode", Value::String(mode)) if mode.eq_ignore_ascii_case("ASYNCHRONOUS") => {
                read.asynchronous = true;
            }
            ("streamProcessingMode", _) => return refuse("streamProcessingMode must be SYNCHRONOUS or ASYNCHRONOUS."),
            _ => return refuse("takes tagSuffix and streamProcessingMode, both strings."),
        }
    }
    Ok(read)
}

/// The tags with one suffix.
#[derive(Debug)]
pub(super) struct Tags([(String, String, Mark); 3]);

impl Tags {
    pub(super) fn new(suffix: &str) -> Self {
        let none = Mark::default();
        let kinds = [
            ("guardContent", Mark { guarded: true, ..none }),
            ("groundingSource", Mark { source: true, ..none }),
            ("query", Mark { query: true, ..none }),
        ];
        Self(kinds.map(|(kind, mark)| (format!("<{TAG}{kind}_{suffix}>"), format!("</{TAG}{kind}_{suffix}>"), mark)))
    }

    fn strip(&self, value: &mut Value) {
        match value {
            Value::String(text) if text.contains(TAG) => {
                for tag in self.0.iter().flat_map(|(open, close, _)| [open, close]) {
                    *text = text.replace(tag.as_str(), "");
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.strip(value)),
            Value::Object(members) => members.values_mut().for_each(|value| self.strip(value)),
            _ => {}
        }
    }

    /// The same as blocks: plain ones, and those that are marked.
    fn blocks<B>(
        &self,
        text: String,
        plain: fn(String) -> B,
        marked: fn(GuardrailConverseContentBlock) -> B,
    ) -> Vec<B> {
        let block = |Segment { text, mark }: Segment| {
            let marks = [
                (mark.guarded, Qualifier::GuardContent),
                (mark.source, Qualifier::GroundingSource),
                (mark.query, Qualifier::Query),
            ];
            let qualifiers: Vec<Qualifier> = marks.into_iter().filter(|(is, _)| *is).map(|(_, one)| one).collect();
            match qualifiers.is_empty() {
                true => plain(text),
                false => marked(GuardrailConverseContentBlock::Text(GuardrailConverseTextBlock {
                    text,
                    qualifiers: Some(qualifiers),
                })),
            }
        };
        let segments = self.split(&text);
        if segments.is_empty() { vec![plain(text)] } else { segments.into_iter().map(block).collect() }
    }

    /// `text` without its tags, cut where they stood. A tag that is not closed reaches to the end: what was to be
    /// judged is.
    pub(super) fn split(&self, text: &str) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut push = |text: &str, mark: Mark| {
            if !text.is_empty() {
                segments.push(Segment { text: text.to_owned(), mark });
            }
        };
        let mut rest = text;
        loop {
            let opens = self.0.iter().filter_map(|(open, close, mark)| Some((rest.find(open)?, open, close, *mark)));
            let Some((at, open, close, mark)) = opens.min_by_key(|(at, ..)| *at) else { break };
            push(rest.get(..at).unwrap_or_default(), Mark::default());
            let inside = rest.get(at + open.len()..).unwrap_or_default();
            match inside.split_once(close.as_str()) {
                Some((tagged, behind)) => {
                    push(tagged, mark);
                    rest = behind;
                }
                None => {
                    push(inside, mark);
                    rest = "";
                }
            }
        }
        push(rest, Mark::default());
        segments
    }
}
