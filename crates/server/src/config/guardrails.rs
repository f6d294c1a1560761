//! How guardrails judge.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use outcrop_guardrails::judge::Rule;

use serde::{Deserialize, Serialize};

use super::{ConfigError, impossible};

/// `[guardrails]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Guardrails {
    pub on_failure: GuardrailFailure,
    pub enforce: Vec<String>,
    pub input: GuardrailInput,
    pub stream_window: NonZeroUsize,
    pub stream_first: NonZeroUsize,
    pub unmeasured_languages: UnmeasuredLanguages,
    pub judges: Vec<GuardrailJudge>,
}

impl Default for Guardrails {
    fn default() -> Self {
        Self {
            on_failure: GuardrailFailure::default(),
            enforce: Vec::new(),
            input: GuardrailInput::default(),
            stream_window: const { NonZeroUsize::new(1_000).unwrap() },
            stream_first: const { NonZeroUsize::new(4).unwrap() },
            unmeasured_languages: UnmeasuredLanguages::default(),
            judges: Vec::new(),
        }
    }
}

/// `[guardrails] unmeasured_languages`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each value is explained in the default file, and only there")]
pub enum UnmeasuredLanguages {
    #[default]
    Judge,
    Block,
    Allow,
}

/// `[[guardrails.judges]]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct GuardrailJudge {
    pub guardrail: String,
    pub model: String,
    #[serde(default = "both")]
    pub policies: Vec<JudgedPolicy>,
    #[serde(default = "limit")]
    pub timeout_ms: NonZeroU64,
    #[serde(default)]
    pub on_failure: JudgeFailure,
}

/// `[[guardrails.judges]] policies`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each value is explained in the default file, and only there")]
pub enum JudgedPolicy {
    Content,
    Topics,
}

/// `[[guardrails.judges]] on_failure`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each value is explained in the default file, and only there")]
pub enum JudgeFailure {
    #[default]
    BuiltIn,
    Block,
}

fn both() -> Vec<JudgedPolicy> {
    vec![JudgedPolicy::Content, JudgedPolicy::Topics]
}

fn limit() -> NonZeroU64 {
    const { NonZeroU64::new(5_000).unwrap() }
}

impl Guardrails {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for judge in &self.judges {
            let named = [("guardrail", &judge.guardrail), ("model", &judge.model)];
            if let Some((key, _)) = named.into_iter().find(|(_, value)| value.is_empty()) {
                return Err(impossible(&format!("guardrails.judges.{key}"), "", "a name"));
            }
            if judge.policies.is_empty() {
                return Err(impossible("guardrails.judges.policies", "[]", "\"content\", \"topics\" or both"));
            }
        }
        Ok(())
    }
}

impl GuardrailJudge {
    /// The same in the words of guardrails.
    pub fn rule(&self) -> Rule {
        Rule {
            guardrail: self.guardrail.clone(),
            model: self.model.clone(),
            content: self.policies.contains(&JudgedPolicy::Content),
            topics: self.policies.contains(&JudgedPolicy::Topics),
            limit: Duration::from_millis(self.timeout_ms.get()),
            blocks: self.on_failure == JudgeFailure::Block,
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
