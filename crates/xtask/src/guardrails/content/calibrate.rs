//! Thresholds: how much a filter may flag of texts that are harmless, and what the n-grams may settle alone.
//!
//! Harmless texts of sources that a model never saw say too much (whole kinds of text are new to it), those of sources
//! that it saw say too little. What people write lies between, and so do the thresholds: halfway between what the
//! models trained without a source say of it, and what the shipped ones say of the dev split's texts of the sources that
//! they were trained with, but never below the latter: a filter that flags too many of them is too loose anywhere. The
//! dev split's other sources stay out: they measure what came of it.

use outcrop_guard::content::{Category, Classifier, HEADS, Head};
use outcrop_guard::{Encoder, windows};

use crate::guardrails::data::Row;
use crate::guardrails::tensors::File;

/// Benign texts that a filter may flag with low, medium and high confidence.
const FLAGGED: [f32; 3] = [0.005, 0.002, 0.0005];
/// Benign texts, of all filters together, that the first stage is to settle.
const SETTLED: f32 = 0.60;
/// Beyond this share the tail is taken to fall exponentially: a few texts say little of one in two thousand.
const BODY: f32 = 0.05;

/// What thresholds are: a head's log-odds in the first stage below which it is clear, and each filter's three steps.
pub(super) struct Thresholds {
    clear: [f32; HEADS],
    steps: Vec<f32>,
}

/// The thresholds by harmless texts, of each the log-odds of the first stage and those of all models together.
pub(super) fn thresholds(texts: &[[[f32; HEADS]; 2]]) -> Thresholds {
    let (mut steps, mut low) = (Vec::new(), [0.0; HEADS]);
    for category in Category::ALL {
        let attacks = [Head::PromptAttack, Head::Jailbreak, Head::Injection, Head::Leakage];
        let heads = if category == Category::PromptAttack { attacks.to_vec() } else { vec![Head::from(category)] };
        let worst = |[_, values]: &[[f32; HEADS]; 2]| {
            heads.iter().map(|head| values[*head as usize]).fold(f32::NEG_INFINITY, f32::max)
        };
        let mut values: Vec<f32> = texts.iter().map(worst).collect();
        values.sort_by(f32::total_cmp);
        let three = FLAGGED.map(|share| tail(&values, share));
        heads.iter().for_each(|head| low[*head as usize] = three[0]);
        steps.extend(three);
    }
    let mut any: Vec<f32> = texts.iter().map(|[_, values]| values[Head::Any as usize]).collect();
    any.sort_by(f32::total_cmp);
    low[Head::Any as usize] = tail(&any, FLAGGED[0]);
    let first: Vec<[f32; HEADS]> = texts.iter().map(|[first, _]| *first).collect();
    Thresholds { clear: clear(&first, &low), steps }
}

impl Thresholds {
    pub(super) fn store(&self, file: &mut File) {
        eprintln!("steps {:.2?}\nclear below {:.2?}", self.steps, self.clear);
        file.f32("stack.clear", &[HEADS], &self.clear);
        file.f32("stack.steps", &[Category::ALL.len(), 3], &self.steps);
    }
}

/// Moves the thresholds in `file` halfway to those of the dev split's harmless texts, of sources that are trained with.
pub(super) fn calibrate(file: &mut File, rows: &[Row], encoder: &dyn Encoder) -> Result<(), String> {
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
    for (value, other) in halfway.clear.iter_mut().zip(file.values("stack.clear")) {
        *value = (*value + other) / 2.0;
    }
    for (value, other) in halfway.steps.iter_mut().zip(file.values("stack.steps")) {
        // Halfway, or as it is where that would be lower.
        *value = value.max((*value + other) / 2.0);
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

/// For each head the log-odds of the first stage below which it is clear: equally far below each head's `low`, so far that
/// [`SETTLED`] of the benign texts are clear.
fn clear(benign: &[[f32; HEADS]], low: &[f32; HEADS]) -> [f32; HEADS] {
    let above =
        |values: &[f32; HEADS]| values.iter().zip(low).map(|(v, low)| v - low).fold(f32::NEG_INFINITY, f32::max);
    let mut worst: Vec<f32> = benign.iter().map(above).collect();
    worst.sort_by(f32::total_cmp);
    let margin = worst.get((SETTLED * worst.len() as f32) as usize).copied().unwrap_or(f32::NEG_INFINITY);
    low.map(|low| low + margin)
}
