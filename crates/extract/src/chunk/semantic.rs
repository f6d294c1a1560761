//! Cuts where neighbouring sentences are least alike, in two steps, because embedding is not done here.

use std::ops::Range;

use super::pack::{Packer, span};
use super::units::Outline;
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
        let mut cuts = Vec::new();
        if vectors.len() == units.len() {
            cuts = breakpoints(vectors, percentile);
        }
        let packer = Packer::new(&self.outline, tokens, (max_tokens as usize).max(1), 0);
        pieces(&cuts, units.len()).into_iter().flat_map(|piece| packer.within(&units[piece])).collect()
    }
}

/// Behind which sentences to cut: the most distant neighbours, in the order of the text.
fn breakpoints(vectors: &[Vec<f32>], percentile: u32) -> Vec<usize> {
    let distances: Vec<f32> = vectors.windows(2).map(|pair| 1.0 - cosine(&pair[0], &pair[1])).collect();
    let count = (distances.len() as f64 * f64::from(100 - percentile.min(100)) / 100.0).round() as usize;
    let mut order: Vec<usize> = (0..distances.len()).collect();
    order.sort_by(|a, b| distances[*b].total_cmp(&distances[*a]).then(a.cmp(b)));
    let mut cuts: Vec<usize> = order.into_iter().take(count).collect();
    cuts.sort_unstable();
    cuts
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
