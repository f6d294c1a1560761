//! Citations of documents, for models that make none: each sentence of an answer beside what of a document supports it.
//!
//! A sentence is cited where one or two neighbouring sentences of a document have enough of its words and all of its
//! names and numbers. No model is asked, so that none can invent a source; what nothing supports stays without one.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use futures_util::StreamExt;
use outcrop_api::Events;
use outcrop_api::bedrock_runtime::{
    CitationLocation, CitationSourceContentDelta, CitationsDelta, ContentBlockDelta, ContentBlockDeltaEvent,
    ContentBlockStopEvent, ConverseStreamOutput, DocumentBlock, DocumentCharLocation, DocumentChunkLocation,
    DocumentContentBlock, DocumentPageLocation, DocumentSource, TokenUsage,
};
use outcrop_dialects::converse::unfold;
use outcrop_extract::Document;
use outcrop_guard::grounding::sentences;
use outcrop_guard::grounding::support::{FACTS, SUPPORTED, Word, support, words};
use outcrop_providers::Answer;

use super::is_cited;

/// Sentences of the documents that one of the answer is compared with: those that share most with it.
const COMPARED: usize = 24;

/// A sentence of a document.
struct Piece {
    text: String,
    words: Vec<Word>,
    /// Which document, and its name.
    document: i32,
    title: String,
    place: Place,
}

/// Where it stands: characters, a page, one of the blocks of text that a document was given as.
#[derive(Clone, Copy)]
enum Place {
    Characters(usize, usize),
    Page(u32),
    Block(usize),
}

/// The documents that can be cited.
pub(super) struct Cited {
    pieces: Vec<Piece>,
    /// Which pieces have a word.
    having: HashMap<String, Vec<usize>>,
}

impl Cited {
    /// The sentences of `documents`; `read` is what was read of files.
    pub(super) fn of(documents: &[&DocumentBlock], read: &[(usize, Document)]) -> Self {
        let mut cited = Self { pieces: Vec::new(), having: HashMap::new() };
        for (index, document) in documents.iter().enumerate() {
            if !is_cited(document) {
                continue;
            }
            let paged = read.iter().find(|(at, read)| *at == index && read.pages.is_some());
            match (&document.source, paged) {
                (DocumentSource::Text(text), Some((_, paged))) => cited.pages(index, document, text, paged),
                (DocumentSource::Text(text), None) => cited.characters(index, document, text),
                (DocumentSource::Bytes(bytes), _) => {
                    if let Ok(text) = std::str::from_utf8(bytes) {
                        cited.characters(index, document, text);
                    }
                }
                (DocumentSource::Content(blocks), _) => {
                    for (at, block) in blocks.iter().enumerate() {
                        if let DocumentContentBlock::Text(text) = block {
                            for sentence in sentences(text) {
                                cited.add(index, document, sentence, Place::Block(at));
                            }
                        }
                    }
                }
                (DocumentSource::S3Location(_) | DocumentSource::Unset, _) => {}
            }
        }
        cited
    }

    fn characters(&mut self, index: usize, document: &DocumentBlock, text: &str) {
        let (mut byte, mut character) = (0, 0);
        for sentence in sentences(text) {
            let start = sentence.as_ptr() as usize - text.as_ptr() as usize;
            character += text.get(byte..start).map_or(0, |between| between.chars().count());
            let length = sentence.chars().count();
            self.add(index, document, sentence, Place::Characters(character, character + length));
            (byte, character) = (start + sentence.len(), character + length);
        }
    }

    /// What `text` does not have any more, since a guardrail masked it, can't be cited.
    fn pages(&mut self, index: usize, document: &DocumentBlock, text: &str, paged: &Document) {
        let mut rest = text;
        for block in &paged.blocks {
            for sentence in sentences(&block.text) {
                let Some(at) = rest.find(sentence) else { continue };
                rest = &rest[at + sentence.len()..];
                self.add(index, document, sentence, Place::Page(block.page.unwrap_or(1)));
            }
        }
    }

