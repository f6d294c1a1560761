//! Denied topics: whether a text is about something that is known by a name, a definition and a few examples only.
//!
//! A cosine says little by itself: some topics are close to everything, and so are some texts. So every cosine is
//! measured against those of a built-in background of ordinary texts, and a text's against those that it has with a
//! built-in list of everyday subjects. What counts is how far above both it stands. One threshold then serves topics
//! that nobody has seen.

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
/// The everyday subjects.
pub const SUBJECTS: usize = 153;
/// From here on a text is about a topic.
const THRESHOLD: f32 = 0.5;
/// What a definition lists is compared item by item; so many items at most.
const ITEMS: usize = 12;

/// How far a text must stand above the background where no example tells. The constants here were chosen on one half of
/// our own topics (docs/guardrails.md), but for what three and more examples ask for: that on `topics_eval`.
const BAR: f32 = 3.1;
/// The same with examples, at least.
const BAR_WITH_EXAMPLES: f32 = 3.0;
/// Fewer examples do not tell how far a topic reaches.
const TELLING: usize = 3;
/// How much more than the examples' own standing is asked for where they tell: a topic may lie among others that are
/// much like it.
const OWN: f32 = 0.4;
/// How much of a text's closeness to everything is taken off.
const CLOSE_TO_ALL: f32 = 0.8;
/// A text this close to an example is that example, but for a word.
const SAME: f32 = 0.85;

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
    subjects: Vec<Anchor>,
}

/// What a topic is known by.
#[derive(Debug)]
struct Anchors {
    /// The definition with the name.
    named: Anchor,
    /// The definition alone.
    meaning: Anchor,
    /// What it lists, each with the name: an instance is close to one of them and to no other.
    items: Vec<Anchor>,
    examples: Option<Examples>,
}

#[derive(Debug)]
struct Examples {
    each: Vec<Anchor>,
    middle: Anchor,
    /// How far a text must stand above the background.
    bar: f32,
}

/// A vector, and how close the background is to it.
#[derive(Debug)]
struct Anchor {
    vector: Vec<f32>,
    mean: f32,
    deviation: f32,
}

impl Topics {
    /// Encodes `topics` once.
    pub fn new(topics: &[Topic], encoder: &dyn Encoder) -> Result<Self, Refused> {
        if topics.is_empty() {
            return Ok(Self::default());
        }
        let tensors = Tensors::read(FILE, WEIGHTS)?;
        let background = tensors.rows("background", BACKGROUND, WIDTH)?;
        let subjects = tensors.rows("cohort", SUBJECTS, WIDTH)?;
        let made = topics.iter().map(|topic| Anchors::new(topic, &background, encoder));
        Ok(Self {
            topics: made.collect::<Result<_, _>>()?,
            subjects: subjects.chunks_exact(WIDTH).map(|row| Anchor::new(row.to_vec(), &background)).collect(),
        })
    }

