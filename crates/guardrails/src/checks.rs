//! InvokeGuardrailChecks: single detectors over messages, without a guardrail, and nothing is acted upon.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{
    GuardrailChecksConfig, GuardrailChecksContentBlock, GuardrailChecksContentFilterResult,
    GuardrailChecksContentFilterResultEntry, GuardrailChecksContentFilterUsage, GuardrailChecksMessage,
    GuardrailChecksPromptAttackCategory, GuardrailChecksPromptAttackResult, GuardrailChecksPromptAttackResultEntry,
    GuardrailChecksPromptAttackUsage, GuardrailChecksResults, GuardrailChecksSensitiveInformationResult,
    GuardrailChecksSensitiveInformationResultEntry, GuardrailChecksSensitiveInformationUsage,
    GuardrailChecksUsageResults, InvokeGuardrailChecksRequest, InvokeGuardrailChecksResponse,
};
use outcrop_guard::content::{Attack, Category, Classifier, Confidence, Judged};
use outcrop_guard::sensitive::{Pii, Sensitive, What};
use outcrop_guard::{EncodeError, Encoder, Scan, UNIT};

use crate::apply::UNITS;
use crate::error::GuardrailsError;
use crate::service::Guardrails;
use crate::turns::Work;

/// Content blocks of a message ("Guardrail checks" of the user guide).
const BLOCKS: usize = 10;
/// Occurrences of sensitive information that are told.
const OCCURRENCES: usize = 1_000;

/// What the checks that are asked for say of messages.
pub async fn invoke(
    cx: &Context,
    guardrails: &Guardrails,
    input: InvokeGuardrailChecksRequest,
) -> Result<InvokeGuardrailChecksResponse, GuardrailsError> {
    cx.allow("bedrock:InvokeGuardrailChecks", "*")?;
    let began = Instant::now();
    let answer = answer(guardrails, input).await;
    guardrails.around().checked(cx, began.elapsed(), answer.as_ref().map(|answer| &answer.usage));
    answer
}

async fn answer(
    guardrails: &Guardrails,
    input: InvokeGuardrailChecksRequest,
) -> Result<InvokeGuardrailChecksResponse, GuardrailsError> {
    let InvokeGuardrailChecksRequest { messages, checks } = input;
    if checks.content_filter.is_none() && checks.prompt_attack.is_none() && checks.sensitive_information.is_none() {
        let text = "checks must name at least one of contentFilter, promptAttack and sensitiveInformation.";
        return Err(GuardrailsError::Validation(text.into()));
    }
    let texts = texts(messages)?;
    let characters: usize = texts.iter().map(|text| text.text.chars().count()).sum();
    let units = u64::try_from(characters).unwrap_or(u64::MAX).div_ceil(UNIT).max(1);
    if units > UNITS {
        return Err(GuardrailsError::TooMuchText { units, most: UNITS, policy: "guardrail checks" });
    }
    let units = i32::try_from(units).unwrap_or(i32::MAX);
    let usage = GuardrailChecksUsageResults {
        content_filter: checks.content_filter.as_ref().map(|_| GuardrailChecksContentFilterUsage { text_units: units }),
        prompt_attack: checks.prompt_attack.as_ref().map(|_| GuardrailChecksPromptAttackUsage { text_units: units }),
        sensitive_information: checks
            .sensitive_information
            .as_ref()
            .map(|_| GuardrailChecksSensitiveInformationUsage { text_units: units }),
    };
    let judges = guardrails.judges();
    let classifier = Arc::clone(judges.classifier());
    let work = match (&checks.content_filter, &checks.prompt_attack) {
        (None, None) => Work::Quick,
        _ => Work::judging(texts.iter().map(|text| text.text.as_str())),
    };
    let checked = judges.run(work, move |asked| checked(&texts, &checks, &*asked, &classifier)).await?;
    // Nothing stands in for a check that failed, whatever is done with guardrails that do.
    let results = checked.map_err(|error| GuardrailsError::Unchecked(error.to_string()))?;
    Ok(InvokeGuardrailChecksResponse { results, usage })
}

/// A text and where it stands.
struct Text {
    text: String,
    message: i32,
    content: i32,
}

fn texts(messages: Vec<GuardrailChecksMessage>) -> Result<Vec<Text>, GuardrailsError> {
    let mut texts = Vec::new();
    for (message, given) in (0..).zip(messages) {
        if given.content.len() > BLOCKS {
            return Err(GuardrailsError::Validation(format!(
                "messages.{message}.content has {} content blocks, more than the {BLOCKS} that a message may have.",
                given.content.len()
            )));
        }
        for (content, block) in (0..).zip(given.content) {
            match block {
                GuardrailChecksContentBlock::Text(text) => texts.push(Text { text, message, content }),
                GuardrailChecksContentBlock::Unset => return Err(GuardrailsError::IncorrectFormat),
            }
        }
    }
    Ok(texts)
}

/// Why a check could not be made.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Encoder(#[from] EncodeError),
    #[error(transparent)]
    Refused(#[from] outcrop_guard::Refused),
}

