//! Several models' values become one: calibrated log-odds, and Bedrock's steps.

use super::heads::{HEADS, Head};
use super::tensors::Tensors;
use super::{Category, Confidence};
use crate::Refused;

/// The models: words (n-grams, rules and static vectors), a linear head on the sentence vector, the tuned layers.
pub const MODELS: usize = 3;
/// A head's value is weighed from every model's value of it, and every model's value of `ANY`; then a constant.
const INPUTS: usize = 2 * MODELS + 1;

pub(super) struct Stack {
    /// For each head the weights over all models.
    all: Vec<f32>,
    /// For each head factor and constant where the words stand alone.
    first: Vec<f32>,
    /// For each head the log-odds of the words alone below which it is clear.
    clear: [f32; HEADS],
    /// For each filter, from where on confidence is low, medium, high.
    steps: Vec<f32>,
}

impl Stack {
    pub(super) fn load(tensors: &Tensors<'_>) -> Result<Self, Refused> {
        Ok(Self {
            all: tensors.f32("stack.all", &[HEADS, INPUTS])?,
            first: tensors.f32("stack.first", &[HEADS, 2])?,
            clear: tensors.array("stack.clear")?,
            steps: tensors.f32("stack.steps", &[Category::ALL.len(), 3])?,
        })
    }

    /// Whether the words alone show that a text is none of `heads`, nor unsafe in another way.
    pub(super) fn clear(&self, first: &[f32; HEADS], heads: &[Head]) -> bool {
        let values = self.first(first);
        let below = |head: &Head| values[*head as usize] < self.clear[*head as usize];
        heads.iter().all(below) && below(&Head::Any)
    }

    /// Lets nothing be clear.
    pub(super) fn never_clear(&mut self) {
        self.clear = [f32::NEG_INFINITY; HEADS];
    }

    /// Log-odds where the words stand alone.
    pub(super) fn first(&self, first: &[f32; HEADS]) -> [f32; HEADS] {
        let mut values = *first;
        for (value, weights) in values.iter_mut().zip(self.first.as_chunks::<2>().0) {
            *value = *value * weights[0] + weights[1];
        }
        values
    }

    /// Log-odds from all models.
    pub(super) fn all(&self, first: &[f32; HEADS], others: &[[f32; HEADS]; MODELS - 1]) -> [f32; HEADS] {
        let any = |model: &[f32; HEADS]| model[Head::Any as usize];
        let mut values = [0.0; HEADS];
        for (head, (value, weights)) in values.iter_mut().zip(self.all.as_chunks::<INPUTS>().0).enumerate() {
            *value = weights[INPUTS - 1];
            for (model, pair) in std::iter::once(first).chain(others).zip(weights.as_chunks::<2>().0) {
                *value += model.get(head).copied().unwrap_or_default() * pair[0] + any(model) * pair[1];
            }
        }
        values
    }

    pub(super) fn confidence(&self, category: Category, value: f32) -> Confidence {
        let steps =
            Category::ALL.iter().position(|c| *c == category).and_then(|at| self.steps.as_chunks::<3>().0.get(at));
        match steps {
            Some([_, _, high]) if value >= *high => Confidence::High,
            Some([_, medium, _]) if value >= *medium => Confidence::Medium,
            Some([low, _, _]) if value >= *low => Confidence::Low,
            _ => Confidence::None,
        }
    }
}
