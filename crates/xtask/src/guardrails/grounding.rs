//! Contextual grounding and relevance: training from rows of source, query and answer, and what it reaches on sources
//! that it never saw.

mod corrupt;
mod fit;
mod rows;

use std::collections::HashMap;
use std::path::Path;

use outcrop_guard::grounding::{Evidence, GROUNDING_FEATURES, Model, RELEVANCE_FEATURES};

use self::rows::{Cached, Row, Task};

pub(crate) fn dev(data: &Path) -> Result<(), String> {
    let rows = rows::read(&data.join("grounding.jsonl.gz"))?;
    let encoder = Cached::load()?;
    let mut model = idf(&rows);
    let train: Vec<&Row> = rows.iter().filter(|row| row.split == "train").collect();
    let mut made = corrupt::make(&train);
    made.extend(corrupt::sentences(&train));
    eprintln!("{} made rows", made.len());
    let gather = |row: &Row, model: &Model| {
        Evidence::gather(&row.source_text, &row.query, &row.response, model, &encoder).map_err(|e| e.to_string())
    };
    let start = std::time::Instant::now();
    let mut grounding = Vec::new();
    let mut relevance = Vec::new();
    for row in train.iter().copied().chain(&made) {
        let evidence = gather(row, &model)?;
        match row.task {
            Task::Grounding => grounding.push((row, evidence)),
            Task::Relevance => relevance.push((row, evidence)),
        }
    }
    eprintln!("gathered in {:?}", start.elapsed());
    encoder.save()?;
    for l2 in [3e-3, 1e-2, 3e-2, 1e-1, 3e-1] {
        for left_out in ["begin_wow", "halueval_qa"] {
            let mut trial = model.clone();
            let kept: Vec<_> = grounding.iter().filter(|(row, _)| row.source != left_out).cloned().collect();
            fit_grounding(&kept, &mut trial, l2);
            let scores: Vec<_> = grounding
                .iter()
                .filter(|(row, _)| row.source == left_out)
                .map(|(row, evidence)| (evidence.grounding(&trial).score as f32, row.label))
                .collect();
            println!("l2 {l2} without {left_out}: {:.4}", fit::auc(&scores));
        }
    }
    fit_grounding(&grounding, &mut model, 3e-2);
    for l2 in [1e-3, 1e-2, 3e-2] {
        let mut trial = model.clone();
        fit_relevance(&relevance, &mut trial, l2);
        let sources: std::collections::BTreeSet<&str> = relevance.iter().map(|(row, _)| row.source.as_str()).collect();
        println!("relevance l2 {l2} {} {:?} train AUC", trial.relevance_bias, trial.relevance);
        println!("{sources:?}");
    }
    fit_relevance(&relevance, &mut model, 1e-2);
    for (name, weight) in GROUNDING_FEATURES.iter().zip(&model.grounding) {
        println!("{name:30} {weight:.3}");
    }
    println!("bias {}", model.grounding_bias);
    for (name, weight) in RELEVANCE_FEATURES.iter().zip(&model.relevance) {
        println!("{name:50} {weight:.3}");
    }
    println!("bias {}", model.relevance_bias);
    let start = std::time::Instant::now();
    let mut scores: HashMap<String, Vec<(f32, bool)>> = HashMap::new();
    let mut dev_rows: Vec<(&Row, Evidence)> = Vec::new();
    let mut each: HashMap<String, Vec<([f32; GROUNDING_FEATURES.len()], bool)>> = HashMap::new();
    let mut each_r: HashMap<String, Vec<([f32; RELEVANCE_FEATURES.len()], bool)>> = HashMap::new();
    for row in rows.iter().filter(|row| row.split == "dev") {
        let evidence = gather(row, &model)?;
        if row.task == Task::Grounding {
            dev_rows.push((row, evidence.clone()));
        }
        let key = format!("{:?} {}", row.task, row.source);
        let score = match row.task {
            Task::Grounding => evidence.grounding(&model).score,
            Task::Relevance => evidence.relevance(&model).score,
        };
        if std::env::var("SHOW").is_ok_and(|show| key.contains(&show)) {
            println!(
                "SHOW {} {score:.3} | {} | {} | {:?}",
                row.label,
                row.query,
                row.response,
                evidence.parts.first().map(|p| p.features)
            );
        }
        scores.entry(key.clone()).or_default().push((score as f32, row.label));
        match row.task {
            Task::Grounding => {
                if let Some(claim) = evidence.claims.iter().min_by(|a, b| a.features[0].total_cmp(&b.features[0])) {
                    each.entry(key).or_default().push((claim.features, row.label));
                }
            }
            Task::Relevance => {
                if let Some(part) = evidence.parts.first() {
                    each_r.entry("relevance".to_owned()).or_default().push((part.features, row.label));
                }
            }
        }
    }
    encoder.save()?;
    eprintln!("dev in {:?}", start.elapsed());
    for l2 in [3e-3, 1e-2, 3e-2, 1e-1, 3e-1] {
        let mut trial = model.clone();
        fit_grounding(&grounding, &mut trial, l2);
        let mut by: HashMap<&str, Vec<(f32, bool)>> = HashMap::new();
        for (row, evidence) in &dev_rows {
            by.entry(&row.source).or_default().push((evidence.grounding(&trial).score as f32, row.label));
        }
        println!("{l2} {:?}", by.iter().map(|(k, v)| (*k, fit::auc(v))).collect::<Vec<_>>());
    }
    let hard = scores.get("Relevance halueval_qa_hard").cloned().unwrap_or_default();
    let good: Vec<(f32, bool)> =
        scores.get("Relevance halueval_qa").into_iter().flatten().filter(|s| s.1).copied().collect();
    scores.insert("Relevance hard".to_owned(), hard.into_iter().chain(good).collect());
    let mut names: Vec<_> = scores.keys().cloned().collect();
    names.sort();
    for name in &names {
        println!("{name:40} AUC {:.4}  n {}", fit::auc(&scores[name]), scores[name].len());
    }
    let mut keys: Vec<_> = each.keys().cloned().collect();
    keys.sort();
    println!("{keys:?}");
    for (at, name) in GROUNDING_FEATURES.iter().enumerate() {
        print!("{name:30}");
        for key in &keys {
            let one: Vec<_> = each[key].iter().map(|(features, label)| (features[at], *label)).collect();
            print!(" {:.3}", fit::auc(&one));
        }
        println!();
    }
    Ok(())
}

