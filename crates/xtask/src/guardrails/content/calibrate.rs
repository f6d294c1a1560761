//! Thresholds: how much a filter may flag of texts that are harmless, and what the n-grams may settle alone. They are set
//! by harmless texts that no model was trained with, of the sources that were: those of the dev split. Sources that are
//! not trained with stay out, so that they can measure what came of it.

use outcrop_guard::content::{Category, Classifier, HEADS, Head};
use outcrop_guard::{Encoder, windows};

use crate::guardrails::data::Row;
use crate::guardrails::tensors::File;

/// Benign texts that a filter may flag with low, medium and high confidence.
const FLAGGED: [f32; 3] = [0.005, 0.002, 0.0005];
/// Benign texts, of all filters together, that the n-grams are to settle.
const SETTLED: f32 = 0.75;
/// Beyond this share the tail is taken to fall exponentially: a few texts say little of one in two thousand.
const BODY: f32 = 0.05;

/// Sets the thresholds of the models in `file` by `rows`.
pub(super) fn calibrate(file: &mut File, rows: &[Row], encoder: &dyn Encoder) -> Result<(), String> {
    // Loading asks for thresholds, whatever they are.
    file.f32("stack.clear", &[HEADS], &[0.0; HEADS]);
    file.f32("stack.steps", &[Category::ALL.len(), 3], &[0.0; 18]);
    let classifier = Classifier::trained(&file.bytes()?).map_err(|e| e.to_string())?;
    // The dev split's Arena-Hard is another edition than the one that is trained with: it measures.
    let trained = |source: &str| source != "arena_hard" && rows.iter().any(|row| row.train && row.source == source);
    let (mut first, mut all) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| !row.train && row.benign() && trained(&row.source)) {
        let Some(window) = windows(&row.text).into_iter().next() else { continue };
        let text = row.text.get(window.range).unwrap_or_default();
        for encoded in encoder.encode(&[text]).map_err(|e| e.to_string())? {
            let [one, other] = classifier.values(text, &encoded);
            first.push(one);
            all.push(other);
        }
    }
    let mut steps = Vec::new();
    for category in Category::ALL {
        let attacks = [Head::PromptAttack, Head::Jailbreak, Head::Injection, Head::Leakage];
        let heads = if category == Category::PromptAttack { attacks.to_vec() } else { vec![Head::from(category)] };
        let worst =
            |values: &[f32; HEADS]| heads.iter().map(|head| values[*head as usize]).fold(f32::NEG_INFINITY, f32::max);
        let mut values: Vec<f32> = all.iter().map(worst).collect();
        values.sort_by(f32::total_cmp);
        let of = FLAGGED.map(|share| tail(&values, share));
        eprintln!("{}: thresholds {of:.2?} of {} texts", category.name(), values.len());
        steps.extend(of);
    }
    let clear = clear(&first);
    eprintln!("clear below {clear:.2?}");
    file.f32("stack.clear", &[HEADS], &clear);
    file.f32("stack.steps", &[Category::ALL.len(), 3], &steps);
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

/// For each head the n-grams' value below which it is clear: the same share of benign texts at every head, chosen so
/// that together they leave [`SETTLED`].
fn clear(benign: &[[f32; HEADS]]) -> [f32; HEADS] {
    let sorted: Vec<Vec<f32>> = (0..HEADS)
        .map(|head| {
            let mut values: Vec<f32> = benign.iter().map(|values| values[head]).collect();
            values.sort_by(f32::total_cmp);
            values
        })
        .collect();
    let mut clear = [f32::MAX; HEADS];
    for thousandth in (0..1000).rev() {
        let at = |values: &Vec<f32>| values.get(values.len() * thousandth / 1000).copied().unwrap_or(f32::MAX);
        clear.iter_mut().zip(&sorted).for_each(|(clear, values)| *clear = at(values));
        let settled = benign.iter().filter(|values| values.iter().zip(&clear).all(|(v, c)| v < c)).count();
        if (settled as f32) < SETTLED * benign.len() as f32 {
            break;
        }
    }
    clear
}
