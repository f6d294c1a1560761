//! Logistic regression whose weights keep their sign: more support never lowers a score.

use std::collections::HashMap;

/// What is known about one row.
pub(crate) struct Sample<'a> {
    pub features: Vec<f32>,
    pub label: bool,
    /// The data set that it is from.
    pub source: &'a str,
}

/// The bias and the weights. Every source of rows, and either label in it, weighs the same. `signs` tells which way a
/// feature may pull, `ridge` what a large weight costs.
pub(crate) fn logistic(samples: &[Sample<'_>], signs: &[f32], ridge: &[f32]) -> (f32, Vec<f32>) {
    let mut counts: HashMap<(&str, bool), f32> = HashMap::new();
    for sample in samples {
        *counts.entry((sample.source, sample.label)).or_default() += 1.0;
    }
    let weights: Vec<f32> = samples.iter().map(|sample| 1.0 / counts[&(sample.source, sample.label)]).collect();
    let total: f32 = weights.iter().sum();
    let mut bias = 0.0_f32;
    let mut theta = vec![0.0_f32; signs.len()];
    let (mut speed, mut bias_speed) = (vec![0.0_f32; signs.len()], 0.0_f32);
    for _ in 0..1500 {
        let mut gradient = vec![0.0_f32; signs.len()];
        let mut bias_gradient = 0.0;
        for (sample, weight) in samples.iter().zip(&weights) {
            let miss = (score(bias, &theta, &sample.features) - f32::from(u8::from(sample.label))) * weight / total;
            bias_gradient += miss;
            for (gradient, feature) in gradient.iter_mut().zip(&sample.features) {
                *gradient += miss * feature;
            }
        }
        bias_speed = 0.9 * bias_speed - 0.5 * bias_gradient;
        bias += bias_speed;
        for (at, theta) in theta.iter_mut().enumerate() {
            speed[at] = 0.9 * speed[at] - 0.5 * (gradient[at] + ridge[at] * *theta);
            *theta += speed[at];
            if *theta * signs[at] < 0.0 {
                *theta = 0.0;
                speed[at] = 0.0;
            }
        }
    }
    (bias, theta)
}

/// The weighted sum.
pub(crate) fn logit(bias: f32, weights: &[f32], features: &[f32]) -> f32 {
    bias + weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum::<f32>()
}

/// The same between 0 and 1.
fn score(bias: f32, weights: &[f32], features: &[f32]) -> f32 {
    1.0 / (1.0 + (-logit(bias, weights, features)).exp())
}

/// The chance that a positive scores above a negative.
pub(crate) fn auc(scores: &[(f32, bool)]) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won, mut positives) = (0.0, 0.0, 0.0);
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        let good = same.iter().filter(|(_, label)| *label).count() as f64;
        let bad = same.len() as f64 - good;
        won += good * (below + bad / 2.0);
        below += bad;
        positives += good;
    }
    if positives * below > 0.0 { won / (positives * below) } else { f64::NAN }
}