fn checked(
    texts: &[Text],
    checks: &GuardrailChecksConfig,
    encoder: &dyn Encoder,
    classifier: &Classifier,
) -> Result<GuardrailChecksResults, Failed> {
    let wanted = checks.content_filter.iter().flat_map(|check| &check.categories).map(|one| &one.category);
    let named = |name: &str| Category::ALL.into_iter().find(|category| category.name() == name);
    let filters: Vec<_> = wanted.filter_map(|category| Some((category.clone(), named(category.as_str())?))).collect();
    let mut categories: Vec<Category> = filters.iter().map(|(_, category)| *category).collect();
    if checks.prompt_attack.is_some() {
        categories.push(Category::PromptAttack);
    }
    let judged = judged(texts, &categories, encoder, classifier)?;
    let of = |category: Category| judged.iter().filter(move |(of, _)| *of == category).map(|(_, judged)| judged);
    let content_filter = checks.content_filter.as_ref().map(|_| {
        let results = filters.iter().map(|(shown, category)| GuardrailChecksContentFilterResultEntry {
            category: shown.clone(),
            severity_score: of(*category).map(severity).fold(0.0, f64::max),
        });
        GuardrailChecksContentFilterResult { results: results.collect() }
    });
    let prompt_attack = checks.prompt_attack.as_ref().map(|check| {
        let results = check.categories.iter().map(|wanted| GuardrailChecksPromptAttackResultEntry {
            category: wanted.category.clone(),
            severity_score: of(Category::PromptAttack)
                .map(|judged| attack_severity(judged, &wanted.category))
                .fold(0.0, f64::max),
        });
        GuardrailChecksPromptAttackResult { results: results.collect() }
    });
    let sensitive_information = match &checks.sensitive_information {
        None => None,
        Some(check) => {
            let kinds = check.entities.iter().filter_map(|entity| Pii::named(entity.r#type.as_str()));
            Some(sensitive(texts, &kinds.collect::<Vec<_>>())?)
        }
    };
    Ok(GuardrailChecksResults { content_filter, prompt_attack, sensitive_information })
}

/// Every text judged for every category.
fn judged(
    texts: &[Text],
    categories: &[Category],
    encoder: &dyn Encoder,
    classifier: &Classifier,
) -> Result<Vec<(Category, Judged)>, EncodeError> {
    let mut all = Vec::new();
    if categories.is_empty() {
        return Ok(all);
    }
    for text in texts.iter().filter(|text| !text.text.trim().is_empty()) {
        let scan = Scan::new(&text.text, encoder);
        all.extend(categories.iter().copied().zip(classifier.judge(&scan, categories)?));
    }
    Ok(all)
}

/// The six steps in which severity is told: a filter's confidence, with its score where that says more.
fn severity(judged: &Judged) -> f64 {
    match judged.confidence {
        Confidence::None if judged.score < 0.5 => 0.0,
        Confidence::None => 0.2,
        Confidence::Low => 0.4,
        Confidence::Medium => 0.6,
        Confidence::High if judged.score < 0.99 => 0.8,
        Confidence::High => 1.0,
    }
}

/// The same for one head of PROMPT_ATTACK: never more than for all of them together.
fn attack_severity(judged: &Judged, wanted: &GuardrailChecksPromptAttackCategory) -> f64 {
    let head = match wanted {
        GuardrailChecksPromptAttackCategory::Jailbreak => Attack::Jailbreak,
        GuardrailChecksPromptAttackCategory::PromptInjection => Attack::Injection,
        _ => Attack::Leakage,
    };
    let score = judged.attacks.iter().flatten().find(|(attack, _)| *attack == head).map_or(0.0, |(_, score)| *score);
    let step = f64::from((score.clamp(0.0, 1.0) * 5.0).round()) / 5.0;
    step.min(severity(judged))
}

/// Every occurrence of `kinds`, in the order of the texts.
fn sensitive(
    texts: &[Text],
    kinds: &[Pii],
) -> Result<GuardrailChecksSensitiveInformationResult, outcrop_guard::Refused> {
    let finder = Sensitive::new(kinds, &[])?;
    let mut results = Vec::new();
    let mut truncated = false;
    for text in texts {
        // Offsets are in characters: they slice the text as the caller has it. Hits come in order.
        let (mut bytes, mut characters) = (0, 0_usize);
        let mut offset = |at: usize| {
            characters += text.text.get(bytes..at).map_or(0, |passed| passed.chars().count());
            bytes = at;
            i32::try_from(characters).unwrap_or(i32::MAX)
        };
        for hit in finder.find(&text.text) {
            let What::Pii(kind) = hit.what else { continue };
            if results.len() == OCCURRENCES {
                truncated = true;
                break;
            }
            results.push(GuardrailChecksSensitiveInformationResultEntry {
                r#type: kind.name().into(),
                // What is found is found by rules or by the best reading of a sentence: there is no score behind it.
                confidence_score: 1.0,
                begin_offset: offset(hit.range.start),
                end_offset: offset(hit.range.end),
                message_index: text.message,
                content_index: text.content,
            });
        }
    }
    Ok(GuardrailChecksSensitiveInformationResult { results, truncated: Some(truncated) })
}
