//! What a guardrail said, in Bedrock's shapes.

use std::time::Duration;

use outcrop_api::bedrock_runtime::{
    AppliedGuardrailDetails, GuardrailAssessment, GuardrailContentFilter, GuardrailContentPolicyAssessment,
    GuardrailContextualGroundingFilter, GuardrailContextualGroundingPolicyAssessment, GuardrailCoverage,
    GuardrailCustomWord, GuardrailInvocationMetrics, GuardrailManagedWord, GuardrailManagedWordType, GuardrailOrigin,
    GuardrailOwnership, GuardrailPiiEntityFilter, GuardrailRegexFilter, GuardrailSensitiveInformationPolicyAssessment,
    GuardrailTextCharactersCoverage, GuardrailTopic, GuardrailTopicPolicyAssessment, GuardrailTopicType,
    GuardrailUsage, GuardrailWordPolicyAssessment,
};
use outcrop_guard::content::Confidence;
use outcrop_guard::grounding::Measure;
use outcrop_guard::{Acted, Assessment, Does, Side, Strength};

use crate::applied::{Applied, Origin};
use crate::explained::shown;

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

    /// The masked text of a passage, where masking changed it.
    pub fn masked(&self, passage: usize) -> Option<&str> {
        self.found.masked.get(passage)?.as_deref()
    }

    /// What was found, as answers and traces show it; who said it is known to [`Applied::assessment`].
    pub fn assessment(&self, scope: Scope) -> GuardrailAssessment {
        GuardrailAssessment {
            topic_policy: self.topics(scope),
            content_policy: self.filters(scope),
            word_policy: self.words(),
            sensitive_information_policy: self.sensitive(),
            contextual_grounding_policy: self.grounding(),
            automated_reasoning_policy: None,
            invocation_metrics: Some(GuardrailInvocationMetrics {
                guardrail_processing_latency: Some(i64::try_from(self.took.as_millis()).unwrap_or(i64::MAX)),
                usage: Some(self.usage()),
                guardrail_coverage: Some(self.coverage()),
            }),
            applied_guardrail_details: None,
            outcrop_explanation: self.explained(),
        }
    }

    /// Why, where that was asked for: a member that AWS's clients drop.
    fn explained(&self) -> Option<serde_json::Value> {
        let entries = self.found.explained.iter().map(shown).collect::<Vec<_>>();
        (!entries.is_empty()).then_some(entries.into())
    }

    fn topics(&self, scope: Scope) -> Option<GuardrailTopicPolicyAssessment> {
        let told = self.found.topics.iter().filter(|topic| topic.detected || scope == Scope::Full);
        let topics: Vec<_> = told
            .map(|topic| GuardrailTopic {
                name: topic.name.clone(),
                r#type: GuardrailTopicType::Deny,
                action: blocked(topic.acted).into(),
                detected: Some(topic.detected),
            })
            .collect();
        (!topics.is_empty()).then_some(GuardrailTopicPolicyAssessment { topics })
    }

    fn filters(&self, scope: Scope) -> Option<GuardrailContentPolicyAssessment> {
        let told = self.found.filters.iter().filter(|filter| filter.detected || scope == Scope::Full);
        let filters: Vec<_> = told
            .map(|filter| GuardrailContentFilter {
                r#type: filter.category.name().into(),
                confidence: confidence(if filter.detected { filter.confidence } else { Confidence::None }).into(),
                filter_strength: Some(strength(filter.strength).into()),
                action: blocked(filter.acted).into(),
                detected: Some(filter.detected),
            })
            .collect();
        (!filters.is_empty()).then_some(GuardrailContentPolicyAssessment { filters })
    }

    fn words(&self) -> Option<GuardrailWordPolicyAssessment> {
        let found = &self.found.words;
        let custom = found.iter().filter(|word| word.custom.is_some()).map(|word| GuardrailCustomWord {
            r#match: word.matched.clone(),
            action: blocked(word.acted).into(),
            detected: Some(true),
        });
        let managed = found.iter().filter(|word| word.custom.is_none()).map(|word| GuardrailManagedWord {
            r#match: word.matched.clone(),
            r#type: GuardrailManagedWordType::Profanity,
            action: blocked(word.acted).into(),
            detected: Some(true),
        });
        (!found.is_empty()).then(|| GuardrailWordPolicyAssessment {
            custom_words: custom.collect(),
            managed_word_lists: managed.collect(),
        })
    }

    fn sensitive(&self) -> Option<GuardrailSensitiveInformationPolicyAssessment> {
        let found = self.found.pii.iter().map(|pii| GuardrailPiiEntityFilter {
            r#match: pii.matched.clone(),
            r#type: pii.kind.name().into(),
            action: masked(pii.acted).into(),
            detected: Some(true),
        });
        let pii_entities: Vec<_> = found.collect();
        let regexes: Vec<_> = self
            .found
            .regexes
            .iter()
            .map(|regex| GuardrailRegexFilter {
                name: Some(regex.name.clone()),
                r#match: Some(regex.matched.clone()),
                regex: Some(regex.pattern.clone()),
                action: masked(regex.acted).into(),
                detected: Some(true),
            })
            .collect();
        let any = !pii_entities.is_empty() || !regexes.is_empty();
        any.then_some(GuardrailSensitiveInformationPolicyAssessment { pii_entities, regexes })
    }

    /// Filters that pass are told as well, in every scope.
    fn grounding(&self) -> Option<GuardrailContextualGroundingPolicyAssessment> {
        let filters = self.found.grounding.iter().map(|filter| GuardrailContextualGroundingFilter {
            r#type: match filter.measure {
                Measure::Grounding => "GROUNDING".into(),
                Measure::Relevance => "RELEVANCE".into(),
            },
            threshold: filter.threshold,
            score: filter.score,
            action: blocked(filter.acted).into(),
            detected: Some(filter.detected),
        });
        let filters: Vec<_> = filters.collect();
        (!filters.is_empty()).then_some(GuardrailContextualGroundingPolicyAssessment { filters: Some(filters) })
    }

    /// The text units.
    pub fn usage(&self) -> GuardrailUsage {
        let units = &self.found.units;
        GuardrailUsage {
            topic_policy_units: count(units.topic),
            content_policy_units: count(units.content),
            word_policy_units: count(units.word),
            sensitive_information_policy_units: count(units.pii),
            sensitive_information_policy_free_units: count(units.regex),
            contextual_grounding_policy_units: count(units.grounding),
            content_policy_image_units: Some(0),
            automated_reasoning_policy_units: Some(0),
            automated_reasoning_policies: Some(0),
        }
    }

    /// How much of the text was judged.
    pub fn coverage(&self) -> GuardrailCoverage {
        let coverage = &self.found.coverage;
        let text = GuardrailTextCharactersCoverage {
            guarded: Some(count(coverage.guarded)),
            total: Some(count(coverage.total)),
        };
        GuardrailCoverage { text_characters: Some(text), images: None }
    }
}

