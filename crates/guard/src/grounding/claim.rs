//! One sentence of an answer against the source: what of it the source says, and where the two contradict each other.

use std::ops::Range;

use super::align::{self, Clash};
use super::index::{Index, Number, related};
use super::model::Model;
use super::text::{self, Token};
use super::unit;

/// How many sentences of the source a claim is compared with closely.
pub(super) const CANDIDATES: usize = 4;
/// What half a match counts: a kindred word where the word itself is missing.
const KINDRED: f32 = 0.6;
/// Words side by side that are looked at together for the weakest part of a claim.
const PART: usize = 4;

/// The share of a claim that stands in a sentence of the source in the same order, from where on it is taken from there.
const COPIED: f32 = 0.7;

/// What is known about a claim, each value 0 to 1.
pub const FEATURES: [&str; 18] = [
    "words in the source",
    "words in the best sentence",
    "words in the best sentences",
    "pairs of words in the source",
    "words in the same order",
    "weakest part",
    "rarest missing word",
    "numbers missing",
    "numbers missing near",
    "names missing",
    "names missing near",
    "another number in its place",
    "another name in its place",
    "the opposite",
    "negated on one side",
    "speaks of itself",
    "cosine",
    "cosine and words",
];

/// A sentence of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Its bytes.
    pub range: Range<usize>,
    /// What it weighs: a sentence without content claims nothing.
    pub weight: f32,
    /// What is known about it, in the order of [`FEATURES`].
    pub features: [f32; FEATURES.len()],
    /// The sentences of the source that are closest to it, the closest first.
    pub candidates: Vec<usize>,
}

/// Compares a sentence of the answer, `tokens`, with the source. The cosine is filled in later.
pub(super) fn compare(range: Range<usize>, tokens: &[Token], index: &Index, model: &Model) -> Claim {
    let converted = converted(tokens, index);
    let tokens = &converted[..];
    let weights: Vec<f32> = tokens.iter().map(|token| model.weight(token)).collect();
    let total: f32 = weights.iter().sum();
    let mut claim = Claim { range, weight: total, features: [0.0; FEATURES.len()], candidates: Vec::new() };
    if total <= 0.0 {
        return claim;
    }
    let stems: Vec<Option<&str>> = tokens.iter().map(|token| found(token, index)).collect();
    claim.candidates = candidates(&stems, tokens, &weights, index);
    let best = claim.candidates.first().map(|&at| &index.sentences[at].tokens[..]).unwrap_or_default();
    let credit = |token: &Token, stem: Option<&str>| match stem {
        Some(stem) if stem == token.stem => 1.0,
        Some(_) => KINDRED,
        None => 0.0,
    };
    let near = |token: &Token, sentences: &[usize]| {
        let mut best: f32 = 0.0;
        for other in sentences.iter().flat_map(|&at| &index.sentences[at].tokens) {
            if other.stem == token.stem {
                return 1.0;
            }
            if related(&other.stem, &token.stem) {
                best = KINDRED;
            }
        }
        best
    };
    let in_source: Vec<f32> = tokens.iter().zip(&stems).map(|(token, stem)| credit(token, *stem)).collect();
    let in_best: Vec<f32> =
        tokens.iter().map(|token| near(token, &claim.candidates[..claim.candidates.len().min(1)])).collect();
    let in_near: Vec<f32> = tokens.iter().map(|token| near(token, &claim.candidates)).collect();
    let share =
        |credits: &[f32]| credits.iter().zip(&weights).map(|(credit, weight)| credit * weight).sum::<f32>() / total;
    let f = &mut claim.features;
    f[0] = share(&in_source);
    f[1] = share(&in_best);
    f[2] = share(&in_near);
    f[3] = runs(tokens, &weights, 2, |run| index.pair(run));
    let aligned = align::align(tokens, best, &weights);
    f[4] = aligned.kept.iter().zip(&weights).filter(|(kept, _)| kept.is_some()).map(|(_, weight)| weight).sum::<f32>()
        / total;
    f[5] = weakest(&in_near, &weights);
    f[6] = missing(&in_near, &weights) / model.rarest();
    let numbers = |near: bool| {
        portion(
            tokens,
            |token| token.value.is_some(),
            |token| supported_number(token, index, near.then_some(&claim.candidates[..])),
        )
    };
    let (far_numbers, near_numbers) = (numbers(false), numbers(true));
    f[7] = far_numbers;
    f[8] = near_numbers;
    f[9] = named(tokens, &in_source);
    f[10] = named(tokens, &in_near);
    // One thing against another counts where the rest is the same: two sentences about different matters differ anyway.
    if f[4] > COPIED {
        for clash in align::clashes(tokens, best, &aligned) {
            match clash {
                Clash::Number => f[11] = 1.0,
                Clash::Name => f[12] = 1.0,
                Clash::Opposite => f[13] = 1.0,
            }
        }
        if negated(tokens) != negated(&best[aligned.span.clone()]) {
            f[14] = 1.0;
        }
    }
    let spoken = tokens.iter().filter(|token| token.personal).count();
    let heard = claim.candidates.iter().flat_map(|&at| &index.sentences[at].tokens).any(|token| token.personal);
    if spoken > 0 && !heard {
        f[15] = 1.0;
    }
    claim
}

