//! Cuts where neighbouring sentences are least alike, in two steps, because embedding is not done here.

use std::ops::Range;

use super::pack::{Packer, span};
use super::units::{Outline, Unit};
use super::{Chunk, Tokens};
use crate::{Document, Failure};

/// The longest text that is cut by meaning, in characters, as the service has it.
pub const SEMANTIC_LIMIT: usize = 1_000_000;

/// A document about to be cut by meaning: embed its [`groups`](Self::groups), then [`cut`](Self::cut).
pub struct Semantic {
    outline: Outline,
    buffer: usize,
}

impl Semantic {
    /// Prepares a document. `buffer` sentences before and after count with each.
    pub fn new(document: &Document, buffer: u32) -> Result<Self, Failure> {
        let outline = Outline::of(document);
        if outline.text.chars().count() > SEMANTIC_LIMIT {
            return Err(Failure::Limit(format!(
                "File body text exceeds size limit of {SEMANTIC_LIMIT} for semantic chunking."
            )));
        }
        Ok(Self { outline, buffer: buffer as usize })
    }

    /// What to embed: a text for each sentence, with its neighbours.
    pub fn groups(&self) -> Vec<String> {
        let units = &self.outline.units;
        let around = |at: usize| at.saturating_sub(self.buffer)..(at + self.buffer + 1).min(units.len());
        (0..units.len()).map(|at| self.outline.text[span(&units[around(at)])].to_owned()).collect()
    }

    /// Cuts at the `100 - percentile` percent of neighbours whose vectors are least alike, then to `max_tokens`.
    ///
    /// `vectors` holds one vector for each group. Where it does not, the text is cut by length alone.
    pub fn cut(&self, vectors: &[Vec<f32>], percentile: u32, max_tokens: u32, tokens: &dyn Tokens) -> Vec<Chunk> {
        let units = &self.outline.units;
        let mut cuts: Vec<usize> = (1..units.len()).filter(|&at| units[at].border).map(|at| at - 1).collect();
        if vectors.len() == units.len() {
            cuts.extend(breakpoints(units, vectors, percentile));
            cuts.sort_unstable();
        }
        let packer = Packer::new(&self.outline, tokens, (max_tokens as usize).max(1), 0);
        pieces(&cuts, units.len()).into_iter().flat_map(|piece| packer.within(&units[piece])).collect()
    }
}

/// Behind which sentences to cut beside the borders, where it is done anyway: the most distant neighbours. A heading
/// stays with what follows; what is said below it may begin as far from the text above as from the heading.
fn breakpoints(units: &[Unit], vectors: &[Vec<f32>], percentile: u32) -> Vec<usize> {
    let mut distances: Vec<(usize, f32)> = Vec::new();
    for (at, pair) in vectors.windows(2).enumerate() {
        let distance = 1.0 - cosine(&pair[0], &pair[1]);
        if !units[at].heading {
            distances.push((at, distance));
        } else if let Some(above) = distances.last_mut() {
            above.1 = above.1.max(distance);
        }
    }
    distances.retain(|(at, _)| !units[at + 1].border);
    let count = (distances.len() as f64 * f64::from(100 - percentile.min(100)) / 100.0).round() as usize;
    distances.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    distances.into_iter().take(count).map(|(at, _)| at).collect()
}

fn pieces(cuts: &[usize], units: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for cut in cuts {
        pieces.push(from..cut + 1);
        from = cut + 1;
    }
    if from < units {
        pieces.push(from..units);
    }
    pieces
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let norm = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
    let both = norm(a) * norm(b);
    if both > 0.0 { dot / both } else { 0.0 }
}
