//! The labelled rows.

use std::io::{BufRead, BufReader};
use std::path::Path;

use outcrop_guard::Encoder;
use outcrop_guard::grounding::{Evidence, Model};
use serde_json::Value;

/// What a label is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    Grounding,
    Relevance,
}

/// An answer with its label.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub task: Task,
    pub source_text: String,
    pub query: String,
    pub response: String,
    pub label: bool,
    /// The data set that it is from.
    pub source: String,
    /// Whether it may be learnt from.
    pub train: bool,
}

impl Row {
    pub(crate) fn evidence(&self, model: &Model, encoder: &dyn Encoder) -> Result<Evidence, String> {
        Evidence::gather(&self.source_text, &self.query, &self.response, model, encoder).map_err(|e| e.to_string())
    }
}

/// The rows of `grounding.jsonl.gz` in `data`.
pub(crate) fn read(data: &Path) -> Result<Vec<Row>, String> {
    let path = data.join("grounding.jsonl.gz");
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let file = std::fs::File::open(&path).map_err(|e| failed(&e))?;
    let mut rows = Vec::new();
    for line in BufReader::new(flate2::read::GzDecoder::new(file)).lines() {
        let row: Value = serde_json::from_str(&line.map_err(|e| failed(&e))?).map_err(|e| failed(&e))?;
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        rows.push(Row {
            task: if row["task"] == "relevance" { Task::Relevance } else { Task::Grounding },
            source_text: text("source_text"),
            query: text("query"),
            response: text("response"),
            label: row["label"] == 1,
            source: text("source"),
            train: row["split"] == "train",
        });
    }
    Ok(rows)
}