/// The claim with its amounts in the units in which the source has them: 0.503 km are 503 metres.
fn converted(tokens: &[Token], index: &Index) -> Vec<Token> {
    let mut all = tokens.to_vec();
    for at in 0..all.len() {
        let (Some(value), Some(unit)) = (all[at].value, all[at].unit) else { continue };
        let holds =
            |number: &&Number| number.unit.is_some_and(|other| unit::same((value, unit), (number.value, other)));
        let Some(number) = index.numbers.iter().find(holds) else { continue };
        all[at].stem = text::spelled(number.value);
        (all[at].value, all[at].unit) = (Some(number.value), number.unit);
        if let (Some(word), Some(unit)) = (all.get_mut(at + 1), number.unit) {
            word.stem = text::stem(unit::name(unit));
        }
    }
    all
}

/// The stem of the source that `token` is: itself, or one that is kin to it.
fn found<'a>(token: &'a Token, index: &'a Index) -> Option<&'a str> {
    if token.empty {
        return None;
    }
    if !index.holding(&token.stem).is_empty() {
        return Some(&token.stem);
    }
    index.kin(&token.stem)
}

/// The sentences that share most with the claim. A pair of neighbours in the claim that a sentence shares counts more
/// than two single words do: found through the sum alone, as the words of a pair add up.
fn candidates(stems: &[Option<&str>], tokens: &[Token], weights: &[f32], index: &Index) -> Vec<usize> {
    let mut scores = vec![0.0_f32; index.sentences.len()];
    for ((stem, token), weight) in stems.iter().zip(tokens).zip(weights) {
        let Some(stem) = stem else { continue };
        let credit = if *stem == token.stem { *weight } else { *weight * KINDRED };
        for &at in index.holding(stem) {
            scores[at as usize] += credit;
        }
    }
    let mut ranked: Vec<usize> = (0..scores.len()).filter(|&at| scores[at] > 0.0).collect();
    let order = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
    if ranked.len() > CANDIDATES {
        ranked.select_nth_unstable_by(CANDIDATES, order);
        ranked.truncate(CANDIDATES);
    }
    ranked.sort_by(order);
    ranked
}

/// The weighted share of runs of `length` tokens for which `holds` is true.
fn runs(tokens: &[Token], weights: &[f32], length: usize, holds: impl Fn(&[Token]) -> bool) -> f32 {
    let (mut held, mut all) = (0.0, 0.0);
    for (run, weights) in tokens.windows(length).zip(weights.windows(length)) {
        let weight: f32 = weights.iter().sum();
        all += weight;
        if weight > 0.0 && holds(run) {
            held += weight;
        }
    }
    // An answer of one word has no run; the word alone must tell.
    if all > 0.0 { held / all } else { f32::from(u8::from(tokens.len() < length)) * 0.5 }
}

/// The support of the part of the claim that has least.
fn weakest(credits: &[f32], weights: &[f32]) -> f32 {
    let content: Vec<(f32, f32)> = credits
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0.0)
        .map(|(&credit, &weight)| (credit, weight))
        .collect();
    let part = |part: &[(f32, f32)]| {
        let total: f32 = part.iter().map(|(_, weight)| weight).sum();
        part.iter().map(|(credit, weight)| credit * weight).sum::<f32>() / total
    };
    content.windows(PART.min(content.len().max(1))).map(part).fold(1.0, f32::min)
}

/// The weight of the rarest word that is missing.
fn missing(credits: &[f32], weights: &[f32]) -> f32 {
    credits.iter().zip(weights).map(|(credit, weight)| (1.0 - credit) * weight).fold(0.0, f32::max)
}

fn portion(tokens: &[Token], counts: impl Fn(&Token) -> bool, supported: impl Fn(&Token) -> bool) -> f32 {
    let (mut lost, mut all) = (0.0, 0.0);
    for token in tokens.iter().filter(|token| counts(token)) {
        all += 1.0;
        if !supported(token) {
            lost += 1.0;
        }
    }
    if all > 0.0 { lost / all } else { 0.0 }
}

/// Whether the source, or the sentences `near`, have the number with a unit that does not contradict it.
fn supported_number(token: &Token, index: &Index, near: Option<&[usize]>) -> bool {
    let Some(value) = token.value else { return true };
    index.numbers.iter().any(|number| {
        near.is_none_or(|near| near.contains(&number.sentence))
            && (number.value - value).abs() <= value.abs() * 1e-9
            && (number.unit.is_none() || token.unit.is_none() || number.unit == token.unit)
    })
}

/// The share of the names that have no support.
fn named(tokens: &[Token], credits: &[f32]) -> f32 {
    let (mut lost, mut all) = (0.0, 0.0);
    for (token, credit) in tokens.iter().zip(credits) {
        if token.name && token.value.is_none() {
            all += 1.0;
            lost += 1.0 - credit;
        }
    }
    if all > 0.0 { lost / all } else { 0.0 }
}

fn negated(tokens: &[Token]) -> bool {
    tokens.iter().filter(|token| token.negation).count() % 2 == 1
}
