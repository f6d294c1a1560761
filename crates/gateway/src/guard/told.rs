//! What a trace says of guardrails.

use std::collections::BTreeMap;

use outcrop_api::bedrock_runtime::{
    AppliedGuardrailDetails, GuardrailAssessment, GuardrailOrigin, GuardrailOwnership, GuardrailTraceAssessment,
};
use outcrop_guard::Acted;
use outcrop_guardrails::{Applied, Judgement, Origin, Scope, reason};

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
        let input = input.map(|(applied, said)| (applied.id.clone(), assessment(applied, said, scope)));
        let acted = self.input.iter().map(Judgement::acted).max().unwrap_or_default();
        let mut told = GuardrailTraceAssessment {
            input_assessment: Some(input.collect()),
            action_reason: Some(reasons(acted, output.as_ref().map(|output| output.acted))),
            ..GuardrailTraceAssessment::default()
        };
        if let Some(output) = output {
            let mut by_id: BTreeMap<String, Vec<GuardrailAssessment>> = BTreeMap::new();
            for (applied, said) in self.applied.iter().zip(&output.said) {
                let said = said.iter().map(|said| assessment(applied, said, scope));
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

fn assessment(applied: &Applied, said: &Judgement, scope: Scope) -> GuardrailAssessment {
    let mut told = said.assessment(scope);
    told.applied_guardrail_details.get_or_insert_with(|| AppliedGuardrailDetails {
        guardrail_id: Some(applied.id.clone()),
        guardrail_version: Some(applied.version.clone()),
        guardrail_arn: Some(applied.arn.clone()),
        guardrail_origin: Some(vec![match applied.origin {
            Origin::Request => GuardrailOrigin::Request,
            Origin::Account => GuardrailOrigin::AccountEnforced,
            Origin::Operator => GuardrailOrigin::OrganizationEnforced,
        }]),
        guardrail_ownership: Some(match applied.foreign {
            true => GuardrailOwnership::CrossAccount,
            false => GuardrailOwnership::Self_,
        }),
    });
    told
}