impl Applied {
    /// What it said, as answers and traces show it.
    pub fn assessment(&self, said: &Judgement, scope: Scope) -> GuardrailAssessment {
        let mut told = said.assessment(scope);
        told.applied_guardrail_details = Some(self.details());
        if scope == Scope::Full {
            let rules = self.guard.policy().pii.iter().filter(|rule| rule.sides.on(said.side) != Does::Off);
            let absent = rules.filter(|rule| !said.found.pii.iter().any(|pii| pii.kind == rule.kind));
            let absent = absent.map(|rule| GuardrailPiiEntityFilter {
                r#match: String::new(),
                r#type: rule.kind.name().into(),
                action: masked(Acted::None).into(),
                detected: Some(false),
            });
            let mut policy = told.sensitive_information_policy.take().unwrap_or_default();
            policy.pii_entities.extend(absent);
            let any = !policy.pii_entities.is_empty() || !policy.regexes.is_empty();
            told.sensitive_information_policy = any.then_some(policy);
        }
        told
    }

    fn details(&self) -> AppliedGuardrailDetails {
        AppliedGuardrailDetails {
            guardrail_id: Some(self.id.clone()),
            guardrail_version: Some(self.version.clone()),
            guardrail_arn: Some(self.arn.clone()),
            guardrail_origin: Some(vec![match self.origin {
                Origin::Request => GuardrailOrigin::Request,
                Origin::Account => GuardrailOrigin::AccountEnforced,
                Origin::Operator => GuardrailOrigin::OrganizationEnforced,
            }]),
            guardrail_ownership: Some(match self.foreign {
                true => GuardrailOwnership::CrossAccount,
                false => GuardrailOwnership::Self_,
            }),
        }
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

fn count(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn blocked(acted: Acted) -> &'static str {
    if acted == Acted::Blocked { "BLOCKED" } else { "NONE" }
}

pub(crate) fn masked(acted: Acted) -> &'static str {
    match acted {
        Acted::None => "NONE",
        Acted::Masked => "ANONYMIZED",
        Acted::Blocked => "BLOCKED",
    }
}

pub(crate) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::None => "NONE",
        Confidence::Low => "LOW",
        Confidence::Medium => "MEDIUM",
        Confidence::High => "HIGH",
    }
}

pub(crate) fn strength(strength: Strength) -> &'static str {
    match strength {
        Strength::None => "NONE",
        Strength::Low => "LOW",
        Strength::Medium => "MEDIUM",
        Strength::High => "HIGH",
    }
}
