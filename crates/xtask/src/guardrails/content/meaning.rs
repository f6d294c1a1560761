//! Logistic regression on the sentence vector: Adam over seeded orders.

use outcrop_guard::content::HEADS;

use super::Example;
use crate::guardrails::tensors::File;

const EPOCHS: usize = 12;
const BATCH: usize = 64;
const RATE: f32 = 0.02;
const DECAY: f32 = 1e-4;
/// Vectors have length 1; the model likes values around 1.
const SCALE: f32 = 8.0;

pub(super) struct Model {
    /// For each head a row, its bias last.
    weights: Vec<f32>,
    width: usize,
}

pub(super) fn train(examples: &[(&[f32], Example)], seed: u64) -> Model {
    let width = examples.first().map_or(0, |(vector, _)| vector.len());
    let row = width + 1;
    let mut model = Model { weights: vec![0.0; row * HEADS], width };
    let (mut first, mut second) = (vec![0.0f32; row * HEADS], vec![0.0f32; row * HEADS]);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut step, steps) = (0, EPOCHS * order.len().div_ceil(BATCH));
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for batch in order.chunks(BATCH) {
            let mut slopes = vec![0.0f32; row * HEADS];
            for (vector, example) in batch.iter().filter_map(|at| examples.get(*at)) {
                let heads = example.slopes(&model.logits(vector));
                for (sum, slope) in slopes.chunks_exact_mut(row).zip(heads) {
                    let scaled = slope * SCALE;
                    sum.iter_mut().zip(*vector).for_each(|(s, x)| *s += scaled * x);
                    if let Some(bias) = sum.last_mut() {
                        *bias += slope;
                    }
                }
            }
            step += 1;
            let rate = RATE * (1.0 - step as f32 / steps as f32) * (1.0 - 0.999f32.powi(step)).sqrt()
                / (1.0 - 0.9f32.powi(step));
            let states = first.iter_mut().zip(&mut second);
            for ((w, slope), (m, v)) in model.weights.iter_mut().zip(&slopes).zip(states) {
                let slope = slope / batch.len() as f32 + DECAY * *w;
                *m += 0.1 * (slope - *m);
                *v += 0.001 * (slope * slope - *v);
                *w -= rate * *m / (v.sqrt() + 1e-8);
            }
        }
    }
    model
}

impl Model {
    pub(super) fn logits(&self, vector: &[f32]) -> [f32; HEADS] {
        let mut logits = [0.0; HEADS];
        for (logit, row) in logits.iter_mut().zip(self.weights.chunks_exact(self.width + 1)) {
            let product: f32 = row.iter().zip(vector).map(|(w, x)| w * x).sum();
            *logit = product * SCALE + row.last().copied().unwrap_or_default();
        }
        logits
    }

    pub(super) fn store(&self, file: &mut File) {
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for row in self.weights.chunks_exact(self.width + 1) {
            weights.extend(row.iter().take(self.width).map(|w| w * SCALE));
            bias.extend(row.last());
        }
        file.f32("meaning.weights", &[HEADS, self.width], &weights);
        file.f32("meaning.bias", &[HEADS], &bias);
    }
}
