//! Knowledge bases.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::Store;

/// `[knowledge]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Knowledge {
    pub strict: bool,
    pub answers: KnowledgeAnswers,
    pub managed_embedding_model: String,
    pub jobs: NonZeroUsize,
    pub jobs_per_account: NonZeroUsize,
    pub stores: BTreeMap<String, Store>,
}

/// `answers`: who words what RetrieveAndGenerate answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "explained in the default file")]
pub enum KnowledgeAnswers {
    #[default]
    Auto,
    Extractive,
    Generative,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self {
            strict: false,
            answers: KnowledgeAnswers::Auto,
            managed_embedding_model: "amazon.titan-embed-text-v2:0".to_owned(),
            jobs: const { NonZeroUsize::new(5).unwrap() },
            jobs_per_account: const { NonZeroUsize::new(5).unwrap() },
            stores: BTreeMap::new(),
        }
    }
}
