//! Denied topics: the background that cosines are measured against, and what they reach.

use std::collections::BTreeMap;
use std::path::Path;

use outcrop_guard::topics::{BACKGROUND, SUBJECTS, Topics};
use outcrop_guard::{Encoder, Scan, Topic};

use super::Report;
use super::data;
use super::encode::MiniLm;
use super::measure::percent;
use super::tensors::File;

/// What people speak of every day: how close a text is to all of it tells how close it is to anything.
const EVERYDAY: &str = include_str!("../../data/subjects.txt");
/// Our own topics without examples, with texts that are about them and others that only sound so.
const OWN: &str = include_str!("../../data/topics.tsv");

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
    let mut vectors = Vec::new();
    for (source, some) in SOURCES {
        let own = rows.iter().filter(|row| row.train && row.source == source && row.text.len() < LONGEST);
        let mut texts: Vec<&str> = own.map(|row| row.text.as_str()).collect();
        random.shuffle(&mut texts);
        texts.truncate(some);
        for encoded in encoder.encode(&texts).map_err(|e| e.to_string())? {
            vectors.extend(encoded.vector);
        }
    }
    let subjects: Vec<&str> = EVERYDAY.lines().collect();
    let encoded = encoder.encode(&subjects).map_err(|e| e.to_string())?;
    let cohort: Vec<f32> = encoded.into_iter().flat_map(|encoded| encoded.vector).collect();
    let mut file = File::default();
    file.rows("background", vectors.len() / BACKGROUND, &vectors);
    file.rows("cohort", cohort.len() / SUBJECTS, &cohort);
    file.write(folder, "topics.safetensors")
}

/// Prints the table of denied topics.
pub(crate) fn bench(folder: &Path, encoder: &dyn Encoder, report: &mut Report) -> Result<(), String> {
    labelled(folder, encoder, report)?;
    zero_shot(folder, encoder, report)
}

/// One of our own topics.
#[derive(Default)]
struct Own<'a> {
    half: &'a str,
    definition: &'a str,
    about: Vec<&'a str>,
    beside: Vec<&'a str>,
}

/// Recall without any example and with the first two, and what is flagged of near misses and of benign dev prompts.
fn zero_shot(folder: &Path, encoder: &dyn Encoder, report: &mut Report) -> Result<(), String> {
    /// Every so manieth benign prompt.
    const EVERY: usize = 10;
    let mut topics: BTreeMap<&str, Own<'_>> = BTreeMap::new();
    for line in OWN.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.splitn(4, '\t').collect();
        let [half, name, what, text] = fields[..] else { return Err(format!("topics.tsv: not four fields: {line}")) };
        let topic = topics.entry(name).or_default();
        topic.half = half;
        match what {
            "=" => topic.definition = text,
            "+" => topic.about.push(text),
            _ => topic.beside.push(text),
        }
    }
    let rows = data::content(folder)?;
    let benign: Vec<&str> = rows
        .iter()
        .filter(|row| !row.train && row.benign() && row.text.len() < 600)
        .step_by(EVERY)
        .map(|row| row.text.as_str())
        .collect();
    for (half, examples) in [("choose", 0), ("report", 0), ("choose", 2), ("report", 2)] {
        let (mut about, mut beside, mut ordinary) = (Vec::new(), Vec::new(), Vec::new());
        for (name, own) in topics.iter().filter(|(_, own)| own.half == half) {
            let (given, asked) = own.about.split_at(examples.min(own.about.len()));
            let topic = Topic {
                name: (*name).to_owned(),
                definition: own.definition.to_owned(),
                examples: given.iter().map(|text| (*text).to_owned()).collect(),
                sides: outcrop_guard::Sides::default(),
            };
            let anchors = Topics::new(&[topic], encoder).map_err(|e| e.to_string())?;
            let found = |text: &str| -> Result<bool, String> {
                let judged = anchors.judge(&Scan::new(text, encoder)).map_err(|e| e.to_string())?;
                Ok(judged.iter().any(|judged| judged.score >= judged.threshold))
            };
            for (texts, into) in [(asked, &mut about), (&own.beside, &mut beside), (&benign, &mut ordinary)] {
                for text in texts {
                    into.push(found(text)?);
                }
            }
        }
        let share = |found: &[bool]| found.iter().filter(|found| **found).count() as f32 / found.len().max(1) as f32;
        let line = format!("own topics, half {half:?}, {examples} examples");
        let wanted = if examples == 0 { ".60" } else { "" };
        report.row(&format!("{line}: caught"), &percent(share(&about)), wanted)?;
        report.row(&format!("{line}: near misses flagged"), &percent(share(&beside)), "")?;
        report.row(&format!("{line}: benign dev prompts flagged, a topic"), &percent(share(&ordinary)), "≤ .05")?;
    }
    Ok(())
}

fn labelled(folder: &Path, encoder: &dyn Encoder, report: &mut Report) -> Result<(), String> {
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
