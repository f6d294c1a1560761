//! Thresholds: how much a filter may flag of texts that are harmless, and what the n-grams may settle alone.
//!
//! Harmless texts of sources that a model never saw say too much (whole kinds of text are new to it), those of sources
//! that it saw say too little. What people write lies between, and so do the thresholds: halfway between what the
//! models trained without a source say of it, and what the shipped ones say of the dev split's texts of the sources that
//! they were trained with. The dev split's other sources stay out: they measure what came of it.

use outcrop_guard::content::{Category, Classifier, HEADS, Head};
use outcrop_guard::{Encoder, windows};

use crate::guardrails::data::Row;
use crate::guardrails::tensors::File;

/// Benign texts that a filter may flag with low, medium and high confidence.
const FLAGGED: [f32; 3] = [0.005, 0.002, 0.0005];
/// Benign texts, of all filters together, that the first stage is to settle.
const SETTLED: f32 = 0.66;
/// Beyond this share the tail is taken to fall exponentially: a few texts say little of one in two thousand.
const BODY: f32 = 0.05;

/// What thresholds are: the value of the first stage below which every head has to be for a text to be clear, and each
/// filter's three steps.
pub(super) struct Thresholds {
    clear: f32,
    steps: Vec<f32>,
}

/// The thresholds by harmless texts, of each what the first stage says and the log-odds of all models together.
pub(super) fn thresholds(texts: &[[[f32; HEADS]; 2]]) -> Thresholds {
    let mut steps = Vec::new();
    for category in Category::ALL {
        let attacks = [Head::PromptAttack, Head::Jailbreak, Head::Injection, Head::Leakage];
        let heads = if category == Category::PromptAttack { attacks.to_vec() } else { vec![Head::from(category)] };
        let worst = |[_, values]: &[[f32; HEADS]; 2]| {
            heads.iter().map(|head| values[*head as usize]).fold(f32::NEG_INFINITY, f32::max)
        };
        let mut values: Vec<f32> = texts.iter().map(worst).collect();
        values.sort_by(f32::total_cmp);
        steps.extend(FLAGGED.map(|share| tail(&values, share)));
    }
    // One value for all heads: apart from each other they let more of what is harmful pass for the same share.
    let mut worst: Vec<f32> =
        texts.iter().map(|[first, _]| first.iter().copied().fold(f32::NEG_INFINITY, f32::max)).collect();
    worst.sort_by(f32::total_cmp);
    let clear = worst.get((SETTLED * worst.len() as f32) as usize).copied().unwrap_or(f32::NEG_INFINITY);
    Thresholds { clear, steps }
}

impl Thresholds {
    /// Writes them. The filters compare log-odds, so the first stage's value goes through each head's factor and constant.
    pub(super) fn store(&self, file: &mut File) {
        eprintln!("steps {:.2?}\nclear below {:.2}", self.steps, self.clear);
        let first = file.values("stack.first");
        let clear: Vec<f32> = first.as_chunks::<2>().0.iter().map(|[factor, one]| factor * self.clear + one).collect();
        file.f32("stack.clear", &[HEADS], &clear);
        file.f32("stack.steps", &[Category::ALL.len(), 3], &self.steps);
    }
}

/// Writes thresholds halfway between `before` and those of the dev split's harmless texts, of sources that are trained with.
pub(super) fn calibrate(
    file: &mut File,
    before: &Thresholds,
    rows: &[Row],
    encoder: &dyn Encoder,
) -> Result<(), String> {
    before.store(file);
    let classifier = Classifier::trained(&file.bytes()?).map_err(|e| e.to_string())?;
    // The dev split's Arena-Hard is another edition than the one that is trained with: it measures.
    let trained = |source: &str| source != "arena_hard" && rows.iter().any(|row| row.train && row.source == source);
    let mut texts = Vec::new();
    for row in rows.iter().filter(|row| !row.train && row.benign() && trained(&row.source)) {
        let Some(window) = windows(&row.text).into_iter().next() else { continue };
        let text = row.text.get(window.range).unwrap_or_default();
        for encoded in encoder.encode(&[text]).map_err(|e| e.to_string())? {
            texts.push(classifier.values(text, &encoded));
        }
    }
    let mut halfway = thresholds(&texts);
    halfway.clear = (halfway.clear + before.clear) / 2.0;
    for (value, other) in halfway.steps.iter_mut().zip(&before.steps) {
        *value = (*value + other) / 2.0;
    }
    halfway.store(file);
    Ok(())
}

/// The value that `share` of the sorted `values` reach.
fn tail(values: &[f32], share: f32) -> f32 {
    let at = ((1.0 - BODY) * values.len() as f32) as usize;
    let Some(edge) = values.get(at).copied() else { return f32::MAX };
    let above: Vec<f32> = values.iter().skip(at).map(|v| v - edge).collect();
    let mean = above.iter().sum::<f32>() / above.len().max(1) as f32;
    edge + mean * (BODY / share).ln()
}
