//! A source, cut into sentences that are found by their words: a claim is compared with the few that share most with
//! it, so that a long source costs no more than reading it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::sentences;
use super::text::{self, Token};

/// Letters that two words must share to count as kin ("director", "directed").
const KIN: usize = 4;

/// A sentence of the source.
#[derive(Debug)]
pub(super) struct Sentence {
    pub range: Range<usize>,
    pub tokens: Vec<Token>,
}

/// A number of the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    pub value: f64,
    pub unit: Option<u16>,
    pub sentence: usize,
}

/// The source.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub sentences: Vec<Sentence>,
    /// The sentences that hold a stem, in order.
    postings: HashMap<String, Vec<u32>>,
    /// Stems by their first letters.
    kin: HashMap<String, Vec<String>>,
    pairs: HashSet<u64>,
    pub numbers: Vec<Number>,
}

impl Index {
    pub fn new(source: &str) -> Self {
        let mut index = Self::default();
        for range in sentences::claims(source) {
            let tokens = text::tokens(&source[range.clone()], range.start);
            index.add(range, tokens);
        }
        index
    }

    fn add(&mut self, range: Range<usize>, tokens: Vec<Token>) {
        let at = self.sentences.len();
        for token in &tokens {
            if let Some(value) = token.value {
                self.numbers.push(Number { value, unit: token.unit, sentence: at });
            }
            if token.empty {
                continue;
            }
            match self.postings.get_mut(&token.stem) {
                Some(postings) if postings.last() == Some(&(at as u32)) => {}
                Some(postings) => postings.push(at as u32),
                None => {
                    self.postings.insert(token.stem.clone(), vec![at as u32]);
                    if let Some(start) = start(&token.stem) {
                        self.kin.entry(start.to_owned()).or_default().push(token.stem.clone());
                    }
                }
            }
        }
        self.pairs.extend(tokens.windows(2).map(hash));
        self.sentences.push(Sentence { range, tokens });
    }

    /// The sentences that hold `stem`.
    pub fn holding(&self, stem: &str) -> &[u32] {
        self.postings.get(stem).map_or(&[], Vec::as_slice)
    }

    /// A stem of the source that is kin to `stem`.
    pub fn kin(&self, stem: &str) -> Option<&str> {
        let kin = self.kin.get(start(stem)?)?;
        kin.iter().map(String::as_str).find(|other| related(stem, other))
    }

    /// Whether the two tokens stand side by side somewhere in the source.
    pub fn pair(&self, pair: &[Token]) -> bool {
        self.pairs.contains(&hash(pair))
    }
}

fn start(stem: &str) -> Option<&str> {
    if stem.starts_with('#') {
        return None;
    }
    stem.char_indices().nth(KIN).map(|(at, _)| &stem[..at])
}

/// Whether most of two words is the same beginning.
pub(super) fn related(one: &str, other: &str) -> bool {
    if one.starts_with('#') || other.starts_with('#') {
        return false;
    }
    let shared = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let longer = one.chars().count().max(other.chars().count());
    shared >= KIN && shared * 5 >= longer * 3
}

fn hash(tokens: &[Token]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    for token in tokens {
        token.stem.hash(&mut hasher);
    }
    hasher.finish()
}
