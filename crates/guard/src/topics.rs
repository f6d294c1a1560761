//! Denied topics: whether a text is about something that is known by a name, a definition and a few examples only.
//!
//! A cosine says little by itself: some topics are close to everything. So every cosine is measured against those of a
//! built-in background of ordinary texts, and what counts is how far above them it stands. One threshold then serves
//! topics that nobody has seen.

use std::ops::Range;

use crate::Refused;
use crate::content::tensors::Tensors;
use crate::encoder::{EncodeError, Encoder};
use crate::policy::Topic;
use crate::scan::Scan;

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
    meaning: Vec<Anchor>,
    examples: Vec<Anchor>,
}

/// A vector, and how close the background is to it.
#[derive(Debug)]
struct Anchor {
    vector: Vec<f32>,
    mean: f32,
    deviation: f32,
}

/// How far above the background a text stands at a topic.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Standing {
    /// At the name and the definition, the closer of the two.
    pub meaning: f32,
    /// At the closest example; none where there are no examples.
    pub closest: Option<f32>,
    /// At all examples, in the mean.
    pub examples: Option<f32>,
}

impl Topics {
    /// Encodes `topics` once.
    pub fn new(topics: &[Topic], encoder: &dyn Encoder) -> Result<Self, Refused> {
        if topics.is_empty() {
            return Ok(Self::default());
        }
        let background = Tensors::read(FILE, WEIGHTS)?.rows("background", BACKGROUND, WIDTH)?;
        let mut anchors = Vec::new();
        for topic in topics {
            let name = topic.name.replace(['-', '_'], " ");
            let definition = subject(&topic.definition);
            let meaning = [format!("{name}: {definition}"), definition.to_owned()];
            let encode = |texts: &[&str]| -> Result<Vec<Anchor>, EncodeError> {
                let encoded = encoder.encode(texts)?;
                Ok(encoded.into_iter().map(|encoded| Anchor::new(encoded.vector, &background)).collect())
            };
            let examples: Vec<&str> = topic.examples.iter().map(String::as_str).collect();
            anchors.push(Anchors {
                meaning: encode(&meaning.each_ref().map(String::as_str))?,
                examples: encode(&examples)?,
            });
        }
        Ok(Self { topics: anchors })
    }

    /// How close the text of `scan` is to each topic, in their order.
    pub fn judge(&self, scan: &Scan<'_>) -> Result<Vec<Judged>, EncodeError> {
        let far = Judged { score: 0.0, threshold: THRESHOLD, window: 0..scan.text().len() };
        let mut judged = vec![far; self.topics.len()];
        if judged.is_empty() {
            return Ok(judged);
        }
        for (at, window) in scan.windows().iter().enumerate() {
            let encoded = scan.encoded(at)?;
            for (topic, judged) in self.topics.iter().zip(&mut judged) {
                let score = topic.standing(&encoded.vector).score();
                if score > judged.score {
                    judged.score = score;
                    judged.window = window.range.clone();
                }
            }
        }
        Ok(judged)
    }

    /// How a text's vector stands to each topic: what the score is made of.
    pub fn standings(&self, vector: &[f32]) -> Vec<Standing> {
        self.topics.iter().map(|topic| topic.standing(vector)).collect()
    }
}

impl Anchors {
    fn standing(&self, vector: &[f32]) -> Standing {
        let closest =
            |anchors: &[Anchor]| anchors.iter().map(|anchor| anchor.standing(vector)).fold(f32::NEG_INFINITY, f32::max);
        let some = !self.examples.is_empty();
        let sum: f32 = self.examples.iter().map(|anchor| anchor.standing(vector)).sum();
        Standing {
            meaning: closest(&self.meaning),
            closest: some.then(|| closest(&self.examples)),
            examples: some.then(|| sum / self.examples.len() as f32),
        }
    }
}

impl Standing {
    /// 0 to 1; a half is the threshold.
    pub fn score(self) -> f32 {
        /// The weights of the parts, and where the half lies: `xtask bench-guardrails --only topics` fits them.
        const WITH: [f32; 4] = [0.35, 0.4, 0.25, -3.6];
        const WITHOUT: [f32; 2] = [1.0, -3.9];
        let value = match self.closest.zip(self.examples) {
            Some((closest, examples)) => {
                let [a, b, c, constant] = WITH;
                let value = a * self.meaning + b * closest + c * examples + constant;
                // An example said again is its topic, whatever the definition says.
                value.max(closest - 6.5)
            }
            None => WITHOUT[0] * self.meaning + WITHOUT[1],
        };
        1.0 / (1.0 + (-2.0 * value).exp())
    }
}

impl Anchor {
    fn new(vector: Vec<f32>, background: &[f32]) -> Self {
        let cosines: Vec<f32> = background.chunks_exact(WIDTH).map(|row| cosine(&vector, row)).collect();
        let count = cosines.len().max(1) as f32;
        let mean = cosines.iter().sum::<f32>() / count;
        let variance = cosines.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count;
        Self { vector, mean, deviation: variance.sqrt().max(0.03) }
    }

    fn standing(&self, vector: &[f32]) -> f32 {
        (cosine(&self.vector, vector) - self.mean) / self.deviation
    }
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