    fn add(&mut self, index: usize, document: &DocumentBlock, text: &str, place: Place) {
        let words = words(text);
        let at = self.pieces.len();
        for word in &words {
            let having = self.having.entry(word.stem.clone()).or_default();
            if having.last() != Some(&at) {
                having.push(at);
            }
        }
        let document_index = i32::try_from(index).unwrap_or(i32::MAX);
        let (text, title) = (text.to_owned(), document.name.clone());
        self.pieces.push(Piece { text, words, document: document_index, title, place });
    }

    /// What supports a sentence best, where anything does: one sentence, or two that follow each other.
    fn supports(&self, said: &str) -> Option<CitationsDelta> {
        let said = words(said);
        if said.is_empty() {
            return None;
        }
        let mut shares: HashMap<usize, f32> = HashMap::new();
        for word in &said {
            for at in self.having.get(&word.stem).into_iter().flatten() {
                *shares.entry(*at).or_default() += word.weight;
            }
        }
        let mut near: Vec<(usize, f32)> = shares.into_iter().collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near.truncate(COMPARED);
        let mut best: Option<(f32, usize, usize)> = None;
        for (at, _) in near {
            for (from, to) in [(at, at), (at.saturating_sub(1), at), (at, at + 1)] {
                let Some(pieces) = self.pieces.get(from..=to) else { continue };
                if pieces.iter().any(|piece| piece.document != pieces[0].document) {
                    continue;
                }
                let together: Vec<Word> = pieces.iter().flat_map(|piece| piece.words.iter().cloned()).collect();
                let (share, facts) = support(&said, &together);
                // A second sentence has to add something: it is more for the reader to look through.
                let worth = share - if to > from { 0.1 } else { 0.0 };
                if share >= SUPPORTED && facts >= FACTS && best.is_none_or(|(found, ..)| worth > found) {
                    best = Some((worth, from, to));
                }
            }
        }
        best.map(|(_, from, to)| self.citation(from, to))
    }

    fn citation(&self, from: usize, to: usize) -> CitationsDelta {
        let (first, last) = (&self.pieces[from], &self.pieces[to]);
        let number = |n: usize| i32::try_from(n).ok();
        let document_index = Some(first.document);
        // Ends are exclusive, as Anthropic's own citations have them.
        let location = match (first.place, last.place) {
            (Place::Characters(start, _), Place::Characters(_, end)) => {
                CitationLocation::DocumentChar(DocumentCharLocation {
                    document_index,
                    start: number(start),
                    end: number(end),
                })
            }
            (Place::Page(start), Place::Page(end)) => CitationLocation::DocumentPage(DocumentPageLocation {
                document_index,
                start: i32::try_from(start).ok(),
                end: i32::try_from(end.saturating_add(1)).ok(),
            }),
            (Place::Block(start), Place::Block(end)) => CitationLocation::DocumentChunk(DocumentChunkLocation {
                document_index,
                start: number(start),
                end: number(end + 1),
            }),
            _ => CitationLocation::Unset,
        };
        let text = self.pieces[from..=to].iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>().join(" ");
        CitationsDelta {
            title: Some(first.title.clone()),
            source: None,
            source_content: Some(vec![CitationSourceContentDelta { text: Some(text) }]),
            location: Some(location),
        }
    }

    /// `answer` with citations. A sentence goes on when it has ended, for only then is known what supports it; each that
    /// is cited is a block of its own.
    pub(super) fn watch(self, answer: Answer) -> Answer {
        let (prompt, events): (TokenUsage, Events<ConverseStreamOutput>) = match answer {
            Answer::Stream { prompt, events } => (prompt, events),
            Answer::Whole(response) => {
                let prompt = response.usage.clone();
                (prompt, futures_util::stream::iter(unfold(*response).into_iter().map(Ok)).boxed())
            }
        };
        let state = Watching {
            cited: self,
            came: None,
            texts: false,
            index: -1,
            open: false,
            text: String::new(),
            out: VecDeque::new(),
        };
        let events = futures_util::stream::unfold((state, events), |(mut state, mut events)| async move {
            loop {
                if let Some(event) = state.out.pop_front() {
                    return Some((Ok(event), (state, events)));
                }
                match events.next().await? {
                    Ok(event) => state.take(event),
                    Err(fault) => return Some((Err(fault), (state, events))),
                }
            }
        });
        Answer::Stream { prompt, events: events.boxed() }
    }
}

