//! Denied topics: whether a text is about something that is known by a name, a definition and a few examples only.
//!
//! A cosine says little by itself: some topics are close to everything. So every cosine is measured against those of a
//! built-in background of ordinary texts, and what counts is how far above them it stands. One threshold then serves
//! topics that nobody has seen.

mod words;

use std::collections::BTreeSet;
use std::ops::Range;

use crate::Refused;
use crate::content::tensors::Tensors;
use crate::encoder::{EncodeError, Encoder};
use crate::policy::Topic;
use crate::scan::Scan;
pub use words::words;
use words::{Common, Vocabulary};

const FILE: &str = "topics.safetensors";
const WEIGHTS: &[u8] = include_bytes!("../weights/topics.safetensors");
/// The values in a sentence vector.
const WIDTH: usize = 384;
/// The texts of the background.
pub const BACKGROUND: usize = 400;
/// From here on a text is about a topic.
const THRESHOLD: f32 = 0.5;

/// How close a text is to a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// How close it is, 0 to 1.
    pub score: f32,
    /// From where on a text is about the topic.
    pub threshold: f32,
    /// The window that is closest, in bytes.
    pub window: Range<usize>,
}

/// The topics of a guardrail, ready to be compared.
#[derive(Debug, Default)]
pub struct Topics {
    topics: Vec<Anchors>,
}

/// What a topic is known by.
#[derive(Debug, Default)]
struct Anchors {
    /// The definition, with and without the name.
    meaning: Vec<Anchor>,
    /// The middle of the definition and the examples.
    middle: Anchor,
    /// How far the examples themselves stand above the background: a loose topic asks for less than a tight one.
    own: f32,
    words: Vocabulary,
}

/// A vector, and how close the background is to it.
#[derive(Debug, Default)]
struct Anchor {
    vector: Vec<f32>,
    mean: f32,
    deviation: f32,
}

/// A text as topics see it.
struct Seen<'a> {
    vector: &'a [f32],
    words: BTreeSet<String>,
}

impl Topics {
    /// Encodes `topics` once.
    pub fn new(topics: &[Topic], encoder: &dyn Encoder) -> Result<Self, Refused> {
        if topics.is_empty() {
            return Ok(Self::default());
        }
        let tensors = Tensors::read(FILE, WEIGHTS)?;
        let background = tensors.rows("background", BACKGROUND, WIDTH)?;
        let common = Common::read(&tensors)?;
        let made = topics.iter().map(|topic| Anchors::new(topic, &background, &common, encoder));
        Ok(Self { topics: made.collect::<Result<_, _>>()? })
    }

    /// How close the text of `scan` is to each topic, in their order.
    pub fn judge(&self, scan: &Scan<'_>) -> Result<Vec<Judged>, EncodeError> {
        let far = Judged { score: 0.0, threshold: THRESHOLD, window: 0..scan.text().len() };
        let mut judged = vec![far; self.topics.len()];
        if judged.is_empty() {
            return Ok(judged);
        }
        for (at, window) in scan.windows().iter().enumerate() {
            let seen = Seen { vector: &scan.encoded(at)?.vector, words: words(scan.window(at)) };
            for (topic, judged) in self.topics.iter().zip(&mut judged) {
                let score = topic.score(&seen);
                if score > judged.score {
                    judged.score = score;
                    judged.window = window.range.clone();
                }
            }
        }
        Ok(judged)
    }
}

impl Anchors {
    fn new(topic: &Topic, background: &[f32], common: &Common, encoder: &dyn Encoder) -> Result<Self, EncodeError> {
        let name = topic.name.replace(['-', '_'], " ");
        let definition = subject(&topic.definition);
        let named = format!("{name}: {definition}");
        let texts: Vec<&str> =
            [named.as_str(), definition].into_iter().chain(topic.examples.iter().map(String::as_str)).collect();
        let vectors: Vec<Vec<f32>> = encoder.encode(&texts)?.into_iter().map(|encoded| encoded.vector).collect();
        let middle = |without: Option<usize>| {
            let some = vectors.iter().enumerate().filter(|(at, _)| Some(*at) != without);
            Anchor::new(middle(some.map(|(_, vector)| vector.as_slice())), background)
        };
        // Each example against the middle of all the others.
        let own: Vec<f32> =
            vectors.iter().enumerate().skip(2).map(|(at, vector)| middle(Some(at)).standing(vector)).collect();
        Ok(Self {
            middle: middle(None),
            own: if own.is_empty() { UNKNOWN } else { own.iter().sum::<f32>() / own.len() as f32 },
            words: Vocabulary::new(&name, definition, &topic.examples, common),
            meaning: vectors.iter().take(2).map(|vector| Anchor::new(vector.clone(), background)).collect(),
        })
    }