fn fit_grounding(rows: &[(&Row, Evidence)], model: &mut Model, l2: f32) {
    // A wrong answer may hold right sentences: at first the one with fewest known words is taken for the wrong one,
    // then the one that scores least.
    for round in 0..3 {
        let mut samples = Vec::new();
        for (row, evidence) in rows {
            let claims = evidence.claims.iter().filter(|claim| claim.weight > 0.0);
            let worth = |features: &[f32]| {
                if round == 0 { features[0] } else { fit::score(model.grounding_bias, &model.grounding, features) }
            };
            if let Some(claim) = claims.min_by(|a, b| worth(&a.features).total_cmp(&worth(&b.features))) {
                samples.push((claim.features.to_vec(), row.label, row.source.as_str()));
            }
        }
        let signs: Vec<f32> =
            (0..GROUNDING_FEATURES.len()).map(|at| if (6..=15).contains(&at) { -1.0 } else { 1.0 }).collect();
        (model.grounding_bias, model.grounding) = fit::logistic(&samples, &signs, l2);
    }
}

fn fit_relevance(rows: &[(&Row, Evidence)], model: &mut Model, l2: f32) {
    let mut samples = Vec::new();
    for (row, evidence) in rows {
        for part in evidence.parts.iter().take(1) {
            samples.push((part.features.to_vec(), row.label, row.source.as_str()));
        }
    }
    let signs = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, 1.0];
    (model.relevance_bias, model.relevance) = fit::logistic(&samples, &signs, l2);
}

fn idf(rows: &[Row]) -> Model {
    let sources: std::collections::HashSet<&str> = rows
        .iter()
        .filter(|row| row.split == "train")
        .flat_map(|row| [row.source_text.as_str(), row.response.as_str()])
        .collect();
    let mut model = Model {
        rare: 1.0,
        grounding: vec![0.0; GROUNDING_FEATURES.len()],
        relevance: vec![0.0; RELEVANCE_FEATURES.len()],
        ..Model::default()
    };
    let mut counts: HashMap<String, u32> = HashMap::new();
    for source in &sources {
        for stem in outcrop_guard::grounding::stems(source) {
            *counts.entry(stem).or_default() += 1;
        }
    }
    let all = sources.len() as f32;
    let largest = (all / 1.0).ln();
    let mut common: Vec<_> = counts.into_iter().filter(|(_, count)| *count >= 10).collect();
    common.sort();
    for (stem, count) in common {
        let weight = ((all / count as f32).ln() / largest).clamp(0.05, 1.0);
        model.common.insert(stem, (weight * 100.0).round() / 100.0);
    }
    eprintln!("{} common", model.common.len());
    model
}
