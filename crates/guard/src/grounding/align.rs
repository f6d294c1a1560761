//! Two sentences side by side: what they have in common in the same order, and what stands in the gaps.

use std::ops::Range;

use super::lexicon;
use super::text::Token;

/// Where a claim puts one thing and the source another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clash {
    Number,
    Name,
    Opposite,
}

/// The heaviest common subsequence.
#[derive(Debug, Default)]
pub(super) struct Aligned {
    /// For each token of the claim its place in the sentence.
    pub kept: Vec<Option<usize>>,
    /// The part of the sentence that is aligned.
    pub span: Range<usize>,
}

/// Aligns `claim` with `sentence`. Words that say nothing alone count a little: they hold gaps together.
pub(super) fn align(claim: &[Token], sentence: &[Token], weights: &[f32]) -> Aligned {
    let width = sentence.len() + 1;
    let mut table = vec![0.0_f32; (claim.len() + 1) * width];
    for i in (0..claim.len()).rev() {
        for j in (0..sentence.len()).rev() {
            let skip = table[(i + 1) * width + j].max(table[i * width + j + 1]);
            let keep =
                if claim[i].stem == sentence[j].stem { table[(i + 1) * width + j + 1] + weights[i] + 0.2 } else { 0.0 };
            table[i * width + j] = skip.max(keep);
        }
    }
    let mut kept = vec![None; claim.len()];
    let (mut i, mut j) = (0, 0);
    while i < claim.len() && j < sentence.len() {
        let here = table[i * width + j];
        if claim[i].stem == sentence[j].stem && here == table[(i + 1) * width + j + 1] + weights[i] + 0.2 {
            kept[i] = Some(j);
            (i, j) = (i + 1, j + 1);
        } else if here == table[(i + 1) * width + j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    let first = kept.iter().flatten().next().copied().unwrap_or(0);
    let last = kept.iter().flatten().next_back().copied().map_or(sentence.len(), |last| last + 1);
    // What turns a sentence around stands near its verb, often just outside of what was kept.
    let span = first.saturating_sub(2).min(sentence.len())..(last + 2).min(sentence.len());
    Aligned { kept, span }
}

/// What stands in the gaps between common words: a number against another number, a name against another name.
pub(super) fn clashes(claim: &[Token], sentence: &[Token], aligned: &Aligned) -> Vec<Clash> {
    let mut found = Vec::new();
    if aligned.kept.iter().flatten().count() < 2 {
        return found;
    }
    let (mut from, mut other_from) = (0, 0);
    let ends = aligned.kept.iter().enumerate().filter_map(|(i, kept)| kept.map(|j| (i, j)));
    for (to, other_to) in ends.chain([(claim.len(), sentence.len())]) {
        gap(&claim[from..to], &sentence[other_from..other_to], sentence, &mut found);
        // The same number of something else.
        if let (Some(mine), Some(theirs)) = (claim.get(to), sentence.get(other_to))
            && mine.value.is_some()
            && mine.unit.is_some_and(|unit| theirs.unit.is_some_and(|other| other != unit))
        {
            found.push(Clash::Number);
        }
        (from, other_from) = ((to + 1).min(claim.len()), (other_to + 1).min(sentence.len()));
    }
    found
}

/// The reach of what leaves nothing out.
const ALL: usize = 2;
/// Gaps this long hold other matter, not another word for the same place.
const GAP: usize = 8;

fn gap(mine: &[Token], theirs: &[Token], sentence: &[Token], found: &mut Vec<Clash>) {
    if mine.is_empty() || theirs.is_empty() || mine.len() > GAP || theirs.len() > GAP {
        return;
    }
    for token in mine {
        if sentence.iter().any(|other| other.stem == token.stem) {
            continue;
        }
        let clash = theirs.iter().find_map(|other| match (token.value, other.value) {
            (Some(_), Some(_)) => Some(Clash::Number),
            (None, None) if lexicon::opposed(&token.stem, &other.stem) || wider(token, other) => Some(Clash::Opposite),
            (None, None) if token.name && other.name => Some(Clash::Name),
            _ => None,
        });
        found.extend(clash);
    }
}

/// Whether the claim speaks of more than the source: of all where it says some, or which.
fn wider(token: &Token, other: &Token) -> bool {
    let Some(reach) = lexicon::reach(&token.stem) else { return false };
    match lexicon::reach(&other.stem) {
        Some(other) => reach > other,
        None => reach == ALL && !other.empty && !other.negation,
    }
}
