//! From what is kept to what GetGuardrail shows: the same rules under other names.

use outcrop_api::bedrock::{
    GuardrailContentFilter, GuardrailContentFiltersTier, GuardrailContentPolicy, GuardrailContextualGroundingFilter,
    GuardrailContextualGroundingPolicy, GuardrailContextualGroundingTier, GuardrailCrossRegionDetails,
    GuardrailManagedWords, GuardrailPiiEntity, GuardrailRegex, GuardrailSensitiveInformationPolicy, GuardrailTopic,
    GuardrailTopicPolicy, GuardrailTopicType, GuardrailTopicsTier, GuardrailWord, GuardrailWordPolicy,
};
use outcrop_resources::Scope;

use super::{Action, Definition, Sides};

/// An action as each of Bedrock's enumerations has it.
fn action<'a, T: From<&'a str>>(action: Option<Action>) -> Option<T> {
    action.map(|action| T::from(action.as_str()))
}

/// A rule with its two sides.
macro_rules! sided {
    ($shape:ident { $($field:ident: $value:expr,)* } $sides:expr) => {{
        let sides: Sides = $sides;
        $shape {
            $($field: $value,)*
            input_action: action(sides.input),
            output_action: action(sides.output),
            input_enabled: sides.input_enabled,
            output_enabled: sides.output_enabled,
        }
    }};
}

impl Definition {
    /// The denied topics.
    pub fn show_topics(&self) -> Option<GuardrailTopicPolicy> {
        let policy = self.topics.as_ref()?;
        let topics = policy.rules.iter().map(|topic| {
            sided!(GuardrailTopic {
                name: topic.name.clone(),
                definition: topic.definition.clone(),
                examples: topic.examples.clone(),
                r#type: Some(GuardrailTopicType::Deny),
            } topic.sides)
        });
        let tier = Some(GuardrailTopicsTier { tier_name: policy.tier.as_str().into() });
        Some(GuardrailTopicPolicy { topics: topics.collect(), tier })
    }

    /// The content filters.
    pub fn show_filters(&self) -> Option<GuardrailContentPolicy> {
        let policy = self.filters.as_ref()?;
        let modalities = |all: &[String]| Some(all.iter().map(|one| one.as_str().into()).collect());
        let filters = policy.rules.iter().map(|filter| {
            sided!(GuardrailContentFilter {
                r#type: filter.category.as_str().into(),
                input_strength: filter.input.as_str().into(),
                output_strength: filter.output.as_str().into(),
                input_modalities: modalities(&filter.input_modalities),
                output_modalities: modalities(&filter.output_modalities),
            } filter.sides)
        });
        let tier = Some(GuardrailContentFiltersTier { tier_name: policy.tier.as_str().into() });
        Some(GuardrailContentPolicy { filters: Some(filters.collect()), tier })
    }

    /// The words.
    pub fn show_words(&self) -> Option<GuardrailWordPolicy> {
        let words = self.words.as_ref().map(|words| {
            let word = |word: &super::Rule| sided!(GuardrailWord { text: word.what.clone(), } word.sides);
            words.iter().map(word).collect()
        });
        let managed_word_lists = self.word_lists.as_ref().map(|lists| {
            let list =
                |list: &super::Rule| sided!(GuardrailManagedWords { r#type: list.what.as_str().into(), } list.sides);
            lists.iter().map(list).collect()
        });
        let any = words.is_some() || managed_word_lists.is_some();
        any.then_some(GuardrailWordPolicy { words, managed_word_lists })
    }

    /// PII and regular expressions.
    pub fn show_sensitive(&self) -> Option<GuardrailSensitiveInformationPolicy> {
        let pii_entities = self.pii.as_ref().map(|all| {
            let entity = |pii: &super::Rule| {
                sided!(GuardrailPiiEntity {
                    r#type: pii.what.as_str().into(),
                    action: action(pii.sides.action).unwrap_or_default(),
                } pii.sides)
            };
            all.iter().map(entity).collect()
        });
        let regexes = self.regexes.as_ref().map(|all| {
            let shown = |regex: &super::Regex| {
                sided!(GuardrailRegex {
                    name: regex.name.clone(),
                    description: regex.description.clone(),
                    pattern: regex.pattern.clone(),
                    action: action(regex.sides.action).unwrap_or_default(),
                } regex.sides)
            };
            all.iter().map(shown).collect()
        });
        let any = pii_entities.is_some() || regexes.is_some();
        any.then_some(GuardrailSensitiveInformationPolicy { pii_entities, regexes })
    }

    /// The thresholds of contextual grounding.
    pub fn show_grounding(&self) -> Option<GuardrailContextualGroundingPolicy> {
        let policy = self.grounding.as_ref()?;
        let filters = policy.rules.iter().map(|filter| GuardrailContextualGroundingFilter {
            r#type: filter.measure.as_str().into(),
            threshold: filter.threshold,
            action: action(Some(filter.action)),
            enabled: Some(filter.enabled),
        });
        let tier = Some(GuardrailContextualGroundingTier { tier_name: policy.tier.as_str().into() });
        Some(GuardrailContextualGroundingPolicy { filters: filters.collect(), tier })
    }
}

/// A profile by its id, in the account that uses it.
pub(crate) fn profile(id: Option<&str>, scope: Scope<'_>) -> Option<GuardrailCrossRegionDetails> {
    let id = id?;
    Some(GuardrailCrossRegionDetails {
        guardrail_profile_id: Some(id.to_owned()),
        guardrail_profile_arn: Some(format!(
            "arn:aws:bedrock:{}:{}:guardrail-profile/{id}",
            scope.region, scope.account
        )),
    })
}
