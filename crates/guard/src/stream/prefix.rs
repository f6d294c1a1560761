//! Whether the end of a text may be the beginning of a match.

#[cfg(test)]
mod tests;

use std::ops::Range;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind, Repetition};

use crate::sensitive::regexes;

/// What the pattern and its unfinished matches may take, compiled.
const SIZE: usize = 32 << 20;
/// A literal of 500 characters is as many levels deep.
const DEPTH: u32 = 10_000;
/// Where no expression for unfinished matches can be made, as many bytes are taken for one.
const REACH: usize = 4_000;

/// An expression over text that is still arriving.
#[derive(Debug)]
pub(super) struct Growing {
    pub(super) regex: Regex,
    /// Matches the longest end of a text that some match begins with.
    unfinished: Option<Regex>,
}

impl Growing {
    /// None where the pattern is not valid.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let regex = regexes::compile("", pattern).ok()?;
        let hir = regex_syntax::parse(pattern).ok()?;
        let text = format!("(?:{})\\z", beginnings(&hir));
        let unfinished = RegexBuilder::new(&text).nest_limit(DEPTH).size_limit(SIZE).build().ok();
        Some(Self { regex, unfinished })
    }

    /// The matches behind `from` that more text cannot change, and from where on it may change others.
    pub(super) fn found(&self, text: &str, from: usize, done: bool) -> (Vec<Range<usize>>, usize) {
        let (mut found, mut at) = (Vec::new(), from);
        loop {
            let settled = if done { text.len() + 1 } else { self.unfinished(text, at) };
            let hit = self.regex.find_at(text, at).filter(|hit| hit.start() < settled);
            let Some(hit) = hit else { return (found, settled.min(text.len())) };
            at = hit.end();
            if !hit.is_empty() {
                found.push(hit.range());
                continue;
            }
            match text.get(at..).and_then(|rest| rest.chars().next()) {
                Some(c) => at += c.len_utf8(),
                None => return (found, settled.min(text.len())),
            }
        }
    }

    /// Where the first match may begin of which the text ends before it is whole.
    fn unfinished(&self, text: &str, from: usize) -> usize {
        match &self.unfinished {
            Some(unfinished) => unfinished.find_at(text, from).map_or(text.len(), |unfinished| unfinished.start()),
            None => {
                let mut at = text.len().saturating_sub(REACH).max(from);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            }
        }
    }
}

/// Everything that a match of `hir` may begin with, nothing and all of it included. Assertions hold nowhere for sure
/// before the text goes on, so they are left out.
fn beginnings(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => {
            let Ok(text) = std::str::from_utf8(&literal.0) else { return hir.clone() };
            let mut all = Hir::empty();
            for c in text.chars().rev() {
                let c = Hir::literal(c.to_string().into_bytes());
                all = optional(Hir::concat(vec![c, all]));
            }
            all
        }
        HirKind::Class(_) => optional(hir.clone()),
        HirKind::Repetition(repetition) => {
            let whole =
                Repetition { min: 0, max: repetition.max.map(|max| max.saturating_sub(1)), ..repetition.clone() };
            Hir::concat(vec![bare(&Hir::repetition(whole)), beginnings(&repetition.sub)])
        }
        HirKind::Capture(capture) => beginnings(&capture.sub),
        HirKind::Concat(parts) => {
            let mut all = Hir::empty();
            for part in parts.iter().rev() {
                all = Hir::alternation(vec![Hir::concat(vec![bare(part), all]), beginnings(part)]);
            }
            all
        }
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(beginnings).collect()),
    }
}

/// The same without assertions and groups.
fn bare(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(_) => Hir::empty(),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
        HirKind::Repetition(repetition) => {
            Hir::repetition(Repetition { sub: Box::new(bare(&repetition.sub)), ..repetition.clone() })
        }
        HirKind::Capture(capture) => bare(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(bare).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(bare).collect()),
    }
}

fn optional(hir: Hir) -> Hir {
    Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(hir) })
}
