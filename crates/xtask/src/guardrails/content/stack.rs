//! What the ensemble makes of its models' values, fitted on texts of sources that the models did not see.

use outcrop_guard::content::{HEADS, Head, MODELS};

use super::Example;
use super::calibrate::{Thresholds, thresholds};
use crate::guardrails::data::Row;
use crate::guardrails::tensors::File;

const INPUTS: usize = 2 * MODELS + 1;
const STEPS: usize = 3000;
const RATE: f32 = 0.02;
/// Pulls towards the plain mean of the models: few sources speak for each head.
const PULL: f32 = 0.04;

/// A text with what models say that did not see its source.
pub(super) struct Held<'a> {
    pub row: &'a Row,
    pub example: Example,
    pub values: [[f32; HEADS]; MODELS],
}

pub(super) struct Stack {
    all: Vec<[f32; INPUTS]>,
    first: Vec<[f32; 2]>,
}

pub(super) fn fit(held: &[Held<'_>]) -> Stack {
    let (mut all, mut first) = (Vec::new(), Vec::new());
    for head in Head::ALL {
        let labelled: Vec<(&Held<'_>, f32, f32)> = held
            .iter()
            .filter_map(|held| {
                let label = held.row.is(head)?;
                Some((held, f32::from(u8::from(label)), held.example.weight))
            })
            .collect();
        let mut start = [0.0; INPUTS];
        (0..MODELS).for_each(|model| start[2 * model] = 1.0 / MODELS as f32);
        let rows: Vec<_> = labelled.iter().map(|(held, y, w)| (inputs(held, head), *y, *w)).collect();
        all.push(logistic(&rows, start, true));
        let rows: Vec<_> = labelled.iter().map(|(held, y, w)| ([held.values[0][head as usize], 1.0], *y, *w)).collect();
        first.push(logistic(&rows, [1.0, 0.0], false));
    }
    Stack { all, first }
}

fn inputs(held: &Held<'_>, head: Head) -> [f32; INPUTS] {
    let mut inputs = [1.0; INPUTS];
    for (model, values) in held.values.iter().enumerate() {
        inputs[2 * model] = values[head as usize];
        inputs[2 * model + 1] = values[Head::Any as usize];
    }
    inputs
}

/// Logistic regression by Adam; no weight but the constant may be negative, and those that start at nothing and are
/// not wanted stay there.
fn logistic<const N: usize>(rows: &[([f32; N], f32, f32)], start: [f32; N], pulled: bool) -> [f32; N] {
    let mut weights = start;
    let (mut first, mut second) = ([0.0f32; N], [0.0f32; N]);
    let total: f32 = rows.iter().map(|(_, _, w)| w).sum::<f32>().max(1.0);
    for step in 0..STEPS {
        let mut slopes = [0.0f32; N];
        for (inputs, y, w) in rows {
            let value: f32 = inputs.iter().zip(weights).map(|(x, w)| x * w).sum();
            let slope = w * (1.0 / (1.0 + (-value).exp()) - y) / total;
            slopes.iter_mut().zip(inputs).for_each(|(s, x)| *s += slope * x);
        }
        let rate = RATE * (1.0 - step as f32 / STEPS as f32);
        for at in 0..N {
            let constant = at + 1 == N;
            let pull = if pulled && !constant { PULL * (weights[at] - start[at]) } else { 0.0 };
            let slope = slopes[at] + pull;
            first[at] += 0.1 * (slope - first[at]);
            second[at] += 0.001 * (slope * slope - second[at]);
            weights[at] -= rate * first[at] / (second[at].sqrt() + 1e-8);
            if !constant {
                weights[at] = weights[at].max(0.0);
            }
        }
    }
    weights
}

impl Stack {
    /// The thresholds by the harmless ones of `held`.
    pub(super) fn thresholds(&self, held: &[Held<'_>]) -> Thresholds {
        let benign = held.iter().filter(|held| held.row.benign());
        let texts: Vec<_> = benign
            .map(|held| {
                let value = |head: Head| -> f32 {
                    inputs(held, head).iter().zip(self.all[head as usize]).map(|(x, w)| x * w).sum()
                };
                let first = |head: Head| {
                    held.values[0][head as usize] * self.first[head as usize][0] + self.first[head as usize][1]
                };
                [Head::ALL.map(first), Head::ALL.map(value)]
            })
            .collect();
        thresholds(&texts)
    }

    pub(super) fn store(&self, file: &mut File) {
        for (head, weights) in Head::ALL.iter().zip(&self.all) {
            eprintln!("{}: {weights:.2?}", head.name());
        }
        file.f32("stack.all", &[HEADS, INPUTS], self.all.as_flattened());
        file.f32("stack.first", &[HEADS, 2], self.first.as_flattened());
    }
}
