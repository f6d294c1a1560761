//! Local models beyond the default ones.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, impossible};

/// `[[local_models]]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LocalModel {
    /// `outcrop.<name>` in the catalogue.
    pub name: String,
    /// The weights.
    pub file: PathBuf,
    /// What it is for.
    #[serde(default)]
    pub kind: LocalKind,
    /// What the file must hash to.
    pub sha256: Option<String>,
}

/// What a local model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LocalKind {
    /// Text generation.
    #[default]
    Text,
    /// Embeddings.
    Embedding,
    /// Reranking.
    Rerank,
}

pub(super) fn check(models: &[LocalModel]) -> Result<(), ConfigError> {
    for model in models {
        if let Some(hash) = &model.sha256
            && (hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            return Err(impossible("local_models.sha256", hash, "64 hexadecimal digits"));
        }
        if models.iter().filter(|other| other.name == model.name).count() > 1 {
            return Err(impossible("local_models.name", &model.name, "a name that no other local model has"));
        }
    }
    Ok(())
}
