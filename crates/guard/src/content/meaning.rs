//! What the encoder says of a text: a linear head on its vector, and the tuned layers.

use super::heads::HEADS;
use super::tensors::Tensors;
use super::tuned::{Tuned, WIDTH};
use crate::{Encoded, Refused};

pub(super) struct Meaning {
    /// For each head a row.
    weights: Vec<f32>,
    bias: [f32; HEADS],
    tuned: Tuned,
}

impl Meaning {
    pub(super) fn load(tensors: &Tensors<'_>) -> Result<Self, Refused> {
        Ok(Self {
            weights: tensors.f32("meaning.weights", &[HEADS, WIDTH])?,
            bias: tensors.array("meaning.bias")?,
            tuned: Tuned::load(tensors)?,
        })
    }

    /// The heads' values, a model a row.
    pub(super) fn logits(&self, encoded: &Encoded) -> [[f32; HEADS]; super::MODELS - 1] {
        let mut logits = self.bias;
        for (logit, row) in logits.iter_mut().zip(self.weights.chunks_exact(WIDTH)) {
            *logit += row.iter().zip(&encoded.vector).map(|(w, x)| w * x).sum::<f32>();
        }
        [logits, self.tuned.logits(&encoded.states)]
    }
}
