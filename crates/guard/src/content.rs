//! Content filters: how sure it is that a text is hateful, insulting, sexual, violent, about misconduct, or an attack on
//! the prompt.

mod fold;
mod gloss;
mod heads;
pub mod kernels;
mod language;
mod meaning;
mod ngrams;
mod rules;
mod stack;
pub(crate) mod tensors;
mod tuned;
mod vectors;

use std::ops::Range;

pub use fold::{fold, hidden};
pub use heads::{HEADS, Head, SHARED_LAYERS};
pub use language::{Language, language};
use meaning::Meaning;
use ngrams::Ngrams;
pub use ngrams::{BUCKETS, Features, features};
pub use rules::{RULES, Rules};
pub use stack::MODELS;
use stack::Stack;
use tensors::Tensors;
use vectors::Vectors;
pub use vectors::{DIMENSIONS, HIDDEN, Vocabulary, counted, counting, repeated};

/// What the trainer of the tuned layers needs to know of them.
pub mod tower {
    pub use super::tuned::{ATTENTION, INNER, WIDTH};

    /// The heads' values that the layers in `bytes` give for a text's `states`.
    pub fn logits(bytes: &[u8], states: &[f32]) -> Result<[f32; super::HEADS], crate::Refused> {
        let tensors = super::Tensors::unchecked("tuned", bytes)?;
        Ok(super::tuned::Tuned::load(&tensors)?.logits(states))
    }
}

use crate::Refused;
use crate::encoder::{EncodeError, Encoded};
use crate::scan::Scan;

/// The weights of this module.
const FILE: &str = "content.safetensors";
const WEIGHTS: &[u8] = include_bytes!("../weights/content.safetensors");

/// How much less likely than what is found a text has to be that is far from it.
const FAR: f32 = 3.0;

/// What filters look for, in the order in which Bedrock lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "Bedrock's own names")]
pub enum Category {
    Sexual,
    Violence,
    Hate,
    Insults,
    PromptAttack,
    Misconduct,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Sexual, Self::Violence, Self::Hate, Self::Insults, Self::PromptAttack, Self::Misconduct];

    /// As Bedrock writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sexual => "SEXUAL",
            Self::Violence => "VIOLENCE",
            Self::Hate => "HATE",
            Self::Insults => "INSULTS",
            Self::PromptAttack => "PROMPT_ATTACK",
            Self::Misconduct => "MISCONDUCT",
        }
    }
}

/// How sure a filter is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "Bedrock's own names")]
pub enum Confidence {
    #[default]
    None,
    Low,
    Medium,
    High,
}

/// The heads of PROMPT_ATTACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attack {
    /// The caller talks the model out of its rules.
    Jailbreak,
    /// Foreign instructions inside what should be data.
    Injection,
    /// The caller wants the instructions themselves.
    Leakage,
}

/// What a text is judged to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Calibrated, 0 to 1.
    pub score: f32,
    /// The same in Bedrock's steps.
    pub confidence: Confidence,
    /// The window that decided, in bytes.
    pub window: Range<usize>,
    /// For PROMPT_ATTACK, the score of each head.
    pub attacks: Option<[(Attack, f32); 3]>,
}

/// The trained filters. One serves all guardrails.
pub struct Classifier {
    rules: Rules,
    ngrams: Ngrams,
    vectors: Vectors,
    meaning: Meaning,
    stack: Stack,
}

impl std::fmt::Debug for Classifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Classifier").finish_non_exhaustive()
    }
}

/// A text that was looked at, with what the models say of it.
struct Looked {
    window: Range<usize>,
    values: [f32; HEADS],
}

/// Why a text was judged as it was.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Explained {
    /// The words that speak most for the category, with how much they add to its log-odds before normalisation.
    pub words: Vec<(String, f32)>,
    /// True where the words alone settled it, and its meaning was not looked at.
    pub settled: bool,
}

impl Classifier {
    /// The filters with the weights that are part of this crate.
    pub fn load() -> Result<Self, Refused> {
        Self::of(&Tensors::read(FILE, WEIGHTS)?)
    }

    /// The filters of another file of weights: what was trained a moment ago, before its hash is known.
    pub fn trained(bytes: &[u8]) -> Result<Self, Refused> {
        Self::of(&Tensors::unchecked(FILE, bytes)?)
    }

    fn of(tensors: &Tensors<'_>) -> Result<Self, Refused> {
        Ok(Self {
            rules: Rules::new()?,
            ngrams: Ngrams::load(tensors)?,
            vectors: Vectors::load(tensors)?,
            meaning: Meaning::load(tensors)?,
            stack: Stack::load(tensors)?,
        })
    }

    /// The same filters, asking the encoder about every text: what the first stage loses is measured against it.
    pub fn thorough(mut self) -> Self {
        self.stack.never_clear();
        self
    }

    /// What the text of `scan` is, for each of `categories`, in their order. The worst window decides.
    pub fn judge(&self, scan: &Scan<'_>, categories: &[Category]) -> Result<Vec<Judged>, EncodeError> {
        let heads: Vec<Head> = categories.iter().flat_map(|category| heads_of(*category)).copied().collect();
        let mut looked = Vec::new();
        for (at, window) in scan.windows().iter().enumerate() {
            let text = scan.window(at);
            let mut values = Vec::new();
            self.look(scan, text, &heads, &|| scan.encoded(at).cloned(), &mut values)?;
            for hidden in hidden(text) {
                self.look(scan, &hidden, &heads, &|| scan.encode(&hidden), &mut values)?;
            }
            looked.extend(values.into_iter().map(|values| Looked { window: window.range.clone(), values }));
        }
        Ok(categories.iter().map(|category| self.decide(*category, &looked)).collect())
    }

