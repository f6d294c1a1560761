//! The rules of a guardrail that no model says, in Bedrock's words (recorded 2026-09).

use std::collections::HashSet;
use std::hash::Hash;

use outcrop_api::bedrock::GuardrailAutomatedReasoningPolicyConfig;
use outcrop_guard::sensitive::Sensitive;
use outcrop_resources::Scope;
use outcrop_wire::arn::Arn;

use super::Definition;
use crate::GuardrailsError;

/// Characters of a topic's definition in the CLASSIC tier.
const CLASSIC_DEFINITION: usize = 200;
/// Characters of a word or phrase.
const WORD: usize = 100;
/// Characters of a regular expression.
const PATTERN: usize = 500;
const STANDARD: &str = "STANDARD";

fn refused<T>(text: impl Into<String>) -> Result<T, GuardrailsError> {
    Err(GuardrailsError::Validation(text.into()))
}

/// What `definition` says against the rules.
pub(super) fn definition(definition: &Definition, reasoning: bool) -> Result<(), GuardrailsError> {
    let Definition { topics, filters, words, word_lists, pii, regexes, grounding, .. } = definition;
    let any = topics.is_some() || filters.is_some() || grounding.is_some() || reasoning;
    let listed = [words, word_lists, pii].into_iter().flatten().any(|rules| !rules.is_empty());
    if !any && !listed && regexes.as_ref().is_none_or(Vec::is_empty) {
        return refused("Guardrail must have at least one policy");
    }
    self::tiers(definition)?;
    self::filters(definition)?;
    self::topics(definition)?;
    self::words(definition)?;
    self::sensitive(definition)?;
    for filter in grounding.iter().flat_map(|policy| &policy.rules) {
        if filter.threshold >= 1.0 || filter.threshold.is_nan() {
            return refused("The contextual grounding threshold cannot be greater than or equal to 1");
        }
    }
    if twice(grounding.iter().flat_map(|policy| &policy.rules).map(|filter| filter.measure.as_str())) {
        return refused("Contextual grounding policy must not include duplicate filters");
    }
    Ok(())
}

fn tiers(definition: &Definition) -> Result<(), GuardrailsError> {
    let Definition { topics, filters, grounding, .. } = definition;
    let tiers = [
        topics.as_ref().map(|policy| &policy.tier),
        filters.as_ref().map(|policy| &policy.tier),
        grounding.as_ref().map(|policy| &policy.tier),
    ];
    if tiers.into_iter().flatten().any(|tier| tier == STANDARD) && definition.profile.is_none() {
        return refused("Enable cross-Region inference for your guardrail to use Standard tier");
    }
    Ok(())
}

fn filters(definition: &Definition) -> Result<(), GuardrailsError> {
    let filters = || definition.filters.iter().flat_map(|policy| &policy.rules);
    if filters().any(|filter| filter.category == "PROMPT_ATTACK" && filter.output != "NONE") {
        return refused("PROMPT ATTACK content filter strength for response must be NONE");
    }
    if twice(filters().map(|filter| filter.category.as_str())) {
        return refused("Content policy must not include duplicate filters");
    }
    Ok(())
}

fn topics(definition: &Definition) -> Result<(), GuardrailsError> {
    let Some(policy) = &definition.topics else { return Ok(()) };
    if twice(policy.rules.iter().map(|topic| topic.name.as_str())) {
        return refused("Topic policy topic names are not unique");
    }
    let long = |text: &str| text.chars().count() > CLASSIC_DEFINITION;
    // The STANDARD tier's bound is the model's own.
    if policy.tier != STANDARD && policy.rules.iter().any(|topic| long(&topic.definition)) {
        return refused("One or more of your guardrail topic definitions exceeds the maximum allowed length");
    }
    Ok(())
}

