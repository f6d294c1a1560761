//! Contextual grounding and relevance: training from rows of source, query and answer, and what it reaches on sources
//! that it never saw.

mod encode;
mod fit;
mod made;
mod rows;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use outcrop_guard::Encoder;
use outcrop_guard::grounding::{self, Evidence, GROUNDING_FEATURES, Model, RELEVANCE_FEATURES};

pub(crate) use self::encode::Once;
use self::fit::Sample;
use self::rows::{Row, Task};
use super::Report;

/// The features that lower a grounding score.
const AGAINST: Range<usize> = 6..16;
/// Names and numbers that are missing, among them.
const FACTS: Range<usize> = 7..11;
/// What contradicts the source outright, among them.
const CLASHES: Range<usize> = 11..15;
/// What a contradiction is worth. Rows of the kind are rare in what people labelled and certain in what is made, so this
/// is a choice: it takes a copied sentence from 0.9 to 0.15.
const CLASH: f32 = -4.0;
/// The penalty on large weights. Leaving out either source of the train split whole, a strong one does best on the other
/// together (AUC .925 and .954 at 0.03, .930 and .949 at 0.1): the features say much the same, and their mean travels.
const RIDGE: f32 = 0.1;
const RELEVANCE_RIDGE: f32 = 3e-3;
/// A stem that stands in fewer texts of the train split is as rare as any.
const COMMON: u32 = 10;

/// Trains on the train split and writes `grounding.json` into `folder`.
pub(crate) fn train(data: &Path, folder: &Path, quick: bool, encoder: &dyn Encoder) -> Result<(), String> {
    let rows = rows::read(data)?;
    let rows: Vec<&Row> = rows.iter().filter(|row| row.train).step_by(if quick { 20 } else { 1 }).collect();
    let model = trained(&rows, encoder)?;
    let path = folder.join("grounding.json");
    std::fs::write(&path, model.write()).map_err(|e| format!("{}: {e}", path.display()))
}

/// Measures the checked-in weights on the dev split.
pub(crate) fn bench(data: &Path, encoder: &dyn Encoder, report: &mut Report) -> Result<(), String> {
    let model = Model::trained()?;
    let rows = rows::read(data)?;
    let dev: Vec<&Row> = rows.iter().filter(|row| !row.train).collect();
    let sentences = made::sentences(&dev);
    let mut scored: HashMap<(Task, &str), Vec<(f32, bool)>> = HashMap::new();
    for row in dev.iter().copied().chain(&sentences) {
        let evidence = row.evidence(model, encoder)?;
        let score = match row.task {
            Task::Grounding => evidence.grounding(model).score,
            Task::Relevance => evidence.relevance(model).score,
        };
        scored.entry((row.task, &row.source)).or_default().push((score as f32, row.label));
    }
    let of = |task, source| scored.get(&(task, source)).cloned().unwrap_or_default();
    for (source, wanted) in [("begin_cmu", "0.94"), ("wice", "0.80"), ("begin_wow", ""), ("halueval_qa", "")] {
        let known = if wanted.is_empty() { ", its train split was seen" } else { "" };
        let auc = fit::auc(&of(Task::Grounding, source));
        report.row(&format!("grounding AUC, {source}{known}"), &format!("{auc:.3}"), wanted)?;
    }
    let right: Vec<_> = of(Task::Relevance, "halueval_qa").into_iter().filter(|(_, label)| *label).collect();
    let whole: Vec<_> = of(Task::Relevance, made::SENTENCES).into_iter().filter(|(_, label)| *label).collect();
    let hard = of(Task::Relevance, "halueval_qa_hard");
    for (what, scores, wanted) in [
        ("answers of other questions", of(Task::Relevance, "halueval_qa"), "0.90"),
        ("sentences beside the question", [right, hard.clone()].concat(), "0.70"),
        ("whole sentences, answers of other questions", of(Task::Relevance, made::SENTENCES), ""),
        ("whole sentences, sentences beside the question", [whole, hard].concat(), ""),
    ] {
        report.row(&format!("relevance AUC, HaluEval-QA, {what}"), &format!("{:.3}", fit::auc(&scores)), wanted)?;
    }
    speed(&dev, model, report)
}

/// What is done without the encoder, and how it grows with the source.
fn speed(dev: &[&Row], model: &Model, report: &mut Report) -> Result<(), String> {
    let Some(row) = dev.iter().find(|row| row.source == "wice") else { return Ok(()) };
    let all: String = dev.iter().filter(|row| row.source == "wice").map(|row| row.source_text.as_str()).collect();
    for size in [1_000, 10_000, 100_000] {
        let source: String = all.chars().take(size).collect();
        let mut fastest = f64::INFINITY;
        for _ in 0..20 {
            let start = Instant::now();
            Evidence::gather(&source, &row.query, &row.response, model, &encode::Blind).map_err(|e| e.to_string())?;
            fastest = fastest.min(start.elapsed().as_secs_f64() * 1e3);
        }
        let each = fastest / (source.chars().count() as f64 / 1e3);
        report.row(
            &format!("grounding without the encoder, source of {size} characters, ms per 1,000"),
            &format!("{each:.2}"),
            "about 1",
        )?;
    }
    Ok(())
}

