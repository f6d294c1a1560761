//! Units to chunks of at most so many tokens.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::units::{Outline, Unit, words};
use super::{Chunk, Tokens};

/// The most bytes that are taken for one token. Vocabularies count a word beyond their limit, encoded data or a script
/// without spaces, as one token that they do not know, however long it is.
const BYTES: usize = 8;

/// Packs a document's units.
pub(super) struct Packer<'a> {
    outline: &'a Outline,
    tokens: &'a dyn Tokens,
    max: usize,
    overlap: usize,
    /// Tokens of spans that were asked for: neighbours share them.
    known: RefCell<HashMap<(usize, usize), usize>>,
}

impl<'a> Packer<'a> {
    pub(super) fn new(outline: &'a Outline, tokens: &'a dyn Tokens, max: usize, overlap: usize) -> Self {
        Self { outline, tokens, max, overlap: overlap.min(max.saturating_sub(1)), known: RefCell::default() }
    }

    /// The chunks of the whole document, none across a border.
    pub(super) fn sections(&self) -> Vec<Chunk> {
        self.spans().into_iter().map(|(_, chunk)| chunk).collect()
    }

    /// The same, each with the units it is made of.
    pub(super) fn spans(&self) -> Vec<(Vec<Unit>, Chunk)> {
        let mut all = Vec::new();
        let units = &self.outline.units;
        let mut from = 0;
        while from < units.len() {
            let border = units[from + 1..].iter().position(|unit| unit.border);
            let to = border.map_or(units.len(), |ahead| from + 1 + ahead);
            self.pack(&units[from..to], &mut all);
            from = to;
        }
        all
    }

    /// The chunks of some neighbouring units.
    pub(super) fn within(&self, units: &[Unit]) -> Vec<Chunk> {
        let mut all = Vec::new();
        self.pack(units, &mut all);
        all.into_iter().map(|(_, chunk)| chunk).collect()
    }

    fn pack(&self, units: &[Unit], into: &mut Vec<(Vec<Unit>, Chunk)>) {
        let mut fine: Vec<Unit> = Vec::new();
        for unit in units {
            self.divide(unit, &mut fine);
        }
        let mut piece: Vec<Unit> = Vec::new();
        let mut at = 0;
        while at < fine.len() {
            at = self.fill(&mut piece, &fine, at);
            into.push((piece.clone(), self.chunk(&piece)));
            let next = fine.get(at).map_or(0, |next| self.count(&next.bytes));
            piece = self.repeat(&piece, next);
        }
    }

    /// Adds the units from one on as far as they fit, but ends not right behind a heading. Says which comes next.
    fn fill(&self, piece: &mut Vec<Unit>, units: &[Unit], from: usize) -> usize {
        let repeated = piece.len();
        let mut sum: usize = piece.iter().map(|unit| self.count(&unit.bytes)).sum();
        let mut to = from;
        while to < units.len() {
            sum += self.count(&units[to].bytes);
            if sum > self.max && to > from {
                break;
            }
            piece.push(units[to].clone());
            to += 1;
        }
        // Tokens of the whole may be more than those of its parts together, though it is rare.
        while piece.len() > 1 && self.count(&span(piece)) > self.max {
            if piece.len() > repeated + 1 {
                piece.pop();
                to -= 1;
            } else {
                piece.remove(0);
            }
        }
        // Unless nothing but headings would be left: better long lists of them than none at all.
        let headings = units[from..to].iter().rev().take_while(|unit| unit.heading).count();
        if to < units.len() && headings < to - from {
            piece.truncate(piece.len() - headings);
            to -= headings;
        }
        to
    }

