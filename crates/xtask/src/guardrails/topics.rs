//! Denied topics: the background that cosines are measured against, and what they reach.

use std::collections::BTreeMap;
use std::path::Path;

use outcrop_guard::topics::{BACKGROUND, Topics, words};
use outcrop_guard::{Encoder, Scan, Topic};

use super::Report;
use super::data;
use super::encode::MiniLm;
use super::measure::percent;
use super::tensors::File;

/// Writes the vectors of ordinary texts of the train split, one source as much as the other.
pub(crate) fn train(data: &Path, folder: &Path) -> Result<(), String> {
    const SOURCES: [(&str, usize); 10] = [
        ("arena_hard", 60),
        ("self_instruct", 60),
        ("truthfulqa", 40),
        ("gsm8k", 20),
        ("t0_prompts", 20),
        ("awesome_prompts", 20),
        ("mlc_v05", 40),
        ("harmfulqa", 40),
        ("toxic_spans", 50),
        ("ailuminate", 50),
    ];
    /// Texts of the length that people ask in.
    const LONGEST: usize = 600;
    let rows = data::content(data)?;
    let encoder = MiniLm::load()?;
    let mut random = fastrand::Rng::with_seed(11);
    let (mut vectors, mut counts) = (Vec::new(), BTreeMap::<String, usize>::new());
    for (source, some) in SOURCES {
        let own = rows.iter().filter(|row| row.train && row.source == source && row.text.len() < LONGEST);
        let mut texts: Vec<&str> = own.map(|row| row.text.as_str()).collect();
        random.shuffle(&mut texts);
        texts.truncate(some);
        for word in texts.iter().flat_map(|text| words(text)) {
            *counts.entry(word).or_default() += 1;
        }
        for encoded in encoder.encode(&texts).map_err(|e| e.to_string())? {
            vectors.extend(encoded.vector);
        }
    }
    // What stands in one text only is as rare as what stands in none.
    let lines = counts.iter().filter(|(_, count)| **count > 1).map(|(word, count)| format!("{word} {count}\n"));
    let text: String = lines.collect();
    let mut file = File::default();
    file.rows("background", vectors.len() / BACKGROUND, &vectors);
    file.i8("words", &[text.len()], text.bytes().map(u8::cast_signed).collect());
    file.write(folder, "topics.safetensors")
}

/// Prints the table of denied topics.
pub(crate) fn bench(folder: &Path, encoder: &dyn Encoder, report: &mut Report) -> Result<(), String> {
    let text = std::fs::read_to_string(folder.join("topics.json")).map_err(|e| e.to_string())?;
    let file: serde_json::Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    let string =
        |value: &serde_json::Value, key: &str| value.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let list = |value: &serde_json::Value, key: &str| -> Vec<String> {
        let items = value.get(key).and_then(|v| v.as_array()).into_iter().flatten();
        items.filter_map(|item| item.as_str()).map(str::to_owned).collect()
    };
    let topics: Vec<Topic> = file
        .get("topics")
        .and_then(|v| v.as_array())
        .into_iter()
        .flatten()
        .map(|topic| Topic {
            name: string(topic, "name"),
            definition: string(topic, "definition"),
            examples: list(topic, "examples"),
            sides: outcrop_guard::Sides::default(),
        })
        .collect();
    let anchors = Topics::new(&topics, encoder).map_err(|e| e.to_string())?;
    let mut texts = Vec::new();
    data::lines(&folder.join("topics_eval.jsonl.gz"), &mut |value| {
        texts.push((string(&value, "text"), list(&value, "topics")))
    })?;
    let (mut hit, mut missed, mut wrong, mut off, mut flagged) = (0, 0, 0, 0, 0);
    for (text, is) in &texts {
        let judged = anchors.judge(&Scan::new(text, encoder)).map_err(|e| e.to_string())?;
        let mut any = false;
        for (topic, judged) in topics.iter().zip(judged) {
            let (found, about) = (judged.score >= judged.threshold, is.contains(&topic.name));
            any |= found;
            hit += usize::from(found && about);
            missed += usize::from(!found && about);
            wrong += usize::from(found && !about);
        }
        if is.is_empty() {
            off += 1;
            flagged += usize::from(any);
        }
    }
    let f1 = 2.0 * hit as f32 / (2 * hit + missed + wrong).max(1) as f32;
    report.row("denied topics, micro F1", &percent(f1), ".80")?;
    report.row("the same, off-topic texts flagged", &percent(flagged as f32 / off.max(1) as f32), "≤ .05")?;
    Ok(())
}
