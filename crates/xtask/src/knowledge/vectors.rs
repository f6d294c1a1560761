//! Vectors of texts, and a file that remembers them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use outcrop_engine::embed::{DIMENSIONS, Embedder};
use outcrop_engine::weights::{EMBEDDING_MODEL, ModelDir, Silent};

/// The embedding model with what it said before.
pub(crate) struct Vectors {
    embedder: Embedder,
    by_text: HashMap<u64, Vec<f32>>,
    file: Option<PathBuf>,
}

impl Vectors {
    /// Loads the model, and `file` where it is there.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, String> {
        let folder = ModelDir::locate().and_then(|models| models.pull(EMBEDDING_MODEL, &mut Silent));
        let folder = folder.map_err(|e| e.to_string())?;
        let embedder = Embedder::load(&folder.path).map_err(|e| e.to_string())?;
        let mut all = Self { embedder, by_text: HashMap::new(), file: file.map(Path::to_path_buf) };
        if let Some(file) = file.filter(|file| file.exists()) {
            let opened = std::fs::File::open(file).map_err(|e| format!("{}: {e}", file.display()))?;
            let mut from = std::io::BufReader::with_capacity(1 << 20, opened);
            let mut row = vec![0u8; 8 + DIMENSIONS * 4];
            while from.read_exact(&mut row).is_ok() {
                let (key, vector) = row.split_at(8);
                let key = key.iter().rev().fold(0, |sum, b| sum << 8 | u64::from(*b));
                all.by_text.insert(key, vector.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect());
            }
        }
        Ok(all)
    }

    /// Makes sure that every text has its vector.
    pub(crate) fn add(&mut self, texts: &[&str]) -> Result<(), String> {
        let mut new: Vec<&str> = texts.iter().copied().filter(|text| !self.by_text.contains_key(&key(text))).collect();
        new.sort_unstable_by_key(|text| (text.len(), key(text)));
        new.dedup();
        for (at, some) in new.chunks(64).enumerate() {
            let mut rows = Vec::new();
            for (text, found) in some.iter().zip(self.embedder.embed(some).map_err(|e| e.to_string())?) {
                rows.extend(key(text).to_le_bytes());
                rows.extend(found.vector.iter().flat_map(|x| x.to_le_bytes()));
                self.by_text.insert(key(text), found.vector);
            }
            if let Some(file) = &self.file {
                let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
                let written = opened.and_then(|mut file| file.write_all(&rows));
                written.map_err(|e| format!("{}: {e}", file.display()))?;
            }
            if at % 20 == 19 {
                eprintln!("embedded {} of {}", (at + 1) * 64, new.len());
            }
        }
        Ok(())
    }

    /// The vector of a text that was added.
    pub(crate) fn of(&self, text: &str) -> &[f32] {
        self.by_text.get(&key(text)).map(Vec::as_slice).unwrap_or_default()
    }
}

fn key(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