    /// What the next chunk repeats: the last whole units within the overlap, or the last words where the last unit is
    /// longer than the overlap alone.
    fn repeat(&self, piece: &[Unit], next: usize) -> Vec<Unit> {
        // It must leave room for what is new.
        let room = self.overlap.min(self.max.saturating_sub(next));
        let mut begin = piece.len();
        while begin > 1 && self.measure(&self.outline.text[span(&piece[begin - 1..])]) <= room {
            begin -= 1;
        }
        let Some(last) = piece.last() else { return Vec::new() };
        if begin < piece.len() || room == 0 || last.heading {
            return piece[begin..].to_vec();
        }
        let words = words(&self.outline.text[last.bytes.clone()]);
        let mut start = last.bytes.end;
        for word in words.iter().skip(1).rev() {
            if self.measure(&self.outline.text[last.bytes.start + word.start..last.bytes.end]) > room {
                break;
            }
            start = last.bytes.start + word.start;
        }
        let tail = (start < last.bytes.end).then(|| Unit { bytes: start..last.bytes.end, ..last.clone() });
        tail.into_iter().collect()
    }

    /// A unit as it is, or its words in groups where it is too long.
    fn divide(&self, unit: &Unit, into: &mut Vec<Unit>) {
        if self.count(&unit.bytes) <= self.max {
            into.push(unit.clone());
            return;
        }
        let text = &self.outline.text[unit.bytes.clone()];
        let mut parts: Vec<(Range<usize>, usize)> = Vec::new();
        for word in words(text) {
            self.split(text, word, &mut parts);
        }
        let mut from = 0;
        while from < parts.len() {
            let (mut sum, mut to) = (0, from);
            while to < parts.len() && (to == from || sum + parts[to].1 <= self.max) {
                sum += parts[to].1;
                to += 1;
            }
            while to > from + 1 && self.measure(&text[parts[from].0.start..parts[to - 1].0.end]) > self.max {
                to -= 1;
            }
            let bytes = unit.bytes.start + parts[from].0.start..unit.bytes.start + parts[to - 1].0.end;
            into.push(Unit { bytes, ..unit.clone() });
            from = to;
        }
    }

    /// A word, halved between graphemes until it fits: only what no text has is cut there, encoded data.
    fn split(&self, text: &str, word: Range<usize>, into: &mut Vec<(Range<usize>, usize)>) {
        let mut todo = vec![word];
        while let Some(range) = todo.pop() {
            let tokens = self.measure(&text[range.clone()]);
            let piece = &text[range.clone()];
            let middle = piece.len() / 2;
            let cut = piece.grapheme_indices(true).map(|(at, _)| at).find(|at| *at > 0 && *at >= middle);
            let cut = cut.or_else(|| piece.grapheme_indices(true).map(|(at, _)| at).rfind(|at| *at > 0));
            match cut {
                Some(cut) if tokens > self.max => {
                    todo.push(range.start + cut..range.end);
                    todo.push(range.start..range.start + cut);
                }
                _ => into.push((range, tokens)),
            }
        }
    }

    fn chunk(&self, units: &[Unit]) -> Chunk {
        let first = &units[0];
        // A chunk that opens with headings is about them; otherwise about what its first unit stands under.
        let body = units.iter().find(|unit| !unit.heading).unwrap_or(first);
        let leads = units.iter().take_while(|unit| unit.heading).count() > 0;
        let headings = if leads { &body.headings } else { &first.headings };
        self.outline.chunk(span(units), first.page, headings)
    }

    /// The tokens of a text, or of its bytes where those would be more.
    fn measure(&self, text: &str) -> usize {
        self.tokens.count(text).max(text.len().div_ceil(BYTES))
    }

    fn count(&self, bytes: &Range<usize>) -> usize {
        let key = (bytes.start, bytes.end);
        if let Some(known) = self.known.borrow().get(&key) {
            return *known;
        }
        let tokens = self.measure(&self.outline.text[bytes.clone()]);
        self.known.borrow_mut().insert(key, tokens);
        tokens
    }
}

/// From the first unit's begin to the last one's end.
pub(super) fn span(units: &[Unit]) -> Range<usize> {
    match units {
        [first, .., last] => first.bytes.start..last.bytes.end,
        [one] => one.bytes.clone(),
        [] => 0..0,
    }
}
