//! Static word vectors: every piece of a word has one vector, distilled from the encoder's own; a text is their weighted
//! mean, and a small network reads it. It knows words that it was never trained with, costs microseconds, and does not
//! see their order.

use std::collections::HashMap;

use super::heads::HEADS;
use super::tensors::Tensors;
use crate::Refused;

/// The values of a vector.
pub const DIMENSIONS: usize = 64;
/// The values inside the network.
pub const HIDDEN: usize = 64;
/// No longer piece is looked for.
const LONGEST: usize = 20;

/// The pieces of words that have a vector. Pieces within a word begin with `##`, as in the encoder's vocabulary.
#[derive(Debug, Default)]
pub struct Vocabulary(HashMap<Box<str>, u32>);

impl Vocabulary {
    /// Pieces by their places.
    pub fn new<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Self {
        Self(pieces.into_iter().zip(0..).map(|(piece, at)| (piece.into(), at)).collect())
    }

    /// How often each piece stands in a folded text, in the order of their places. The longest piece that fits comes
    /// first; what fits nowhere is left out.
    pub fn pieces(&self, folded: &str) -> Vec<(u32, u32)> {
        let (mut found, mut inner) = (Vec::new(), String::new());
        for (_, word) in super::ngrams::words(folded) {
            let mut rest = word;
            while !rest.is_empty() {
                let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST).collect::<Vec<_>>();
                let longest = ends.iter().rev().find_map(|end| {
                    let piece = rest.get(..*end)?;
                    if rest.len() == word.len() {
                        return Some((*end, *self.0.get(piece)?));
                    }
                    inner.clear();
                    inner.push_str("##");
                    inner.push_str(piece);
                    Some((*end, *self.0.get(inner.as_str())?))
                });
                let Some((end, at)) = longest else { break };
                found.push(at);
                rest = rest.get(end..).unwrap_or_default();
            }
        }
        found.sort_unstable();
        found.chunk_by(|a, b| a == b).filter_map(|same| Some((*same.first()?, same.len() as u32))).collect()
    }
}

/// How much a piece counts, from the byte that keeps it: steps of its logarithm, 0 for the rarest.
pub fn counted(byte: i8) -> f32 {
    (f32::from(byte) / -COUNTED).exp()
}

/// The byte that `counted` reads.
pub fn counting(weight: f32) -> i8 {
    (-weight.ln() * COUNTED).round().clamp(0.0, 127.0) as i8
}

/// Steps of a logarithm.
const COUNTED: f32 = 24.0;

/// How much a piece counts that stands `times` in a text.
pub fn repeated(times: u32) -> f32 {
    1.0 + (times as f32).ln()
}

/// The trained model.
pub(super) struct Vectors {
    vocabulary: Vocabulary,
    table: Vec<f32>,
    /// How much each piece counts: frequent ones count little.
    weights: Vec<f32>,
    inner: Vec<f32>,
    inner_bias: Vec<f32>,
    outer: Vec<f32>,
    straight: Vec<f32>,
    bias: [f32; HEADS],
}

impl Vectors {
    pub(super) fn load(tensors: &Tensors<'_>) -> Result<Self, Refused> {
        let pieces = tensors.text("vectors.pieces")?;
        let count = pieces.lines().count();
        Ok(Self {
            vocabulary: Vocabulary::new(pieces.lines()),
            table: tensors.rows("vectors.table", count, DIMENSIONS)?,
            weights: tensors.i8("vectors.weights", &[count])?.into_iter().map(counted).collect(),
            inner: tensors.f32("vectors.inner", &[HIDDEN, DIMENSIONS])?,
            inner_bias: tensors.f32("vectors.inner.bias", &[HIDDEN])?,
            outer: tensors.f32("vectors.outer", &[HEADS, HIDDEN])?,
            straight: tensors.f32("vectors.straight", &[HEADS, DIMENSIONS])?,
            bias: tensors.array("vectors.bias")?,
        })
    }

    /// The heads' values for a folded text.
    pub(super) fn logits(&self, folded: &str) -> [f32; HEADS] {
        let (mut mean, mut total) = ([0.0f32; DIMENSIONS], 0.0);
        for (at, times) in self.vocabulary.pieces(folded) {
            let weight = self.weights.get(at as usize).copied().unwrap_or_default() * repeated(times);
            let row = self.table.as_chunks::<DIMENSIONS>().0.get(at as usize);
            mean.iter_mut().zip(row.into_iter().flatten()).for_each(|(sum, x)| *sum += weight * x);
            total += weight;
        }
        mean.iter_mut().for_each(|x| *x /= total.max(1e-6));
        let mut hidden = [0.0f32; HIDDEN];
        for ((value, row), bias) in hidden.iter_mut().zip(self.inner.as_chunks::<DIMENSIONS>().0).zip(&self.inner_bias)
        {
            *value = (bias + product(row, &mean)).max(0.0);
        }
        let mut logits = self.bias;
        let rows = self.outer.as_chunks::<HIDDEN>().0.iter().zip(self.straight.as_chunks::<DIMENSIONS>().0);
        for (logit, (outer, straight)) in logits.iter_mut().zip(rows) {
            *logit += product(outer, &hidden) + product(straight, &mean);
        }
        logits
    }
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests;
