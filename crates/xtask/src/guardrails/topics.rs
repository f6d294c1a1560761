//! Denied topics: the background that cosines are measured against, and what they reach.

use std::path::Path;

use outcrop_guard::topics::{BACKGROUND, Topics};
use outcrop_guard::{Encoder, Topic};

use super::Report;
use super::data;
use super::encode::MiniLm;
use super::measure::percent;
use super::tensors::File;

/// Writes the vectors of ordinary texts of the train split, one source as much as the other.
pub(crate) fn train(data: &Path, folder: &Path) -> Result<(), String> {
    const SOURCES: [&str; 8] =
        ["arena_hard", "self_instruct", "truthfulqa", "gsm8k", "t0_prompts", "awesome_prompts", "mlc_v05", "harmfulqa"];
    let rows = data::content(data)?;
    let encoder = MiniLm::load()?;
    let mut random = fastrand::Rng::with_seed(11);
    let mut vectors = Vec::new();
    for source in SOURCES {
        let mut texts: Vec<&str> =
            rows.iter().filter(|row| row.train && row.source == source).map(|row| row.text.as_str()).collect();
        random.shuffle(&mut texts);
        texts.truncate(BACKGROUND / SOURCES.len());
        for encoded in encoder.encode(&texts).map_err(|e| e.to_string())? {
            vectors.extend(encoded.vector);
        }
    }
    let mut file = File::default();
    file.rows("background", vectors.len() / BACKGROUND, &vectors);
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
    let mut dump = std::env::var("TOPICS_DUMP").ok().and_then(|path| std::fs::File::create(path).ok());
    for (text, is) in &texts {
        let encoded = encoder.encode(&[text]).map_err(|e| e.to_string())?;
        let vector = encoded.first().map(|e| e.vector.as_slice()).unwrap_or_default();
        let mut any = false;
        for (topic, standing) in topics.iter().zip(anchors.standings(vector)) {
            let (found, about) = (standing.score() >= 0.5, is.contains(&topic.name));
            any |= found;
            hit += usize::from(found && about);
            missed += usize::from(!found && about);
            wrong += usize::from(found && !about);
            if let Some(file) = &mut dump {
                use std::io::Write;
                let line = format!(
                    "{}\t{}\t{}\t{}\t{}\t{}\t{}",
                    topic.name,
                    u8::from(about),
                    is.len(),
                    standing.meaning,
                    standing.closest.unwrap_or(0.0),
                    standing.examples.unwrap_or(0.0),
                    text.replace(['\n', '\t'], " ")
                );
                writeln!(file, "{line}").map_err(|e| e.to_string())?;
            }
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
