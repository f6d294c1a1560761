//! What a guardrail said, in Bedrock's shapes.

use std::time::Duration;

use outcrop_api::bedrock_runtime::{GuardrailAssessment, GuardrailCoverage, GuardrailUsage};
use outcrop_guard::{Acted, Assessment, Side};

/// How much of an assessment is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// What was detected (`INTERVENTIONS`, trace `enabled`).
    #[default]
    Interventions,
    /// What was looked for and not found, too (`FULL`, trace `enabled_full`).
    Full,
}

/// What one guardrail said of one side of a call.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// Everything that was found.
    pub found: Assessment,
    /// Which way the texts went.
    pub side: Side,
    /// How long judging took.
    pub took: Duration,
}

impl Judgement {
    /// What was done, the strictest of all policies.
    pub fn acted(&self) -> Acted {
        self.found.acted
    }

    /// For each passage its masked text where masking changed it.
    pub fn masked(&self, passage: usize) -> Option<&str> {
        self.found.masked.get(passage)?.as_deref()
    }

    /// As answers and traces show it.
    pub fn assessment(&self, scope: Scope) -> GuardrailAssessment {
        let _ = scope;
        GuardrailAssessment::default()
    }

    /// The text units.
    pub fn usage(&self) -> GuardrailUsage {
        GuardrailUsage::default()
    }

    /// How much of the text was judged.
    pub fn coverage(&self) -> GuardrailCoverage {
        GuardrailCoverage::default()
    }
}

/// `actionReason` of what was done.
pub fn reason(acted: Acted) -> &'static str {
    match acted {
        Acted::None => "No action.",
        Acted::Masked => "Guardrail masked.",
        Acted::Blocked => "Guardrail blocked.",
    }
}
