//! What a guardrail says, as it is kept: the caller's words with Bedrock's defaults filled in.

mod check;
mod given;
mod policy;
mod shown;
#[cfg(test)]
mod tests;

pub use given::Given;
pub(crate) use shown::profile;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One version's contents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Denied topics.
    pub topics: Option<Tiered<Topic>>,
    /// Content filters.
    pub filters: Option<Tiered<Filter>>,
    /// Custom words.
    pub words: Option<Vec<Rule>>,
    /// Managed lists of words.
    pub word_lists: Option<Vec<Rule>>,
    /// Kinds of PII.
    pub pii: Option<Vec<Rule>>,
    /// Regular expressions.
    pub regexes: Option<Vec<Regex>>,
    /// Contextual grounding.
    pub grounding: Option<Tiered<Threshold>>,
    /// The id of a cross-Region guardrail profile. Nothing leaves this server: it is told as it was given.
    pub profile: Option<String>,
    /// What is said instead of what a caller sent.
    pub blocked_input: String,
    /// What is said instead of what a model answered.
    pub blocked_output: String,
}

/// Rules with a tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tiered<R> {
    /// The rules.
    pub rules: Vec<R>,
    /// `CLASSIC` or `STANDARD`. Both judge alike here; what differs is what they admit.
    pub tier: String,
}

/// What is done with what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// The text is blocked.
    #[serde(rename = "BLOCK")]
    Block,
    /// What is found is masked.
    #[serde(rename = "ANONYMIZE")]
    Anonymize,
    /// It is told.
    #[serde(rename = "NONE")]
    None,
}

impl Action {
    /// As Bedrock writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Block => "BLOCK",
            Self::Anonymize => "ANONYMIZE",
            Self::None => "NONE",
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "ANONYMIZE" => Self::Anonymize,
            "NONE" => Self::None,
            _ => Self::Block,
        }
    }
}

/// Actions on both sides of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sides {
    /// The older one, where the policy has it.
    pub action: Option<Action>,
    /// On what goes to the model; none where the older action is for answers only.
    pub input: Option<Action>,
    /// On what comes from it.
    pub output: Option<Action>,
    /// Whether what goes to the model is looked at.
    pub input_enabled: Option<bool>,
    /// Whether what comes from it is.
    pub output_enabled: Option<bool>,
}

/// Something that is looked for by its name alone: a word, a list, a kind of PII.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What.
    pub what: String,
    /// What is done.
    pub sides: Sides,
}

/// A denied topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// What it is.
    pub definition: String,
    /// Phrases that belong to it; none where the caller gave no list.
    pub examples: Option<Vec<String>>,
    /// What is done.
    pub sides: Sides,
}

/// A content filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// `HATE`, `INSULTS`, …
    pub category: String,
    /// `NONE`, `LOW`, `MEDIUM`, `HIGH`.
    pub input: String,
    /// The same for answers.
    pub output: String,
    /// `TEXT`, `IMAGE`.
    pub input_modalities: Vec<String>,
    /// The same for answers.
    pub output_modalities: Vec<String>,
    /// What is done.
    pub sides: Sides,
}

/// A regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regex {
    /// Its name, which is its mask.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The expression.
    pub pattern: String,
    /// What is done.
    pub sides: Sides,
}

/// A threshold of contextual grounding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// `GROUNDING` or `RELEVANCE`.
    pub measure: String,
    /// 0 to 0.99.
    pub threshold: f64,
    /// What is done below it.
    pub action: Action,
    /// Whether it is measured.
    pub enabled: bool,
}

impl Definition {
    /// A digest that is equal where definitions are.
    pub fn hash(&self) -> Result<String, serde_json::Error> {
        let digest = Sha256::digest(serde_json::to_vec(self)?);
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
