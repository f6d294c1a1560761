//! What the ensemble makes of its models' values, fitted on texts of sources that the models did not see.

use outcrop_guard::content::{Category, HEADS, Head, MODELS};

use super::Example;
use crate::guardrails::data::Row;
use crate::guardrails::tensors::File;

const INPUTS: usize = 2 * MODELS + 1;
const STEPS: usize = 3000;
const RATE: f32 = 0.02;
/// Pulls towards the plain mean of the models: few sources speak for each head.
const PULL: f32 = 0.01;
/// Benign texts that a filter may flag with low, medium and high confidence.
const FLAGGED: [f32; 3] = [0.005, 0.002, 0.0005];
/// Benign texts, of all filters together, that the n-grams are to settle.
const SETTLED: f32 = 0.78;

/// A text with what models say that did not see its source.
pub(super) struct Held<'a> {
    pub row: &'a Row,
    pub example: Example,
    pub values: [[f32; HEADS]; MODELS],
}

pub(super) struct Stack {
    all: Vec<[f32; INPUTS]>,
    first: Vec<[f32; 2]>,
    clear: [f32; HEADS],
    steps: Vec<[f32; 3]>,
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
    let benign: Vec<&Held<'_>> = held.iter().filter(|held| held.row.benign()).collect();
    let mut stack = Stack { all, first, clear: [0.0; HEADS], steps: Vec::new() };
    for category in Category::ALL {
        let mut values: Vec<f32> = benign.iter().map(|held| stack.category(held, category)).collect();
        values.sort_by(f32::total_cmp);
        let steps = FLAGGED.map(|share| tail(&values, share));
        eprintln!("{}: thresholds {steps:?}", category.name());
        stack.steps.push(steps);
    }
    stack.clear = clear(&benign);
    stack
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

/// The value that `share` of the sorted `values` reach. Beyond the last hundredth the tail is taken to fall
/// exponentially: a few texts say little of one in two thousand.
fn tail(values: &[f32], share: f32) -> f32 {
    const BODY: f32 = 0.02;
    let at = ((1.0 - BODY) * values.len() as f32) as usize;
    let Some(edge) = values.get(at).copied() else { return f32::MAX };
    let above: Vec<f32> = values.iter().skip(at).map(|v| v - edge).collect();
    let mean = above.iter().sum::<f32>() / above.len().max(1) as f32;
    edge + mean * (BODY / share).ln()
}

/// For each head the n-grams' value below which it is clear: the same share of benign texts at every head, chosen so
/// that together they leave [`SETTLED`].
fn clear(benign: &[&Held<'_>]) -> [f32; HEADS] {
    let sorted: Vec<Vec<f32>> = (0..HEADS)
        .map(|head| {
            let mut values: Vec<f32> = benign.iter().map(|held| held.values[0][head]).collect();
            values.sort_by(f32::total_cmp);
            values
        })
        .collect();
    let mut clear = [f32::MAX; HEADS];
    for thousandth in (0..1000).rev() {
        let at = |values: &Vec<f32>| values.get(values.len() * thousandth / 1000).copied().unwrap_or(f32::MAX);
        clear.iter_mut().zip(&sorted).for_each(|(clear, values)| *clear = at(values));
        let settled = benign.iter().filter(|held| held.values[0].iter().zip(&clear).all(|(v, c)| v < c)).count();
        if (settled as f32) < SETTLED * benign.len() as f32 {
            break;
        }
    }
    clear
}

impl Stack {
    /// The log-odds of a filter: of its worst head.
    fn category(&self, held: &Held<'_>, category: Category) -> f32 {
        let attacks = [Head::PromptAttack, Head::Jailbreak, Head::Injection, Head::Leakage];
        let heads = if category == Category::PromptAttack { attacks.to_vec() } else { vec![Head::from(category)] };
        let value =
            |head: Head| -> f32 { inputs(held, head).iter().zip(self.all[head as usize]).map(|(x, w)| x * w).sum() };
        heads.into_iter().map(value).fold(f32::NEG_INFINITY, f32::max)
    }

    pub(super) fn store(&self, file: &mut File) {
        for (head, weights) in Head::ALL.iter().zip(&self.all) {
            eprintln!("{}: {weights:.2?}", head.name());
        }
        file.f32("stack.all", &[HEADS, INPUTS], self.all.as_flattened());
        file.f32("stack.first", &[HEADS, 2], self.first.as_flattened());
        file.f32("stack.clear", &[HEADS], &self.clear);
        file.f32("stack.steps", &[self.steps.len(), 3], self.steps.as_flattened());
    }
}
