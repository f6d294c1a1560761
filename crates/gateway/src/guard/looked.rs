//! What of a request guardrails look at, by its place, and their masks put there.

use outcrop_api::bedrock_runtime::{
    ContentBlock, ConverseRequest, DocumentBlock, DocumentContentBlock, DocumentFormat, DocumentSource,
    GuardrailConverseContentBlock, GuardrailConverseContentQualifier, GuardrailConverseTextBlock, SystemContentBlock,
    ToolResultContentBlock,
};
use outcrop_guard::{Assessment, Mask, Role, mask};
use outcrop_guardrails::{Guarding, OwnedPassage, Selective};

use super::tags::Tags;

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    System,
    Messages,
}

/// What a caller says that a text is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// To be judged.
    pub guarded: bool,
    /// A grounding source.
    pub source: bool,
    /// The query.
    pub query: bool,
}

impl Mark {
    fn is_any(self) -> bool {
        self.guarded || self.source || self.query
    }
}

/// A stretch of text that is one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub text: String,
    pub mark: Mark,
}

/// The texts of a request, in the order in which they stand in it.
#[derive(Debug)]
pub(super) struct Looked {
    texts: Vec<(Part, Vec<Segment>)>,
    system: bool,
    messages: bool,
    any: bool,
}

/// The place of a passage: which text, which segment.
pub(super) type Place = (usize, usize);

impl Looked {
    /// The texts of `request`. Where the caller marks by `tags`, these are taken out of them.
    pub(super) fn at(request: &mut ConverseRequest, tags: Option<&Tags>) -> Self {
        let mut texts = Vec::new();
        each(request, &mut |part, mark, text| {
            let segments = match tags {
                Some(tags) => {
                    let segments = tags.split(text);
                    *text = segments.iter().map(|segment| segment.text.as_str()).collect();
                    segments
                }
                None => vec![Segment { text: text.clone(), mark }],
            };
            texts.push((part, segments));
        });
        let guards = |wanted: Part| {
            let mut segments = texts.iter().filter(|(part, _)| *part == wanted).flat_map(|(_, segments)| segments);
            segments.any(|segment| segment.mark.guarded)
        };
        let (system, messages) = (guards(Part::System), guards(Part::Messages));
        let any = texts.iter().flat_map(|(_, segments)| segments).any(|segment| segment.mark.is_any());
        Self { texts, system, messages, any }
    }

    /// Whether the caller marks what is to be judged.
    pub(super) fn marked(&self) -> bool {
        self.system || self.messages
    }

    /// What a guardrail gets, and where each passage is from. `selective` is that of an enforced one ("Include a
    /// guardrail with the Converse API" of the user guide for all others).
    pub(super) fn passages(&self, selective: Option<Selective>) -> (Vec<OwnedPassage>, Vec<Place>) {
        let everything = |part: Part| match (selective, part) {
            (Some(Selective { system: Guarding::Comprehensive, .. }), Part::System) => true,
            (Some(Selective { messages: Guarding::Comprehensive, .. }), Part::Messages) => true,
            // Nothing is marked: all messages. Sources and queries alone leave nothing to judge.
            (_, Part::Messages) => !self.messages && (self.system || !self.any),
            (_, Part::System) => false,
        };
        let (mut passages, mut places) = (Vec::new(), Vec::new());
        for (at, (part, segments)) in self.texts.iter().enumerate() {
            let everything = everything(*part);
            for (segment, Segment { text, mark }) in segments.iter().enumerate() {
                let judged = mark.guarded || everything;
                let roles = [
                    (judged, Role::Content),
                    (mark.source, Role::Source),
                    (mark.query, Role::Query),
                    (!judged && !mark.source && !mark.query, Role::Unguarded),
                ];
                for (_, role) in roles.into_iter().filter(|(is, _)| *is) {
                    passages.push(OwnedPassage { text: text.clone(), role });
                    places.push((at, segment));
                }
            }
        }
        (passages, places)
    }

    /// Sources and queries, for answers to be compared with.
    pub(super) fn beside(&self) -> Vec<(Role, String)> {
        let mut beside = Vec::new();
        for segment in self.texts.iter().flat_map(|(_, segments)| segments) {
            if segment.mark.source {
                beside.push((Role::Source, segment.text.clone()));
            }
            if segment.mark.query {
                beside.push((Role::Query, segment.text.clone()));
            }
        }
        beside
    }

