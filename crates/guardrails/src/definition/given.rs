//! From a request to what is kept: the older and the newer fields, and the defaults.

use outcrop_api::bedrock::{
    CreateGuardrailRequest, GuardrailAutomatedReasoningPolicyConfig, GuardrailContentPolicyConfig,
    GuardrailContextualGroundingPolicyConfig, GuardrailCrossRegionConfig, GuardrailSensitiveInformationPolicyConfig,
    GuardrailTopicPolicyConfig, GuardrailWordPolicyConfig, UpdateGuardrailRequest,
};
use outcrop_resources::Scope;

use super::{Action, Definition, Filter, Regex, Rule, Sides, Threshold, Tiered, Topic, check};
use crate::GuardrailsError;

const CLASSIC: &str = "CLASSIC";
const TEXT: &str = "TEXT";

/// What both the creation of a guardrail and its update say.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the members of the requests")]
pub struct Given {
    pub topic_policy_config: Option<GuardrailTopicPolicyConfig>,
    pub content_policy_config: Option<GuardrailContentPolicyConfig>,
    pub word_policy_config: Option<GuardrailWordPolicyConfig>,
    pub sensitive_information_policy_config: Option<GuardrailSensitiveInformationPolicyConfig>,
    pub contextual_grounding_policy_config: Option<GuardrailContextualGroundingPolicyConfig>,
    pub automated_reasoning_policy_config: Option<GuardrailAutomatedReasoningPolicyConfig>,
    pub cross_region_config: Option<GuardrailCrossRegionConfig>,
    pub blocked_input_messaging: String,
    pub blocked_outputs_messaging: String,
}

macro_rules! given {
    ($request:ident) => {
        impl From<&mut $request> for Given {
            fn from(input: &mut $request) -> Self {
                Self {
                    topic_policy_config: input.topic_policy_config.take(),
                    content_policy_config: input.content_policy_config.take(),
                    word_policy_config: input.word_policy_config.take(),
                    sensitive_information_policy_config: input.sensitive_information_policy_config.take(),
                    contextual_grounding_policy_config: input.contextual_grounding_policy_config.take(),
                    automated_reasoning_policy_config: input.automated_reasoning_policy_config.take(),
                    cross_region_config: input.cross_region_config.take(),
                    blocked_input_messaging: std::mem::take(&mut input.blocked_input_messaging),
                    blocked_outputs_messaging: std::mem::take(&mut input.blocked_outputs_messaging),
                }
            }
        }
    };
}
given!(CreateGuardrailRequest);
given!(UpdateGuardrailRequest);

/// Both sides of a rule that has the newer fields only. They block where nothing is said.
macro_rules! sides {
    ($rule:ident) => {
        Sides {
            action: None,
            input: Some($rule.input_action.map_or(Action::Block, |action| Action::named(action.as_str()))),
            output: Some($rule.output_action.map_or(Action::Block, |action| Action::named(action.as_str()))),
            input_enabled: Some($rule.input_enabled.unwrap_or(true)),
            output_enabled: Some($rule.output_enabled.unwrap_or(true)),
        }
    };
}

/// Both sides of a rule that has the older action too: it stands for what the newer fields do not say. Masking by the
/// older action alone is for answers.
macro_rules! sides_of_action {
    ($rule:ident) => {{
        let action = Action::named($rule.action.as_str());
        let input = $rule.input_action.map(|action| Action::named(action.as_str()));
        let input = input.or((action != Action::Anonymize).then_some(action));
        Sides {
            action: Some(action),
            input_enabled: $rule.input_enabled.or(input.map(|_| true)),
            input,
            output: Some($rule.output_action.map_or(action, |action| Action::named(action.as_str()))),
            output_enabled: Some($rule.output_enabled.unwrap_or(true)),
        }
    }};
}