    /// The log-odds of the first stage alone for a short text, and those of all models together, head by head: what
    /// thresholds are set by.
    pub fn values(&self, text: &str, encoded: &Encoded) -> [[f32; HEADS]; 2] {
        let first = self.first(&fold(text));
        [self.stack.first(&first), self.stack.all(&first, &self.meaning.logits(encoded))]
    }

    /// Whether every window of `scan` is settled without the encoder, for `categories`.
    pub fn settles(&self, scan: &Scan<'_>, categories: &[Category]) -> bool {
        let heads: Vec<Head> = categories.iter().flat_map(|category| heads_of(*category)).copied().collect();
        (0..scan.windows().len()).all(|at| {
            let text = scan.window(at);
            let clear = |text: &str| self.stack.clear(&self.first(&fold(text)), &heads);
            clear(text) && hidden(text).iter().all(|hidden| clear(hidden))
        })
    }

    /// Whether the text of `scan` is far from all of `categories`: settled without the encoder, or so unlikely that odds
    /// three times as high would still be below every threshold.
    pub fn far(&self, scan: &Scan<'_>, categories: &[Category]) -> Result<bool, EncodeError> {
        if self.settles(scan, categories) {
            return Ok(true);
        }
        let far = |(category, judged): (&Category, Judged)| {
            let nearer = (judged.score * FAR / (1.0 - judged.score)).ln();
            self.stack.confidence(*category, nearer) == Confidence::None
        };
        Ok(categories.iter().zip(self.judge(scan, categories)?).all(far))
    }

    /// What speaks for `category` in a window that [`Classifier::judge`] named.
    pub fn explain(&self, window: &str, category: Category) -> Explained {
        let (folded, head) = (fold(window), Head::from(category));
        let mut words = self.ngrams.words(&folded, head as usize);
        words.retain(|(word, weight)| *weight > 0.0 && word.chars().any(char::is_alphanumeric));
        words.truncate(8);
        Explained { words, settled: self.stack.clear(&self.first(&folded), heads_of(category)) }
    }

    fn first(&self, folded: &str) -> [f32; HEADS] {
        together(self.ngrams.logits(&features(folded, &self.rules)), self.vectors.logits(folded))
    }

    /// What the models say of `text`, and of its halves where it has more tokens than the encoder reads.
    fn look(
        &self,
        scan: &Scan<'_>,
        text: &str,
        heads: &[Head],
        encode: &dyn Fn() -> Result<Encoded, EncodeError>,
        into: &mut Vec<[f32; HEADS]>,
    ) -> Result<(), EncodeError> {
        let first = self.first(&fold(text));
        if self.stack.clear(&first, heads) {
            into.push(self.stack.first(&first));
            return Ok(());
        }
        let encoded = encode()?;
        into.push(self.stack.all(&first, &self.meaning.logits(&encoded)));
        if encoded.truncated {
            let middle = text.ceil_char_boundary(text.len() / 2);
            for half in [text.get(..middle), text.get(middle..)].into_iter().flatten() {
                // A half is shorter, or there is nothing left to part.
                if !half.is_empty() && half.len() < text.len() {
                    self.look(scan, half, heads, &|| scan.encode(half), into)?;
                }
            }
        }
        Ok(())
    }

    fn decide(&self, category: Category, looked: &[Looked]) -> Judged {
        let value =
            |looked: &Looked, head: Head| looked.values.get(head as usize).copied().unwrap_or(f32::NEG_INFINITY);
        let worst = |heads: &[Head]| {
            let windows = looked.iter().map(|looked| {
                (looked, heads.iter().map(|head| value(looked, *head)).fold(f32::NEG_INFINITY, f32::max))
            });
            windows.max_by(|a, b| a.1.total_cmp(&b.1))
        };
        let (window, value) =
            worst(heads_of(category)).map_or((0..0, f32::NEG_INFINITY), |(l, v)| (l.window.clone(), v));
        let attacks = (category == Category::PromptAttack).then(|| {
            [Attack::Jailbreak, Attack::Injection, Attack::Leakage]
                .map(|attack| (attack, worst(&[attack.into()]).map_or(0.0, |(_, value)| probability(value))))
        });
        Judged { score: probability(value), confidence: self.stack.confidence(category, value), window, attacks }
    }
}

fn probability(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// What the n-grams and the vectors say, as one model: their mean. Attacks are told by how they are worded, not by what they
/// are about, so the n-grams alone speak of them.
pub fn together(ngrams: [f32; HEADS], vectors: [f32; HEADS]) -> [f32; HEADS] {
    let attacks = heads_of(Category::PromptAttack);
    std::array::from_fn(|head| match attacks.iter().any(|attack| *attack as usize == head) {
        true => ngrams[head],
        false => (ngrams[head] + vectors[head]) / 2.0,
    })
}

/// The heads that speak for a filter.
fn heads_of(category: Category) -> &'static [Head] {
    match category {
        Category::Sexual => &[Head::Sexual],
        Category::Violence => &[Head::Violence],
        Category::Hate => &[Head::Hate],
        Category::Insults => &[Head::Insults],
        Category::PromptAttack => &[Head::PromptAttack, Head::Jailbreak, Head::Injection, Head::Leakage],
        Category::Misconduct => &[Head::Misconduct],
    }
}

#[cfg(test)]
mod tests;
