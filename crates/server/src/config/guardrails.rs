//! How guardrails judge.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

/// `[guardrails]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Guardrails {
    pub on_failure: GuardrailFailure,
    pub enforce: Vec<String>,
    pub input: GuardrailInput,
    pub stream_window: NonZeroUsize,
    pub stream_first: Option<NonZeroUsize>,
}

impl Default for Guardrails {
    fn default() -> Self {
        Self {
            on_failure: GuardrailFailure::default(),
            enforce: Vec::new(),
            input: GuardrailInput::default(),
            stream_window: const { NonZeroUsize::new(1_000).unwrap() },
            stream_first: None,
        }
    }
}

/// `[guardrails] input`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each value is explained in the default file, and only there")]
pub enum GuardrailInput {
    #[default]
    Before,
    Beside,
}

/// `[guardrails] on_failure`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each value is explained in the default file, and only there")]
pub enum GuardrailFailure {
    #[default]
    Block,
    Allow,
}