fn trained(rows: &[&Row], encoder: &dyn Encoder) -> Result<Model, String> {
    let mut model = common(rows);
    let (made, sentences) = (made::wrong(rows), made::sentences(rows));
    let (mut grounding, mut relevance) = (Vec::new(), Vec::new());
    for row in rows.iter().copied().chain(&made).chain(&sentences) {
        let evidence = row.evidence(&model, encoder)?;
        match row.task {
            Task::Grounding => grounding.push((row, evidence)),
            Task::Relevance => relevance.push((row, evidence)),
        }
    }
    fit_grounding(&grounding, &mut model);
    fit_relevance(&relevance, &mut model);
    Ok(model)
}

/// How much words say: less, the more texts they stand in.
fn common(rows: &[&Row]) -> Model {
    let texts: BTreeSet<&str> = rows.iter().flat_map(|row| [row.source_text.as_str(), row.response.as_str()]).collect();
    let mut counts: HashMap<String, u32> = HashMap::new();
    for text in &texts {
        for stem in grounding::stems(text) {
            *counts.entry(stem).or_default() += 1;
        }
    }
    let all = texts.len() as f32;
    let weight = |count: u32| ((all / count as f32).ln() / all.ln()).clamp(0.05, 1.0);
    let common = counts.into_iter().filter(|(_, count)| *count >= COMMON);
    Model {
        common: common.map(|(stem, count)| (stem, (weight(count) * 100.0).round() / 100.0)).collect(),
        rare: 1.0,
        grounding: vec![0.0; GROUNDING_FEATURES.len()],
        relevance: vec![0.0; RELEVANCE_FEATURES.len()],
        ..Model::default()
    }
}

fn fit_grounding(rows: &[(&Row, Evidence)], model: &mut Model) {
    let features = 0..GROUNDING_FEATURES.len();
    let signs: Vec<f32> = features.clone().map(|at| if AGAINST.contains(&at) { -1.0 } else { 1.0 }).collect();
    let ridge: Vec<f32> = features.map(|at| if FACTS.contains(&at) { RIDGE * 0.3 } else { RIDGE }).collect();
    let mut samples: Vec<Sample> = Vec::new();
    // A wrong answer may hold right sentences: at first the one with fewest known words is taken for the wrong one,
    // then the one that scores least.
    for round in 0..3 {
        samples.clear();
        for (row, evidence) in rows {
            let worth =
                |f: &[f32]| if round == 0 { f[0] } else { fit::logit(model.grounding_bias, &model.grounding, f) };
            let claims = evidence.claims.iter().filter(|claim| claim.weight > 0.0);
            if let Some(claim) = claims.min_by(|a, b| worth(&a.features).total_cmp(&worth(&b.features))) {
                samples.push(Sample { features: claim.features.to_vec(), label: row.label, source: &row.source });
            }
        }
        // Contradictions stand apart: with them, all else would learn that a copied sentence may be wrong.
        samples.retain(|sample| sample.features[CLASHES].iter().all(|flag| *flag == 0.0));
        (model.grounding_bias, model.grounding) = fit::logistic(&samples, &signs, &ridge);
    }
    // The penalty leaves the scores huddled in the middle: spread them, and let what contradicts take its share.
    for sample in &mut samples {
        sample.features = vec![fit::logit(model.grounding_bias, &model.grounding, &sample.features)];
    }
    let (shift, slope) = fit::logistic(&samples, &[1.0], &[0.0]);
    model.grounding.iter_mut().for_each(|weight| *weight *= slope[0]);
    model.grounding_bias = model.grounding_bias * slope[0] + shift;
    model.grounding[CLASHES].fill(CLASH);
}

fn fit_relevance(rows: &[(&Row, Evidence)], model: &mut Model) {
    let sample =
        |(row, evidence): &(&'_ Row, Evidence)| evidence.parts.first().map(|part| (part.features.to_vec(), row.label));
    let known = rows.iter().filter_map(|row| sample(row).map(|sample| (sample, row.0.source.as_str())));
    let samples: Vec<Sample> = known.map(|((features, label), source)| Sample { features, label, source }).collect();
    let against = ["not of the kind that is asked for", "says other things beside"];
    let signs: Vec<f32> =
        RELEVANCE_FEATURES.iter().map(|name| if against.contains(name) { -1.0 } else { 1.0 }).collect();
    (model.relevance_bias, model.relevance) =
        fit::logistic(&samples, &signs, &[RELEVANCE_RIDGE; RELEVANCE_FEATURES.len()]);
}
