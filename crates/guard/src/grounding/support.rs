//! Whether one text says what another says: the words that say something, and how much each says. No model is asked.

use std::sync::LazyLock;

use super::{Model, stems};

/// How much of a statement's words a passage must have to support it.
pub const SUPPORTED: f32 = 0.6;
/// How much it must have of its names and numbers: they are what a statement stands or falls with.
pub const FACTS: f32 = 0.99;

/// A word, without those that say nothing alone ("the", "of").
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// What it is without its endings.
    pub stem: String,
    /// How much it says: rare words say more than common ones.
    pub weight: f32,
    /// Whether it is written like a name: with a capital, and not only because a sentence begins.
    pub name: bool,
    /// Whether a digit is in it, or it is a number in words.
    pub number: bool,
}

/// What stems weigh in English text, as it was counted for contextual grounding.
static COMMON: LazyLock<Option<&'static Model>> = LazyLock::new(|| Model::trained().ok());

/// What a stem weighs that is not in the table of common ones.
const RARE: f32 = 1.0;

/// The words of `text`.
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut begins = true;
    for raw in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '.' | ','))) {
        // Full stops and commas count within numbers and names only: 3.5, example.com.
        let ends = raw.ends_with('.');
        let raw = raw.trim_matches(|c: char| !c.is_alphanumeric());
        if raw.is_empty() {
            continue;
        }
        let capital = raw.chars().next().is_some_and(char::is_uppercase);
        let digit = raw.contains(|c: char| c.is_ascii_digit());
        for stem in stems(raw) {
            let number = digit || stem.starts_with('#');
            let weight = match *COMMON {
                Some(model) if !number => model.common.get(&stem).copied().unwrap_or(model.rare),
                Some(model) => model.rare,
                None => RARE,
            };
            found.push(Word { stem, weight, name: capital && !begins, number });
        }
        begins = ends;
    }
    found
}

/// How much of `word` stands among `others`: all of it, or what words of one family share ("invade", "invasion").
pub fn held(word: &Word, others: &[Word]) -> f32 {
    let mut best = 0.0;
    for other in others {
        if other.stem == word.stem {
            return 1.0;
        }
        if best == 0.0 && family(&word.stem, &other.stem) {
            best = 0.7;
        }
    }
    best
}

/// Whether two stems begin alike for so long that they are likely of one family.
fn family(one: &str, other: &str) -> bool {
    if one.starts_with('#') || other.starts_with('#') {
        return false;
    }
    let shared = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    shared >= 5 && one.len().max(other.len()) - shared <= 5 || shared == 4 && one.len().max(other.len()) <= 6
}

/// The share of `asked` that stands among `others`, by weight. All of nothing is there.
pub fn coverage(asked: &[Word], others: &[Word]) -> f32 {
    let all: f32 = asked.iter().map(|word| word.weight).sum();
    if all <= 0.0 {
        return 1.0;
    }
    asked.iter().map(|word| word.weight * held(word, others)).sum::<f32>() / all
}

/// How much of what `said` says a passage says too: of its words, and of its names and numbers alone.
pub fn support(said: &[Word], passage: &[Word]) -> (f32, f32) {
    let facts: Vec<Word> = said.iter().filter(|word| word.name || word.number).cloned().collect();
    (coverage(said, passage), coverage(&facts, passage))
}
