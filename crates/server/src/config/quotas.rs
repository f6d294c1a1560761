//! How many tokens, requests and calls at a time there are, and when a caller repeats itself.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use outcrop_admission::{loops, quotas, text_units};
use serde::{Deserialize, Serialize};

use super::{ConfigError, impossible};

/// `[quotas]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Quotas {
    pub tokens_per_minute: Option<u64>,
    pub cross_region_tokens_per_minute: Option<u64>,
    pub tokens_per_day: Option<u64>,
    pub requests_per_minute: Option<u64>,
    pub cross_region_requests_per_minute: Option<u64>,
    pub increases_up_to: f64,
    pub guardrails: GuardrailQuotas,
    pub models: BTreeMap<String, ModelQuotas>,
    pub rules: Vec<QuotaRule>,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            tokens_per_minute: None,
            cross_region_tokens_per_minute: None,
            tokens_per_day: None,
            requests_per_minute: None,
            cross_region_requests_per_minute: None,
            increases_up_to: 2.0,
            guardrails: GuardrailQuotas::default(),
            models: BTreeMap::new(),
            rules: Vec::new(),
        }
    }
}

/// `[quotas.guardrails]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct GuardrailQuotas {
    pub content_units_per_second: Option<u64>,
    pub topic_units_per_second: Option<u64>,
    pub word_units_per_second: Option<u64>,
    pub sensitive_units_per_second: Option<u64>,
    pub grounding_units_per_second: Option<u64>,
}

impl GuardrailQuotas {
    /// In admission's words.
    pub fn settings(&self) -> text_units::Settings {
        text_units::Settings {
            content: self.content_units_per_second,
            topic: self.topic_units_per_second,
            word: self.word_units_per_second,
            sensitive: self.sensitive_units_per_second,
            grounding: self.grounding_units_per_second,
        }
    }
}

/// `[quotas.models."ID"]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct ModelQuotas {
    pub tokens_per_minute: Option<u64>,
    pub cross_region_tokens_per_minute: Option<u64>,
    pub tokens_per_day: Option<u64>,
    pub requests_per_minute: Option<u64>,
    pub cross_region_requests_per_minute: Option<u64>,
    pub burndown: Option<NonZeroU32>,
}

/// `[[quotas.rules]]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct QuotaRule {
    pub name: String,
    pub by: String,
    pub value: Option<String>,
    pub model: Option<String>,
    pub tokens_per_minute: Option<u64>,
    pub tokens_per_day: Option<u64>,
    pub requests_per_minute: Option<u64>,
    pub concurrency: Option<u64>,
}

/// `[loops]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Loops {
    pub calls: Option<NonZeroU32>,
    pub window_seconds: NonZeroU32,
    pub pause_seconds: NonZeroU32,
    pub except: Vec<String>,
}

impl Default for Loops {
    fn default() -> Self {
        Self {
            calls: None,
            window_seconds: const { NonZeroU32::new(60).unwrap() },
            pause_seconds: const { NonZeroU32::new(300).unwrap() },
            except: Vec::new(),
        }
    }
}

impl Quotas {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1.0..=1e6).contains(&self.increases_up_to) {
            let value = self.increases_up_to.to_string();
            return Err(impossible("quotas.increases_up_to", &value, "a number from 1 to 1000000"));
        }
        self.rules()?;
        let mut names = BTreeSet::new();
        for rule in &self.rules {
            if rule.name.is_empty() || !names.insert(&rule.name) {
                return Err(impossible("quotas.rules.name", &rule.name, "a name that no other rule has"));
            }
            if rule.limits().is_none() {
                let expected =
                    "set together with tokens_per_minute, tokens_per_day, requests_per_minute or concurrency";
                return Err(impossible("quotas.rules.name", &rule.name, expected));
            }
        }
        Ok(())
    }

    /// The rules, in admission's words.
    pub fn rules(&self) -> Result<Vec<quotas::Rule>, ConfigError> {
        let rule = |rule: &QuotaRule| {
            let by = quotas::By::parse(&rule.by).ok_or_else(|| {
                let expected = "\"account\", \"key\", \"principal\", \"tag:NAME\" or \"metadata:NAME\"";
                impossible(&format!("quotas.rules.by (of {})", rule.name), &rule.by, expected)
            })?;
            let (name, value, model) = (rule.name.clone(), rule.value.clone(), rule.model.clone());
            Ok(quotas::Rule { name, by, value, model, limits: rule.limits() })
        };
        self.rules.iter().map(rule).collect()
    }

    /// The limits of accounts for every model.
    pub fn all(&self) -> quotas::OfModel {
        quotas::OfModel {
            tokens_per_minute: self.tokens_per_minute,
            cross_region_tokens_per_minute: self.cross_region_tokens_per_minute,
            tokens_per_day: self.tokens_per_day,
            requests_per_minute: self.requests_per_minute,
            cross_region_requests_per_minute: self.cross_region_requests_per_minute,
            burndown: None,
        }
    }
}

impl ModelQuotas {
    /// The same for one.
    pub fn limits(&self) -> quotas::OfModel {
        quotas::OfModel {
            tokens_per_minute: self.tokens_per_minute,
            cross_region_tokens_per_minute: self.cross_region_tokens_per_minute,
            tokens_per_day: self.tokens_per_day,
            requests_per_minute: self.requests_per_minute,
            cross_region_requests_per_minute: self.cross_region_requests_per_minute,
            burndown: self.burndown.map(|rate| rate.get().into()),
        }
    }
}

impl QuotaRule {
    fn limits(&self) -> quotas::Limits {
        quotas::Limits {
            tokens_per_minute: self.tokens_per_minute,
            tokens_per_day: self.tokens_per_day,
            requests_per_minute: self.requests_per_minute,
            concurrency: self.concurrency,
        }
    }
}

impl Loops {
    /// In admission's words.
    pub fn settings(&self) -> loops::Settings {
        loops::Settings {
            calls: self.calls.map(NonZeroU32::get),
            window: Duration::from_secs(self.window_seconds.get().into()),
            pause: Duration::from_secs(self.pause_seconds.get().into()),
            except: self.except.clone(),
        }
    }
}
