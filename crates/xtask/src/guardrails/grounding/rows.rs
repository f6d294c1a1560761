//! The labelled rows, and an encoder that encodes each text once.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use outcrop_engine::embed::Embedder;
use outcrop_guard::{EncodeError, Encoded, Encoder};
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Grounding,
    Relevance,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub task: Task,
    pub source_text: String,
    pub query: String,
    pub response: String,
    pub label: bool,
    pub source: String,
    pub split: String,
}

pub(crate) fn read(path: &Path) -> Result<Vec<Row>, String> {
    let file = std::fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut rows = Vec::new();
    for line in BufReader::new(flate2::read::GzDecoder::new(file)).lines() {
        let line = line.map_err(|e| format!("{}: {e}", path.display()))?;
        let row: Value = serde_json::from_str(&line).map_err(|e| format!("{}: {e}", path.display()))?;
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let task = if row["task"] == "relevance" { Task::Relevance } else { Task::Grounding };
        rows.push(Row {
            task,
            source_text: text("source_text"),
            query: text("query"),
            response: text("response"),
            label: row["label"] == 1,
            source: text("source"),
            split: text("split"),
        });
    }
    Ok(rows)
}

pub(crate) struct Cached {
    embedder: Embedder,
    known: Mutex<HashMap<String, Vec<f32>>>,
}

fn cache() -> PathBuf {
    std::env::temp_dir().join("ground-cache.bin")
}

impl Cached {
    pub(crate) fn load() -> Result<Self, String> {
        let home = std::env::var("HOME").map_err(|e| e.to_string())?;
        let folder = Path::new(&home).join(".cache/outcrop/models/all-minilm-l6-v2");
        let embedder = Embedder::load(&folder).map_err(|e| e.to_string())?;
        let mut known = HashMap::new();
        if let Ok(bytes) = std::fs::read(cache()) {
            let mut rest = &bytes[..];
            while rest.len() > 4 {
                let len = u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
                let text = String::from_utf8_lossy(&rest[4..4 + len]).into_owned();
                let vector = rest[4 + len..4 + len + 1536]
                    .chunks(4)
                    .map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]]))
                    .collect();
                known.insert(text, vector);
                rest = &rest[4 + len + 1536..];
            }
        }
        Ok(Self { embedder, known: Mutex::new(known) })
    }
    pub(crate) fn save(&self) -> Result<(), String> {
        let mut out = Vec::new();
        for (text, vector) in self.known.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text.as_bytes());
            for v in vector {
                out.extend(v.to_le_bytes());
            }
        }
        std::fs::write(cache(), out).map_err(|e| e.to_string())
    }
}

impl Encoder for Cached {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<&str> = texts.iter().copied().filter(|text| !known.contains_key(*text)).collect();
        let made = self.embedder.embed(&new).map_err(|error| EncodeError(error.to_string()))?;
        known.extend(new.iter().map(|text| (*text).to_owned()).zip(made.into_iter().map(|made| made.vector)));
        Ok(texts.iter().map(|text| Encoded { vector: known[*text].clone(), ..Encoded::default() }).collect())
    }
}