    /// How close the text of `scan` is to each topic, in their order.
    pub fn judge(&self, scan: &Scan<'_>) -> Result<Vec<Judged>, EncodeError> {
        let far = Judged { score: 0.0, threshold: THRESHOLD, window: 0..scan.text().len() };
        let mut judged = vec![far; self.topics.len()];
        if judged.is_empty() {
            return Ok(judged);
        }
        for (at, window) in scan.windows().iter().enumerate() {
            let vector = &scan.encoded(at)?.vector[..];
            let all = CLOSE_TO_ALL * mean(&self.subjects, vector);
            for (topic, judged) in self.topics.iter().zip(&mut judged) {
                let score = topic.score(vector, all);
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
    fn new(topic: &Topic, background: &[f32], encoder: &dyn Encoder) -> Result<Self, EncodeError> {
        let name = topic.name.replace(['-', '_'], " ");
        let definition = subject(&topic.definition);
        let named = format!("{name}: {definition}");
        let items: Vec<String> = items(definition).into_iter().map(|item| format!("{name}: {item}")).collect();
        let texts: Vec<&str> = [named.as_str(), definition]
            .into_iter()
            .chain(items.iter().map(String::as_str))
            .chain(topic.examples.iter().map(String::as_str))
            .collect();
        let mut encoded = encoder.encode(&texts)?.into_iter().map(|encoded| encoded.vector);
        let mut next = || encoded.next().unwrap_or_default();
        let (named, meaning) = (next(), next());
        let items = items.iter().map(|_| Anchor::new(next(), background)).collect();
        let examples: Vec<Vec<f32>> = encoded.collect();
        let examples = (!examples.is_empty()).then(|| Examples::new(&named, &meaning, examples, background));
        let (named, meaning) = (Anchor::new(named, background), Anchor::new(meaning, background));
        Ok(Self { named, meaning, items, examples })
    }

    /// 0 to 1; a half is the threshold. `all` is how close the text is to anything.
    fn score(&self, text: &[f32], all: f32) -> f32 {
        let items = greatest(&self.items, text) + mean(&self.items, text);
        let meaning = (self.named.standing(text) + self.meaning.standing(text) + items) / 4.0 - all;
        let Some(examples) = &self.examples else { return squeezed(meaning - BAR) };
        let nearest = greatest(&examples.each, text) - all;
        let middle = examples.middle.standing(text) - all;
        // Each stands higher by itself than the three do together: they are brought back to the scale of one.
        let above = (meaning + 0.5 * nearest + 0.5 * middle) / 1.7 - examples.bar;
        let closest = examples.each.iter().map(|example| cosine(&example.vector, text)).fold(0.0, f32::max);
        let same = if closest >= SAME { closest.min(1.0) } else { 0.0 };
        squeezed(above).max(same)
    }
}

impl Examples {
    fn new(named: &[f32], meaning: &[f32], vectors: Vec<Vec<f32>>, background: &[f32]) -> Self {
        // Each example against the middle of all else that is known.
        let mut own = 0.0;
        for at in 0..vectors.len() {
            let others = vectors.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| &other[..]);
            let anchor = Anchor::new(middle([named, meaning].into_iter().chain(others)), background);
            own += anchor.standing(&vectors[at]) / vectors.len() as f32;
        }
        let told = if vectors.len() < TELLING { 0.0 } else { own + OWN };
        let bar = told.max(BAR_WITH_EXAMPLES);
        Self {
            middle: Anchor::new(middle(vectors.iter().map(Vec::as_slice)), background),
            each: vectors.into_iter().map(|vector| Anchor::new(vector, background)).collect(),
            bar,
        }
    }
}

fn squeezed(above: f32) -> f32 {
    1.0 / (1.0 + (-above).exp())
}

fn mean(anchors: &[Anchor], text: &[f32]) -> f32 {
    anchors.iter().map(|anchor| anchor.standing(text)).sum::<f32>() / anchors.len().max(1) as f32
}

fn greatest(anchors: &[Anchor], text: &[f32]) -> f32 {
    anchors.iter().map(|anchor| anchor.standing(text)).fold(f32::NEG_INFINITY, f32::max)
}

/// What a definition lists; all of it where it lists nothing.
fn items(definition: &str) -> Vec<&str> {
    const PARTING: [&str; 8] = [" and ", " or ", " such as ", " including ", " e.g.", " about ", " which ", " that "];
    let mut parts = vec![definition];
    for word in PARTING {
        parts = parts.into_iter().flat_map(|part| part.split(word)).collect();
    }
    let parts = parts.into_iter().flat_map(|part| part.split([',', '.', ';', ':', '(', ')', '/']));
    let parts = parts.map(|part| part.trim().trim_start_matches("or ").trim_start_matches("and "));
    let mut parts: Vec<&str> = parts.filter(|part| part.chars().count() > 2).take(ITEMS).collect();
    if parts.is_empty() {
        parts.push(definition);
    }
    parts
}

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
    const BEGINNINGS: [&str; 63] = [
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
        "talk of",
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
        "the user wants help with",
        "the user asks for",
        "the user asks about",
        "the subject of",
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
