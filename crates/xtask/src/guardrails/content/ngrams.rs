//! Logistic regression on hashed n-grams: AdaGrad over seeded orders, then eight bits a weight.

use std::path::Path;

use outcrop_guard::content::{BUCKETS, Features, HEADS, RULES};

use super::Example;
use crate::guardrails::tensors::{File, Tensors};

const EPOCHS: usize = 5;
const RATE: f32 = 0.5;
/// Rules are few and dense: they learn slower.
const RULE_RATE: f32 = 0.05;
/// Pulls every weight that is touched towards zero.
const DECAY: f32 = 2e-6;

pub(super) struct Model {
    weights: Vec<f32>,
    rules: Vec<f32>,
    bias: [f32; HEADS],
}

pub(super) fn train(examples: &[(&Features, Example)], seed: u64) -> Model {
    let mut model = Model { weights: vec![0.0; BUCKETS * HEADS], rules: vec![0.0; RULES * HEADS], bias: [-2.0; HEADS] };
    let mut squares = vec![1e-2f32; BUCKETS * HEADS];
    let mut rule_squares = vec![1.0f32; RULES * HEADS];
    let mut bias_squares = [1.0f32; HEADS];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for (features, example) in order.iter().filter_map(|at| examples.get(*at)) {
            let logits = model.logits(features);
            let slopes = example.slopes(&logits);
            let scale = 1.0 / (features.buckets.len().max(1) as f32).sqrt();
            for bucket in &features.buckets {
                let row = *bucket as usize * HEADS..(*bucket as usize + 1) * HEADS;
                let (Some(weights), Some(squares)) = (model.weights.get_mut(row.clone()), squares.get_mut(row)) else {
                    continue;
                };
                for ((w, g2), slope) in weights.iter_mut().zip(squares).zip(slopes) {
                    if slope != 0.0 {
                        let g = slope * scale + DECAY * *w;
                        *g2 += g * g;
                        *w -= RATE * g / g2.sqrt();
                    }
                }
            }
            for rule in &features.rules {
                let row = rule * HEADS..(rule + 1) * HEADS;
                let (Some(weights), Some(squares)) = (model.rules.get_mut(row.clone()), rule_squares.get_mut(row))
                else {
                    continue;
                };
                for ((w, g2), slope) in weights.iter_mut().zip(squares).zip(slopes) {
                    *g2 += slope * slope;
                    *w -= RULE_RATE * slope / g2.sqrt();
                }
            }
            for ((b, g2), slope) in model.bias.iter_mut().zip(&mut bias_squares).zip(slopes) {
                *g2 += slope * slope;
                *b -= RULE_RATE * slope / g2.sqrt();
            }
        }
    }
    model
}

impl Model {
    pub(super) fn logits(&self, features: &Features) -> [f32; HEADS] {
        let mut sums = [0.0f32; HEADS];
        for bucket in &features.buckets {
            let row = self.weights.iter().skip(*bucket as usize * HEADS);
            sums.iter_mut().zip(row).for_each(|(sum, w)| *sum += w);
        }
        let scale = 1.0 / (features.buckets.len().max(1) as f32).sqrt();
        let mut logits = self.bias;
        logits.iter_mut().zip(sums).for_each(|(logit, sum)| *logit += sum * scale);
        for rule in &features.rules {
            logits.iter_mut().zip(self.rules.iter().skip(rule * HEADS)).for_each(|(logit, w)| *logit += w);
        }
        logits
    }

    /// Every value as it is.
    pub(super) fn exact(&self, file: &mut File) {
        file.f32("weights", &[BUCKETS, HEADS], &self.weights);
        file.f32("rules", &[RULES, HEADS], &self.rules);
        file.f32("bias", &[HEADS], &self.bias);
    }

    /// What [`Model::exact`] wrote.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let tensors = Tensors::read(path)?;
        let bias = tensors.f32("bias")?.try_into().map_err(|_| "the constants of the n-grams have another number")?;
        Ok(Self { weights: tensors.f32("weights")?, rules: tensors.f32("rules")?, bias })
    }

    pub(super) fn store(&self, file: &mut File) {
        let mut scales = [0.0f32; HEADS];
        for row in self.weights.chunks_exact(HEADS) {
            scales.iter_mut().zip(row).for_each(|(scale, w)| *scale = scale.max(w.abs() / 127.0));
        }
        let rows = self.weights.chunks_exact(HEADS);
        let bytes =
            rows.flat_map(|row| row.iter().zip(scales).map(|(w, scale)| super::super::tensors::eight(*w, scale)));
        file.i8("ngrams.weights", &[BUCKETS, HEADS], bytes.collect());
        file.f32("ngrams.scales", &[HEADS], &scales);
        file.f32("ngrams.bias", &[HEADS], &self.bias);
        file.f32("ngrams.rules", &[RULES, HEADS], &self.rules);
    }
}