struct Watching {
    cited: Cited,
    /// The block that comes, as the model counts, and whether it is text.
    came: Option<i32>,
    texts: bool,
    /// The last block that went on.
    index: i32,
    /// Text without a citation stands in it, and more may follow.
    open: bool,
    /// What of a sentence is there.
    text: String,
    out: VecDeque<ConverseStreamOutput>,
}

impl Watching {
    fn take(&mut self, event: ConverseStreamOutput) {
        match event {
            ConverseStreamOutput::ContentBlockStart(mut event) => {
                self.begin(event.content_block_index, false);
                event.content_block_index = self.index;
                self.out.push_back(ConverseStreamOutput::ContentBlockStart(event));
            }
            ConverseStreamOutput::ContentBlockDelta(mut event) => {
                let new = self.came != Some(event.content_block_index);
                if let ContentBlockDelta::Text(text) = &event.delta {
                    if new {
                        self.begin(event.content_block_index, true);
                    }
                    self.text.push_str(text);
                    return self.sentences(false);
                }
                if new {
                    self.begin(event.content_block_index, false);
                }
                event.content_block_index = self.index;
                self.out.push_back(ConverseStreamOutput::ContentBlockDelta(event));
            }
            ConverseStreamOutput::ContentBlockStop(_) => {
                // The end of text is told with its last sentence.
                if self.came.is_some() && !self.texts {
                    let event = ContentBlockStopEvent { content_block_index: self.index };
                    self.out.push_back(ConverseStreamOutput::ContentBlockStop(event));
                }
                self.end();
            }
            other => {
                self.end();
                self.out.push_back(other);
            }
        }
    }

    /// Block `came` begins. Blocks of text are counted when their first sentence is told.
    fn begin(&mut self, came: i32, texts: bool) {
        self.end();
        (self.came, self.texts) = (Some(came), texts);
        if !texts {
            self.index += 1;
        }
    }

    /// Lets go of the sentences that have ended; of all where nothing follows.
    fn sentences(&mut self, last: bool) {
        loop {
            let begin = self.text.as_ptr() as usize;
            let starts: Vec<usize> = sentences(&self.text).iter().map(|one| one.as_ptr() as usize - begin).collect();
            match starts.get(1) {
                Some(second) => {
                    let rest = self.text.split_off(*second);
                    let sentence = std::mem::replace(&mut self.text, rest);
                    self.tell(sentence);
                }
                None => break,
            }
        }
        if last && !self.text.is_empty() {
            let sentence = std::mem::take(&mut self.text);
            self.tell(sentence);
        }
    }

    fn tell(&mut self, sentence: String) {
        let citation = self.cited.supports(&sentence);
        if citation.is_some() {
            self.close();
        }
        if !self.open {
            self.index += 1;
            self.open = true;
        }
        self.delta(ContentBlockDelta::Text(sentence));
        if let Some(citation) = citation {
            self.delta(ContentBlockDelta::Citation(citation));
            self.close();
        }
    }

    fn delta(&mut self, delta: ContentBlockDelta) {
        let event = ContentBlockDeltaEvent { delta, content_block_index: self.index };
        self.out.push_back(ConverseStreamOutput::ContentBlockDelta(event));
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.open) {
            let event = ContentBlockStopEvent { content_block_index: self.index };
            self.out.push_back(ConverseStreamOutput::ContentBlockStop(event));
        }
    }

    /// No more text follows here.
    fn end(&mut self) {
        self.sentences(true);
        self.close();
        self.came = None;
    }
}
