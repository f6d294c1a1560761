//! What a trace says of guardrails.

use std::collections::BTreeMap;

use outcrop_api::bedrock_runtime::{GuardrailAssessment, GuardrailTraceAssessment};
use outcrop_guard::Acted;
use outcrop_guardrails::{Judgement, reason};

use super::Passed;

/// What was said of an answer.
#[derive(Default)]
pub(super) struct Output {
    /// By each guardrail, of each part of the answer that it judged.
    pub said: Vec<Vec<Judgement>>,
    /// What was done with it.
    pub acted: Acted,
    /// The answer as the model gave it, where it was changed.
    pub original: Vec<String>,
}

impl Passed {
    /// The trace, where the caller asked for one.
    pub(super) fn told(&self, output: Option<Output>) -> Option<GuardrailTraceAssessment> {
        let scope = self.scope?;
        let input = self.applied.iter().zip(&self.input);
        let input = input.map(|(applied, said)| (applied.id.clone(), applied.assessment(said, scope)));
        let acted = self.input.iter().map(Judgement::acted).max().unwrap_or_default();
        let mut told = GuardrailTraceAssessment {
            input_assessment: Some(input.collect()),
            action_reason: Some(reasons(acted, output.as_ref().map(|output| output.acted))),
            ..GuardrailTraceAssessment::default()
        };
        if let Some(output) = output {
            let mut by_id: BTreeMap<String, Vec<GuardrailAssessment>> = BTreeMap::new();
            for (applied, said) in self.applied.iter().zip(&output.said) {
                let said = said.iter().map(|said| applied.assessment(said, scope));
                by_id.entry(applied.id.clone()).or_default().extend(said);
            }
            by_id.retain(|_, said| !said.is_empty());
            told.output_assessments = Some(by_id).filter(|by_id| !by_id.is_empty());
            told.model_output = Some(output.original).filter(|original| !original.is_empty());
        }
        Some(told)
    }
}

/// Of both sides where either did something, as recorded.
fn reasons(input: Acted, output: Option<Acted>) -> String {
    match output {
        Some(output) if input != Acted::None || output != Acted::None => {
            format!("{}\n{}", reason(input), reason(output))
        }
        _ => reason(input).to_owned(),
    }
}
