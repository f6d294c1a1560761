//! What the layout of a document says, which plain text does not have: what a sentence is about stands in the headings
//! above it, a command says how something is done, a setting's default stands below its description. And what of it is
//! told with a sentence, so that it can be understood alone.

use std::ops::Range;

use outcrop_guard::grounding::support::{Word, held};

use super::code::is_code;
use super::pieces::{self, Piece, Role};
use super::question::{self, Wants};
use super::reading::{said, words};
use super::weights::{ACTION, COMMAND, DEFINITION, OPENING};
use super::{Draft, Features, Source};

/// Sentences that are told before one that points back to them, at most.
const BACK: usize = 2;
/// Sentences between the description of a setting and its default, at most.
const DEFAULT: usize = 3;
/// What words must weigh that a sentence adds to the question, to be an answer.
const NEW: f32 = 0.5;

/// Words that a sentence has at least that says yes or no in the question's words.
const WHOLE: usize = 4;

/// What stands above a sentence.
#[derive(Debug, Default)]
pub(super) struct Above {
    /// The words of the headings, and of the head of the table.
    pub words: Vec<Word>,
    /// The nearest heading.
    pub nearest: Option<Nearest>,
}

/// Where a heading stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Nearest {
    /// Among the sentences.
    Piece(usize),
    /// Above this passage.
    Passage(usize),
}

/// What stands above each of the sentences.
pub(super) fn above(passages: &[Source<'_>], pieces: &[(Piece, Vec<Word>)]) -> Vec<Above> {
    let mut found: Vec<Above> = Vec::with_capacity(pieces.len());
    let mut heading: Option<usize> = None;
    for (at, (piece, _)) in pieces.iter().enumerate() {
        let Source { text, above } = passages[piece.passage];
        heading = heading.filter(|&heading| pieces[heading].0.passage == piece.passage);
        let mut own = Above {
            nearest: heading.map(Nearest::Piece).or(above.last().map(|_| Nearest::Passage(piece.passage))),
            ..Above::default()
        };
        // Under another heading, the last one of those above the passage has ended.
        let here = heading.map(|heading| text[pieces[heading].0.range.clone()].trim());
        let ended = here.is_some_and(|here| !above.iter().any(|above| above.trim() == here));
        for above in &above[..above.len() - usize::from(ended && !above.is_empty())] {
            own.words.extend(words(above));
        }
        own.words.extend(heading.into_iter().flat_map(|heading| pieces[heading].1.iter().cloned()));
        own.words.extend(piece.head.clone().into_iter().flat_map(|head| words(&text[head])));
        found.push(own);
        if piece.role == Role::Heading {
            heading = Some(at);
        }
    }
    found
}

impl Draft<'_> {
    /// What the layout adds to a sentence.
    pub(super) fn layout(&self, at: usize, features: &[Features]) -> f32 {
        let text = self.text(at);
        let mut sum = 0.0;
        if self.question.wants == Wants::Way {
            sum += match (question::commands(text), question::acts(text)) {
                (true, _) => COMMAND,
                (false, true) => ACTION,
                (false, false) => 0.0,
            };
        }
        if self.question.defined_by(text) {
            sum += DEFINITION;
        }
        let opens = at.checked_sub(1).filter(|&above| {
            let (above, own) = (&self.pieces[above].0, &self.pieces[at].0);
            above.role == Role::Heading && above.passage == own.passage
        });
        // A way is seldom told by the first words of its section, unless they act, or answer a question.
        let opens =
            opens.filter(|&above| self.question.wants != Wants::Way || sum > 0.0 || self.text(above).ends_with('?'));
        sum + opens.map_or(0.0, |above| OPENING * features[above][0] * features[above][1])
    }

    /// Whether a sentence can be an answer: what is told with it says more than the question, unless that asks for yes or
    /// no, or for a way that a few little words tell ("To run the tests, run make test."). Code neither counts nor says
    /// yes or no, and a row of empty cells says nothing.
    pub(super) fn may_answer(&self, at: usize) -> bool {
        let piece = &self.pieces[at].0;
        let code = self.question.wants == Wants::Count || self.question.polar && self.question.wants != Wants::Way;
        if piece.role != Role::Says || code && is_code(self.text(at)) || pieces::sparse(self.text(at)) {
            return false;
        }
        let told = said(&self.passages[piece.passage].text[self.told(at)]);
        let new: f32 = told.iter().map(|word| word.weight * (1.0 - held(word, &self.question.words))).sum();
        new >= NEW
            || new > 0.0 && self.question.served_by(self.text(at))
            || self.question.polar && self.text(at).split_whitespace().count() >= WHOLE
    }

    /// What is told where a sentence answers.
    pub(super) fn told(&self, at: usize) -> Range<usize> {
        self.beginning(at)..self.end(at)
    }

    /// Where a sentence begins with what it points back to: "It does so by itself" says nothing alone, nor does what a
    /// setting does without its name.
    fn beginning(&self, at: usize) -> usize {
        let mut from = at;
        for _ in 0..BACK {
            if !pieces::points_back(self.text(from)) {
                break;
            }
            let passage = self.pieces[from].0.passage;
            // Lines that a sentence with a colon leads to are told with it.
            let near = from.checked_sub(1).map(|before| self.pieces[before].0.range.end);
            let whole = near.and_then(|near| {
                let holds = |(one, _): &(Piece, _)| one.passage == passage && one.range.end >= near;
                self.pieces[..from].iter().position(holds)
            });
            match whole.filter(|&before| self.pieces[before].0.role == Role::Says) {
                Some(before) => from = before,
                None => break,
            }
        }
        let (piece, _) = &self.pieces[from];
        let term = from.checked_sub(1).map(|before| &self.pieces[before].0).filter(|before| {
            before.passage == piece.passage
                && before.role == Role::Heading
                && !self.led(from - 1)
                && pieces::names(&self.passages[before.passage].text[before.range.clone()])
        });
        term.map_or(piece.range.start, |term| term.range.start)
    }

    /// Whether a sentence before leads to this one, and has it.
    fn led(&self, at: usize) -> bool {
        let (own, _) = &self.pieces[at];
        self.pieces[..at].iter().any(|(one, _)| one.passage == own.passage && one.range.end >= own.range.end)
    }

    /// Where a sentence ends with what it leads to: what says that something can be done is told with the sentence that
    /// says how, and what describes a setting with its default where a default or a quantity is asked for.
    fn end(&self, at: usize) -> usize {
        let (piece, own) = &self.pieces[at];
        let acts = |text: &str| question::commands(text) || question::acts(text);
        if self.question.wants == Wants::Way
            && self.question.fits(self.text(at), own) != Some(true)
            && !acts(self.text(at))
        {
            let next = self.pieces[at + 1..].iter().find(|(next, _)| next.range.end > piece.range.end);
            let how = next.filter(|(next, _)| next.passage == piece.passage && next.role == Role::Says);
            return match how {
                Some((next, _)) if acts(&self.passages[piece.passage].text[next.range.clone()]) => next.range.end,
                _ => piece.range.end,
            };
        }
        let wanted = matches!(self.question.wants, Wants::Count | Wants::Span)
            || self.question.words.iter().any(|word| word.stem == "default");
        let below = self.pieces[at + 1..].iter().take(DEFAULT);
        let mut below = below.take_while(|(below, _)| below.passage == piece.passage && below.role == Role::Says);
        let default =
            below.find(|(below, _)| pieces::defaults(&self.passages[piece.passage].text[below.range.clone()]));
        match default {
            Some((default, _)) if wanted => default.range.end,
            _ => piece.range.end,
        }
    }
}