fn words(definition: &Definition) -> Result<(), GuardrailsError> {
    let words = || definition.words.iter().flatten().map(|word| word.what.as_str());
    if words().any(|word| word.chars().count() > WORD) {
        return refused("The custom word length in this Word policy exceeds quota limit");
    }
    if words().any(outcrop_guard::words::is_blank) {
        return refused("A custom word in this Word policy has no visible character and would never be found");
    }
    if twice(words().map(str::to_lowercase)) {
        return refused("Custom words cannot have case-insensitive duplicates");
    }
    if twice(definition.word_lists.iter().flatten().map(|list| list.what.as_str())) {
        return refused("Managed words cannot have duplicates");
    }
    Ok(())
}

fn sensitive(definition: &Definition) -> Result<(), GuardrailsError> {
    if twice(definition.pii.iter().flatten().map(|pii| pii.what.as_str())) {
        return refused("The PII entity configs cannot have duplicates");
    }
    let regexes = || definition.regexes.iter().flatten();
    if twice(regexes().map(|regex| regex.name.as_str())) {
        return refused("All regex names must be unique");
    }
    if twice(regexes().map(|regex| regex.pattern.as_str())) {
        return refused("All regex patterns must be unique");
    }
    if regexes().any(|regex| regex.pattern.chars().count() > PATTERN) {
        return refused("Regex length in sensitive information policy exceeds quota limit");
    }
    let pairs: Vec<_> = regexes().map(|regex| (regex.name.as_str(), regex.pattern.as_str())).collect();
    match Sensitive::new(&[], &pairs) {
        Ok(_) => Ok(()),
        Err(error) => refused(error.to_string()),
    }
}

fn twice<T: Eq + Hash>(all: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    all.into_iter().any(|one| !seen.insert(one))
}

/// The id of the cross-Region profile that `given`, an id or ARN, names, where the caller's Region has it.
pub(super) fn profile(scope: Scope<'_>, given: &str) -> Result<String, GuardrailsError> {
    let invalid = "Guardrail cross-Region profile ID is invalid. Specify a guardrail profile ID that's supported in \
                   your current AWS Region";
    let id = match Arn::parse(given) {
        None => given,
        Some(arn) if arn.account != scope.account => {
            return refused("The provided resource ARN is from a different account");
        }
        Some(arn) if arn.region != scope.region => return refused(invalid),
        Some(arn) => arn.resource.strip_prefix("guardrail-profile/").unwrap_or_default(),
    };
    let geography = id.strip_suffix(".guardrail.v1:0");
    match geography.is_some_and(|geography| geographies(scope.region).contains(&geography)) {
        true => Ok(id.to_owned()),
        false => refused(invalid),
    }
}

/// The geographies whose profiles a Region has.
fn geographies(region: &str) -> &'static [&'static str] {
    match region {
        "eu-west-2" => &["eu", "uk"],
        "ap-southeast-2" | "ap-southeast-4" => &["au", "apac"],
        _ if region.starts_with("us-gov-") => &["us-gov"],
        _ if region.starts_with("us-") => &["us"],
        _ if region.starts_with("eu-") => &["eu"],
        _ if region.starts_with("ca-") => &["ca", "us"],
        _ if region.starts_with("ap-") => &["apac"],
        _ => &[],
    }
}

/// Automated reasoning policies are not built here, so none that a guardrail could name exists.
pub(super) fn reasoning(
    scope: Scope<'_>,
    config: &GuardrailAutomatedReasoningPolicyConfig,
    definition: &Definition,
) -> Result<(), GuardrailsError> {
    if definition.profile.is_none() {
        return refused("To use Automated Reasoning checks, your guardrail must have a cross-Region inference profile");
    }
    for policy in &config.policies {
        let Some(arn) = Arn::parse(policy) else { continue };
        if arn.region != scope.region {
            return refused("The provided automated reasoning policy ARN is invalid for the service region");
        }
        if arn.account != scope.account {
            return refused("The provided resource ARN is from a different account");
        }
    }
    Err(GuardrailsError::NoReasoningPolicy(config.policies.first().cloned().unwrap_or_default()))
}