    /// Puts the masks of all that was `said` into the request: what the model gets.
    pub(super) fn mask(&self, request: &mut ConverseRequest, said: &[(&Assessment, &[Place])]) {
        let mut at = 0;
        each(request, &mut |_, _, text| {
            if let Some((_, segments)) = self.texts.get(at) {
                let masked = segments.iter().enumerate().map(|(segment, s)| {
                    let masks = said.iter().flat_map(|(found, places)| {
                        let here = places.iter().enumerate().filter(|(_, place)| **place == (at, segment));
                        here.flat_map(|(passage, _)| found.masks(passage))
                    });
                    mask(&s.text, masks.collect::<Vec<Mask<'_>>>()).unwrap_or_else(|| s.text.clone())
                });
                *text = masked.collect();
            }
            at += 1;
        });
    }
}

/// Whether there are images in `request`.
pub(super) fn images(request: &ConverseRequest) -> bool {
    let image = |block: &GuardrailConverseContentBlock| matches!(block, GuardrailConverseContentBlock::Image(_));
    let mut system = request.system.iter().flatten();
    let mut blocks = request.messages.iter().flatten().flat_map(|message| &message.content);
    system.any(|block| matches!(block, SystemContentBlock::GuardContent(guarded) if image(guarded)))
        || blocks.any(|block| match block {
            ContentBlock::Image(_) => true,
            ContentBlock::GuardContent(guarded) => image(guarded),
            ContentBlock::ToolResult(result) => {
                result.content.iter().any(|part| matches!(part, ToolResultContentBlock::Image(_)))
            }
            _ => false,
        })
}

/// Every text that may be looked at: not what a model thought, nor what it called tools with (the guide's pages on
/// reasoning and on sensitive information filters).
fn each(request: &mut ConverseRequest, f: &mut impl FnMut(Part, Mark, &mut String)) {
    for block in request.system.iter_mut().flatten() {
        match block {
            SystemContentBlock::Text(text) => f(Part::System, Mark::default(), text),
            SystemContentBlock::GuardContent(guarded) => guarded_text(Part::System, guarded, f),
            SystemContentBlock::CachePoint(_) | SystemContentBlock::Unset => {}
        }
    }
    let messages = request.messages.iter_mut().flatten();
    for block in messages.flat_map(|message| &mut message.content) {
        match block {
            ContentBlock::GuardContent(guarded) => guarded_text(Part::Messages, guarded, f),
            ContentBlock::ToolResult(result) => {
                for part in &mut result.content {
                    match part {
                        ToolResultContentBlock::Text(text) => f(Part::Messages, Mark::default(), text),
                        ToolResultContentBlock::Document(document) => document_texts(document, f),
                        ToolResultContentBlock::SearchResult(found) => {
                            found
                                .content
                                .iter_mut()
                                .for_each(|part| f(Part::Messages, Mark::default(), &mut part.text));
                        }
                        ToolResultContentBlock::Json(json) => json_texts(json, f),
                        _ => {}
                    }
                }
            }
            ContentBlock::Document(document) => document_texts(document, f),
            ContentBlock::SearchResult(found) => {
                found.content.iter_mut().for_each(|part| f(Part::Messages, Mark::default(), &mut part.text));
            }
            block => super::said(block, &mut |text| f(Part::Messages, Mark::default(), text)),
        }
    }
}

fn guarded_text(part: Part, block: &mut GuardrailConverseContentBlock, f: &mut impl FnMut(Part, Mark, &mut String)) {
    if let GuardrailConverseContentBlock::Text(GuardrailConverseTextBlock { text, qualifiers }) = block {
        use GuardrailConverseContentQualifier as Qualifier;
        let qualifiers = qualifiers.as_deref().unwrap_or_default();
        let has = |qualifier: Qualifier| qualifiers.contains(&qualifier);
        let (source, query) = (has(Qualifier::GroundingSource), has(Qualifier::Query));
        let guarded = has(Qualifier::GuardContent) || !(source || query);
        f(part, Mark { guarded, source, query }, text);
    }
}

/// A document that is text. Others are files of which only the model makes text.
fn document_texts(document: &mut DocumentBlock, f: &mut impl FnMut(Part, Mark, &mut String)) {
    match &mut document.source {
        DocumentSource::Text(text) => f(Part::Messages, Mark::default(), text),
        DocumentSource::Content(parts) => {
            for part in parts {
                if let DocumentContentBlock::Text(text) = part {
                    f(Part::Messages, Mark::default(), text);
                }
            }
        }
        DocumentSource::Bytes(bytes) => {
            use DocumentFormat as Format;
            let plain = [Format::Txt, Format::Md, Format::Csv, Format::Html];
            if document.format.as_ref().is_some_and(|format| plain.contains(format))
                && let Ok(read) = std::str::from_utf8(bytes)
            {
                let mut text = read.to_owned();
                f(Part::Messages, Mark::default(), &mut text);
                if text != read {
                    *bytes = text.into();
                }
            }
        }
        DocumentSource::S3Location(_) | DocumentSource::Unset => {}
    }
}

/// The strings in what a tool answered.
fn json_texts(value: &mut serde_json::Value, f: &mut impl FnMut(Part, Mark, &mut String)) {
    match value {
        serde_json::Value::String(text) => f(Part::Messages, Mark::default(), text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| json_texts(item, f)),
        serde_json::Value::Object(members) => members.values_mut().for_each(|member| json_texts(member, f)),
        _ => {}
    }
}
