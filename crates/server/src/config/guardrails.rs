//! How guardrails judge.

use serde::{Deserialize, Serialize};

/// `[guardrails]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Guardrails {
    pub on_failure: GuardrailFailure,
    pub enforce: Vec<String>,
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
