//! What may be taken, as the configuration has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The limits of one configuration. Nothing that has no number here is limited.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Of an account in a Region, for each model that is not named below.
    pub all: OfModel,
    /// The same for one model, by its base id; what is left out is as above.
    pub by_model: BTreeMap<String, OfModel>,
    /// Limits of other parties than accounts.
    pub rules: Vec<Rule>,
    /// An increase of a quota to so many times what is configured is granted at once.
    pub increase: f64,
}

/// What an account may take of one model in one Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OfModel {
    /// Tokens a minute, on demand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// The same for cross-Region inference. Where only the one above is known, twice as many, as with AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cross_region_tokens_per_minute: Option<u64>,
    /// Tokens a day, on demand; twice as many for cross-Region inference. Where none are said, a day has as many as
    /// its minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_day: Option<u64>,
    /// Requests a minute, on demand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// The same for cross-Region inference; where only the one above is known, twice as many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cross_region_requests_per_minute: Option<u64>,
    /// Tokens of a quota that a written token takes; else as AWS has it for the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burndown: Option<u64>,
}

/// How much of a thing there is. It may change from call to call, with configuration and increases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Tokens, of which so many come back in a minute.
    pub tokens_per_minute: Option<u64>,
    /// Tokens of a day of UTC.
    pub tokens_per_day: Option<u64>,
    /// Calls that may begin, of which so many come back in a minute.
    pub requests_per_minute: Option<u64>,
    /// Calls under way.
    pub concurrency: Option<u64>,
}

/// A limit for every value of something, or for one of them. Each account's are counted apart, its Regions' together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, by which refusals name it. What is taken stays taken while the name stays.
    pub name: String,
    /// Of what.
    pub by: By,
    /// Only of this value; of every value apart where it is not said.
    pub value: Option<String>,
    /// Only for these models: a base id, or the beginning of some with `*` behind it. All of them are counted together.
    pub model: Option<String>,
    /// How much.
    pub limits: Limits,
}

/// What a rule tells calls apart by. A call that has no such thing is not the rule's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The account.
    Account,
    /// The access key or API key.
    Key,
    /// The caller's ARN; the role's where one was assumed.
    Principal,
    /// The value of this tag.
    Tag(String),
    /// The value of this key of the call's `requestMetadata`.
    Metadata(String),
}

impl OfModel {
    /// These, and those of `other` where these say nothing.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            tokens_per_minute: self.tokens_per_minute.or(other.tokens_per_minute),
            cross_region_tokens_per_minute: self
                .cross_region_tokens_per_minute
                .or(self.tokens_per_minute.map(twice))
                .or(other.cross_region_tokens_per_minute),
            tokens_per_day: self.tokens_per_day.or(other.tokens_per_day),
            requests_per_minute: self.requests_per_minute.or(other.requests_per_minute),
            cross_region_requests_per_minute: self
                .cross_region_requests_per_minute
                .or(self.requests_per_minute.map(twice))
                .or(other.cross_region_requests_per_minute),
            burndown: self.burndown.or(other.burndown),
        }
    }

    /// What calls on demand, or cross-Region ones, may take.
    pub(super) fn limits(&self, cross_region: bool) -> Limits {
        let here = |own: Option<u64>, cross: Option<u64>| match cross_region {
            true => cross.or(own.map(twice)),
            false => own,
        };
        let tokens_per_minute = here(self.tokens_per_minute, self.cross_region_tokens_per_minute);
        let tokens_per_day = match self.tokens_per_day {
            Some(day) => Some(if cross_region { twice(day) } else { day }),
            None => tokens_per_minute.map(|minute| minute.saturating_mul(24 * 60)),
        };
        let requests_per_minute = here(self.requests_per_minute, self.cross_region_requests_per_minute);
        Limits { tokens_per_minute, tokens_per_day, requests_per_minute, concurrency: None }
    }
}

impl Limits {
    /// Whether it limits nothing.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Settings {
    /// What is configured for `model`.
    pub(super) fn of_model(&self, model: &str) -> OfModel {
        self.by_model.get(model).map_or(self.all, |of| of.or(self.all))
    }
}

impl Rule {
    pub(super) fn is_for(&self, model: &str) -> bool {
        match self.model.as_deref() {
            None => true,
            Some(pattern) => match pattern.strip_suffix('*') {
                Some(beginning) => model.starts_with(beginning),
                None => model == pattern,
            },
        }
    }
}

impl By {
    /// `key`, `principal`, `account`, `tag:NAME` or `metadata:NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("tag", name)) if !name.is_empty() => Some(Self::Tag(name.to_owned())),
            Some(("metadata", name)) if !name.is_empty() => Some(Self::Metadata(name.to_owned())),
            Some(_) => None,
            None => match text {
                "account" => Some(Self::Account),
                "key" => Some(Self::Key),
                "principal" => Some(Self::Principal),
                _ => None,
            },
        }
    }

    pub(super) fn value<'a>(&self, call: &crate::Call<'a>) -> Option<&'a str> {
        match self {
            Self::Account => Some(call.account),
            Self::Key => call.key,
            Self::Principal => Some(call.principal),
            Self::Tag(name) => call.tags.get(name).map(String::as_str),
            Self::Metadata(name) => call.metadata?.get(name).map(String::as_str),
        }
    }
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account => f.write_str("account"),
            Self::Key => f.write_str("key"),
            Self::Principal => f.write_str("principal"),
            Self::Tag(name) => write!(f, "tag {name}"),
            Self::Metadata(name) => write!(f, "metadata {name}"),
        }
    }
}

fn twice(n: u64) -> u64 {
    n.saturating_mul(2)
}
