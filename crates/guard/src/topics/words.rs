//! Words that a topic and a text share: what is rare in ordinary texts says most.

use std::collections::{BTreeMap, BTreeSet};

use crate::Refused;
use crate::content::fold;
use crate::content::tensors::Tensors;

/// Words without a subject.
const EMPTY: &str = "a an the of to or in on for and is are was were be been i my me you your we our it its this that \
    these those with at by from as do does did can could should would will what how why when where which who not no so \
    if about any some such than then there their them they he she his her have has had get got please tell help need \
    want know im ive dont cant using use used out up into just also more most other one two new good best way ways make";

/// The endings that are cut, the longest that fits.
const ENDINGS: [&str; 9] = ["ations", "ation", "ings", "ing", "ies", "ed", "es", "s", "e"];

/// The words of a text, without endings and without those that say nothing.
pub fn words(text: &str) -> BTreeSet<String> {
    let folded = fold(text);
    let all = folded.split(|c: char| !c.is_alphanumeric());
    let some = all.filter(|word| word.len() > 2 && !EMPTY.split_whitespace().any(|empty| empty == *word));
    some.map(|word| stem(word).to_owned()).collect()
}

fn stem(word: &str) -> &str {
    let cut = ENDINGS.into_iter().find_map(|ending| word.strip_suffix(ending).filter(|stem| stem.len() >= 3));
    let cut = cut.or_else(|| word.strip_suffix('y').filter(|stem| stem.len() >= 3));
    cut.unwrap_or(word)
}

/// How often words stand in the background's texts.
pub(super) struct Common(BTreeMap<String, f32>);

impl Common {
    /// Lines of a word and a count.
    pub(super) fn read(tensors: &Tensors<'_>) -> Result<Self, Refused> {
        let text = tensors.text("words")?;
        let counted = text.lines().filter_map(|line| {
            let (word, count) = line.split_once(' ')?;
            Some((word.to_owned(), count.parse().ok()?))
        });
        Ok(Self(counted.collect()))
    }

    fn rarity(&self, word: &str) -> f32 {
        1.0 / (1.0 + self.0.get(word).copied().unwrap_or_default()).sqrt()
    }
}

/// The words of a topic with what they weigh.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    weights: BTreeMap<String, f32>,
    /// What the three heaviest weigh together.
    full: f32,
}

impl Vocabulary {
    pub(super) fn new(name: &str, definition: &str, examples: &[String], common: &Common) -> Self {
        let mut weights: BTreeMap<String, f32> = BTreeMap::new();
        for word in words(name) {
            *weights.entry(word).or_default() += 1.0;
        }
        for word in words(definition) {
            *weights.entry(word).or_default() += 0.7;
        }
        let mut counts: BTreeMap<String, f32> = BTreeMap::new();
        for word in examples.iter().flat_map(|example| words(example)) {
            *counts.entry(word).or_default() += 1.0;
        }
        for (word, count) in counts {
            *weights.entry(word).or_default() += 0.5 * count.min(3.0);
        }
        for (word, weight) in &mut weights {
            *weight *= common.rarity(word);
        }
        let mut heaviest: Vec<f32> = weights.values().copied().collect();
        heaviest.sort_by(|a, b| b.total_cmp(a));
        Self { weights, full: heaviest.iter().take(3).sum() }
    }

    /// How much of the topic's weight a text has: three of its heaviest words make 1.
    pub(super) fn share(&self, words: &BTreeSet<String>) -> f32 {
        let sum: f32 = words.iter().filter_map(|word| self.weights.get(word)).sum();
        (sum / self.full.max(1e-6)).min(1.5)
    }
}
