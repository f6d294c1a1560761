//! ApplyGuardrail: a guardrail over texts, without a model.

#[cfg(test)]
mod tests;

use std::time::Instant;

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{
    ApplyGuardrailRequest, ApplyGuardrailResponse, GuardrailAction, GuardrailContentBlock, GuardrailContentQualifier,
    GuardrailContentSource, GuardrailOutputContent, GuardrailOutputScope, GuardrailTextBlock,
};
use outcrop_guard::{Acted, Depth, Role, Side, UNIT};

use crate::applied::{Applied, OwnedPassage};
use crate::error::GuardrailsError;
use crate::judgement::{Judgement, Scope, reason};
use crate::service::Guardrails;

/// Characters of what contextual grounding compares (AWS's quotas).
const SOURCE: usize = 100_000;
const QUERY: usize = 1_000;
const RESPONSE: usize = 5_000;
/// Text units of a request that a policy looks at: the largest of AWS's quotas.
pub(crate) const UNITS: u64 = 1_000;

/// What a guardrail says of texts.
pub async fn apply(
    cx: &Context,
    guardrails: &Guardrails,
    input: ApplyGuardrailRequest,
) -> Result<ApplyGuardrailResponse, GuardrailsError> {
    let began = Instant::now();
    let applied = guardrails.find(cx, &input.guardrail_identifier, &input.guardrail_version).await?;
    let side = match input.source {
        GuardrailContentSource::Output => Side::Output,
        _ => Side::Input,
    };
    let answer = judged(&applied, side, input).await;
    let (took, counted) = (began.elapsed(), answer.as_ref().map(|(judged, _)| judged));
    applied.count(side, took, counted);
    applied.record(cx, took, counted);
    answer.map(|(_, answer)| answer)
}

async fn judged(
    applied: &Applied,
    side: Side,
    input: ApplyGuardrailRequest,
) -> Result<(Judgement, ApplyGuardrailResponse), GuardrailsError> {
    let scope = match input.output_scope {
        Some(GuardrailOutputScope::Full) => Scope::Full,
        _ => Scope::Interventions,
    };
    let texts = texts(input.content)?;
    let passages = passages(&texts);
    fits(applied, side, &passages)?;
    let judging: Vec<OwnedPassage> = passages.iter().map(|(_, passage)| passage.clone()).collect();
    applied.admit(side, &judging)?;
    let depth = if scope == Scope::Full { Depth::Everything } else { Depth::Nothing };
    let mut judged = applied.explaining(depth).assess(side, judging).await?;
    // A text with two marks is there once.
    let characters: usize = texts.iter().map(|block| block.text.chars().count()).sum();
    judged.found.coverage.total = u64::try_from(characters).unwrap_or(u64::MAX);
    let text = |text: &str| GuardrailOutputContent { text: Some(text.to_owned()) };
    let outputs = match judged.acted() {
        Acted::None => Vec::new(),
        Acted::Blocked => vec![text(applied.blocked(side))],
        // One for each text, in their order, also for those that nothing was found in: callers put them in place.
        Acted::Masked => {
            let shown = |(at, whole): (usize, &GuardrailTextBlock)| {
                let mut places = passages.iter().enumerate().filter(|(_, (block, _))| *block == at);
                text(places.find_map(|(place, _)| judged.masked(place)).unwrap_or(&whole.text))
            };
            texts.iter().enumerate().map(shown).collect()
        }
    };
    let answer = ApplyGuardrailResponse {
        usage: judged.usage(),
        action: match judged.acted() {
            Acted::None => GuardrailAction::None,
            _ => GuardrailAction::GuardrailIntervened,
        },
        action_reason: Some(reason(judged.acted()).to_owned()),
        outputs,
        assessments: vec![applied.assessment(&judged, scope)],
        guardrail_coverage: Some(judged.coverage()),
    };
    Ok((judged, answer))
}

/// The texts of a request. Images cannot be judged here, and what cannot be judged is not waved through.
fn texts(content: Vec<GuardrailContentBlock>) -> Result<Vec<GuardrailTextBlock>, GuardrailsError> {
    let text = |block| match block {
        GuardrailContentBlock::Text(text) => Ok(text),
        _ => Err(GuardrailsError::IncorrectFormat),
    };
    let texts: Vec<_> = content.into_iter().map(text).collect::<Result<_, _>>()?;
    if texts.is_empty() { Err(GuardrailsError::IncorrectFormat) } else { Ok(texts) }
}

/// What each text is to the policies, with the place of its block. Where one is marked as the content to guard, only
/// marked ones are; a text with several marks is several passages.
fn passages(texts: &[GuardrailTextBlock]) -> Vec<(usize, OwnedPassage)> {
    let has = |text: &GuardrailTextBlock, wanted: &GuardrailContentQualifier| {
        text.qualifiers.iter().flatten().any(|one| one.as_str() == wanted.as_str())
    };
    let marked = texts.iter().any(|text| has(text, &GuardrailContentQualifier::GuardContent));
    let mut passages = Vec::new();
    for (at, block) in texts.iter().enumerate() {
        let source = has(block, &GuardrailContentQualifier::GroundingSource);
        let query = has(block, &GuardrailContentQualifier::Query);
        let guarded = has(block, &GuardrailContentQualifier::GuardContent);
        let roles = [
            (guarded || !(marked || source || query), Role::Content),
            (marked && !guarded && !source && !query, Role::Unguarded),
            (source, Role::Source),
            (query, Role::Query),
        ];
        for (_, role) in roles.into_iter().filter(|(is, _)| *is) {
            passages.push((at, OwnedPassage { text: block.text.clone(), role }));
        }
    }
    passages
}

/// Whether the policies admit texts of this size.
fn fits(applied: &Applied, side: Side, passages: &[(usize, OwnedPassage)]) -> Result<(), GuardrailsError> {
    let characters = |role: Role| -> usize {
        let those = passages.iter().filter(|(_, passage)| passage.role == role);
        those.map(|(_, passage)| passage.text.chars().count()).sum()
    };
    let content = characters(Role::Content);
    let units = u64::try_from(content).unwrap_or(u64::MAX).div_ceil(UNIT);
    if units > UNITS && applied.guard.looks(side) {
        return Err(GuardrailsError::TooMuchText { units, most: UNITS, policy: largest(applied, side) });
    }
    if !applied.guard.grounds(side) {
        return Ok(());
    }
    if !passages.iter().any(|(_, passage)| passage.role == Role::Content) {
        return Err(GuardrailsError::NoGroundingSource);
    }
    let compared = [
        ("grounding source", characters(Role::Source), SOURCE),
        ("query", characters(Role::Query), QUERY),
        ("content to guard", content, RESPONSE),
    ];
    match compared.into_iter().find(|(_, found, most)| found > most) {
        None => Ok(()),
        Some((what, found, most)) => Err(GuardrailsError::Validation(format!(
            "The {what} has {found} characters, more than the {most} that the contextual grounding policy admits."
        ))),
    }
}

/// The policy that is named where there is too much text for all of them.
fn largest(applied: &Applied, side: Side) -> &'static str {
    let policy = applied.guard.policy();
    let on = |sides: outcrop_guard::Sides| sides.on(side) != outcrop_guard::Does::Off;
    if policy.filters.iter().any(|filter| on(filter.sides)) {
        "content filter policy (Classic tier)"
    } else if policy.topics.iter().any(|topic| on(topic.sides)) {
        "denied topic policy (Classic tier)"
    } else if policy.words.iter().any(|word| on(word.sides)) || policy.profanity.is_some_and(on) {
        "word filter policy"
    } else {
        "sensitive information filter policy"
    }
}