    /// 0 to 1; a half is the threshold. The weights are the best of a small grid on half of the topics that were
    /// measured, and held on the other half.
    fn score(&self, seen: &Seen<'_>) -> f32 {
        const MEANING: f32 = 0.5;
        const WORDS: f32 = 4.0;
        const NEEDED: f32 = 0.5;
        let meaning = self.meaning.iter().map(|anchor| anchor.standing(seen.vector)).fold(f32::NEG_INFINITY, f32::max);
        let middle = self.middle.standing(seen.vector);
        let above = MEANING * meaning + (1.0 - MEANING) * middle - self.own + WORDS * self.words.share(&seen.words);
        1.0 / (1.0 + (NEEDED - above).exp())
    }
}

/// How far a topic's texts stand above the background where no example tells: half a percent of ordinary questions are
/// flagged then, and more of those that are close to the topic.
const UNKNOWN: f32 = 5.2;

impl Anchor {
    fn new(vector: Vec<f32>, background: &[f32]) -> Self {
        let cosines: Vec<f32> = background.chunks_exact(WIDTH).map(|row| cosine(&vector, row)).collect();
        let count = cosines.len().max(1) as f32;
        let mean = cosines.iter().sum::<f32>() / count;
        let variance = cosines.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count;
        Self { vector, mean, deviation: variance.sqrt().max(1e-3) }
    }

    fn standing(&self, vector: &[f32]) -> f32 {
        (cosine(&self.vector, vector) - self.mean) / self.deviation
    }
}

/// The middle of vectors, of length 1.
fn middle<'a>(vectors: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let mut sum = vec![0.0; WIDTH];
    for vector in vectors {
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
    }
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
    sum.iter_mut().for_each(|x| *x /= length);
    sum
}

/// The product of two vectors of length 1.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// What a definition is about, without what it orders: "Avoid specific financial advice" speaks of financial advice.
pub fn subject(definition: &str) -> &str {
    /// What definitions begin with before they come to their subject. Longer beginnings first.
    const BEGINNINGS: [&str; 58] = [
        "do not allow",
        "don't allow",
        "do not",
        "don't",
        "must not",
        "should not",
        "never",
        "avoid",
        "refuse",
        "reject",
        "decline",
        "deny",
        "block",
        "prevent",
        "stop",
        "forbid",
        "prohibit",
        "disallow",
        "filter out",
        "filter",
        "to",
        "provide",
        "providing",
        "give",
        "giving",
        "offer",
        "offering",
        "answer",
        "answering",
        "discuss",
        "discussing",
        "talk about",
        "talking about",
        "engage in",
        "engaging in",
        "respond to",
        "help with",
        "instructions for",
        "instructions on",
        "instructions to",
        "instructions about",
        "questions about",
        "questions on",
        "questions related to",
        "questions regarding",
        "any questions about",
        "requests for",
        "requests to",
        "requests about",
        "content about",
        "content related to",
        "discussions of",
        "discussions about",
        "anything about",
        "anything related to",
        "topics related to",
        "statements about",
        "any",
    ];
    let mut rest = definition.trim();
    'again: loop {
        for beginning in BEGINNINGS {
            let Some((head, tail)) = rest.split_at_checked(beginning.len()) else { continue };
            let cut = head.eq_ignore_ascii_case(beginning) && tail.starts_with([' ', ',', ':']);
            let tail = tail.trim_start_matches([' ', ',', ':']);
            // Two words at least must be left: a subject that is gone says nothing.
            if cut && tail.split_whitespace().count() >= 2 {
                rest = tail;
                continue 'again;
            }
        }
        return rest;
    }
}

#[cfg(test)]
mod tests;