impl Given {
    /// What is kept of it, if it keeps the rules.
    pub fn checked(self, scope: Scope<'_>) -> Result<Definition, GuardrailsError> {
        let reasoning = self.automated_reasoning_policy_config.clone();
        let profile = self.cross_region_config.as_ref().map(|config| config.guardrail_profile_identifier.as_str());
        let profile = profile.map(|given| check::profile(scope, given)).transpose()?;
        let definition = self.definition(profile);
        check::definition(&definition, reasoning.is_some())?;
        if let Some(reasoning) = reasoning {
            check::reasoning(scope, &reasoning, &definition)?;
        }
        Ok(definition)
    }

    fn definition(self, profile: Option<String>) -> Definition {
        let (words, word_lists) = match self.word_policy_config {
            Some(policy) => (policy.words_config, policy.managed_word_lists_config),
            None => (None, None),
        };
        let (pii, regexes) = match self.sensitive_information_policy_config {
            Some(policy) => (policy.pii_entities_config, policy.regexes_config),
            None => (None, None),
        };
        Definition {
            topics: self.topic_policy_config.map(topics),
            filters: self.content_policy_config.map(filters),
            words: words.map(|all| all.into_iter().map(|w| Rule { sides: sides!(w), what: w.text }).collect()),
            word_lists: word_lists.map(|all| {
                all.into_iter()
                    .map(|list| Rule { what: list.r#type.as_str().to_owned(), sides: sides!(list) })
                    .collect()
            }),
            pii: pii.map(|all| {
                let rule = |pii: outcrop_api::bedrock::GuardrailPiiEntityConfig| Rule {
                    what: pii.r#type.as_str().to_owned(),
                    sides: sides_of_action!(pii),
                };
                all.into_iter().map(rule).collect()
            }),
            regexes: regexes.map(|all| {
                let regex = |regex: outcrop_api::bedrock::GuardrailRegexConfig| Regex {
                    sides: sides_of_action!(regex),
                    name: regex.name,
                    description: regex.description,
                    pattern: regex.pattern,
                };
                all.into_iter().map(regex).collect()
            }),
            grounding: self.contextual_grounding_policy_config.map(grounding),
            profile,
            blocked_input: self.blocked_input_messaging,
            blocked_output: self.blocked_outputs_messaging,
        }
    }
}

fn topics(policy: GuardrailTopicPolicyConfig) -> Tiered<Topic> {
    let tier = policy.tier_config.map_or(CLASSIC.to_owned(), |tier| tier.tier_name.as_str().to_owned());
    let rules = policy.topics_config.into_iter().map(|topic| Topic {
        sides: sides!(topic),
        name: topic.name,
        definition: topic.definition,
        examples: topic.examples,
    });
    Tiered { rules: rules.collect(), tier }
}

fn filters(policy: GuardrailContentPolicyConfig) -> Tiered<Filter> {
    let tier = policy.tier_config.map_or(CLASSIC.to_owned(), |tier| tier.tier_name.as_str().to_owned());
    let modalities = |given: Option<Vec<outcrop_api::bedrock::GuardrailModality>>| match given {
        Some(all) => all.iter().map(|one| one.as_str().to_owned()).collect(),
        None => vec![TEXT.to_owned()],
    };
    let rules = policy.filters_config.into_iter().map(|filter| Filter {
        category: filter.r#type.as_str().to_owned(),
        input: filter.input_strength.as_str().to_owned(),
        output: filter.output_strength.as_str().to_owned(),
        sides: sides!(filter),
        input_modalities: modalities(filter.input_modalities),
        output_modalities: modalities(filter.output_modalities),
    });
    Tiered { rules: rules.collect(), tier }
}

fn grounding(policy: GuardrailContextualGroundingPolicyConfig) -> Tiered<Threshold> {
    let tier = policy.tier_config.map_or(CLASSIC.to_owned(), |tier| tier.tier_name.as_str().to_owned());
    let rules = policy.filters_config.into_iter().map(|filter| Threshold {
        measure: filter.r#type.as_str().to_owned(),
        threshold: filter.threshold,
        action: filter.action.map_or(Action::Block, |action| Action::named(action.as_str())),
        enabled: filter.enabled.unwrap_or(true),
    });
    Tiered { rules: rules.collect(), tier }
}
