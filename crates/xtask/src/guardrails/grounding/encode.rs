//! Encoders for training and measuring.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use outcrop_engine::embed::Embedder;
use outcrop_engine::weights::{EMBEDDING_MODEL, ModelDir, Silent};
use outcrop_guard::{EncodeError, Encoded, Encoder};

/// The embedder, which encodes each text once: rows share most of their sentences.
pub(crate) struct Once {
    embedder: Embedder,
    known: Mutex<HashMap<String, Vec<f32>>>,
}

impl Once {
    /// Loads the model, and fetches it where the machine has it not yet.
    pub(crate) fn load() -> Result<Self, String> {
        let folder = ModelDir::locate().and_then(|models| models.pull(EMBEDDING_MODEL, &mut Silent));
        let embedder = Embedder::load(&folder.map_err(|e| e.to_string())?.path).map_err(|e| e.to_string())?;
        Ok(Self { embedder, known: Mutex::default() })
    }
}

impl Encoder for Once {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<&str> = texts.iter().copied().filter(|text| !known.contains_key(*text)).collect();
        let made = self.embedder.embed(&new).map_err(|error| EncodeError(error.to_string()))?;
        known.extend(new.iter().map(|text| (*text).to_owned()).zip(made.into_iter().map(|made| made.vector)));
        let vector = |text: &&str| known.get(*text).cloned().unwrap_or_default();
        Ok(texts.iter().map(|text| Encoded { vector: vector(text), ..Encoded::default() }).collect())
    }
}

/// No encoder: what remains is the time of everything else.
pub(crate) struct Blind;

impl Encoder for Blind {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        Ok(vec![Encoded::default(); texts.len()])
    }
}
