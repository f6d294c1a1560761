//! One call of a model, as usage, cost and metrics know it.

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One call of a model, whole or not. Never content.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Entry {
    /// When it ended.
    pub at: Timestamp,
    /// As the answer's `x-amzn-RequestId` says it.
    pub request_id: String,
    /// Whose call it was.
    pub account: String,
    /// The Region that was called.
    pub region: String,
    /// The operation, or the door by which it came: `Converse`, `InvokeModel`, `openai-chat-completions`.
    pub operation: String,
    /// What the model was to do.
    #[serde(default)]
    pub kind: Kind,
    /// The caller's ARN.
    pub principal: String,
    /// The access key or API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Tags: those of the application inference profile that was called, over those of the caller.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The call's own `requestMetadata`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The id under which metrics count the call: of what was called, the model or the inference profile.
    pub model: String,
    /// The catalogue's id of the model.
    pub model_id: String,
    /// The ARN of the application inference profile or provisioned model that was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The provider that answered, or was asked last; none where nobody was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The service tier that the caller asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// The one that it got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_tier: Option<String>,
    /// The call could run in more than one Region.
    #[serde(default)]
    pub cross_region: bool,
    /// Tokens.
    pub tokens: Tokens,
    /// Images that were made.
    #[serde(default)]
    pub images: u64,
    /// Queries of a reranker.
    #[serde(default)]
    pub queries: u64,
    /// The most tokens that the caller asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// A keyed hash of the beginning of the prompt, so that repetitions are seen without keeping a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<u64>,
    /// From the call to the first event of its answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_event_ms: Option<f64>,
    /// From the call to its end, in milliseconds.
    pub total_ms: f64,
    /// How many attempts it took.
    pub attempts: u32,
    /// The answer came from the response cache.
    #[serde(default)]
    pub cached: bool,
    /// The answer was streamed.
    #[serde(default)]
    pub streamed: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The exception that the caller got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// US dollars; none where the model has no price, which is not the same as nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Decimal>,
    /// Text units of its guardrails, of both sides together.
    #[serde(default, skip_serializing_if = "TextUnits::is_none")]
    pub text_units: TextUnits,
    /// What these cost, in US dollars, beside `cost`.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub guardrails_cost: Decimal,
}

impl Entry {
    /// What it cost with its guardrails; none where nothing of it has a price.
    pub fn dollars(&self) -> Option<Decimal> {
        match self.cost {
            Some(cost) => Some(cost.saturating_add(self.guardrails_cost)),
            None => Some(self.guardrails_cost).filter(|cost| !cost.is_zero()),
        }
    }
}

/// Text units of guardrails by policy: a thousand characters each, as Amazon Bedrock counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TextUnits {
    /// Content filters.
    pub content: u64,
    /// Denied topics.
    pub topic: u64,
    /// Word filters.
    pub word: u64,
    /// Sensitive information, without its expressions.
    pub sensitive: u64,
    /// Expressions, which AWS counts as free.
    pub free: u64,
    /// Contextual grounding.
    pub grounding: u64,
}

impl TextUnits {
    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// All that the metric `TextUnitCount` counts: not the free ones.
    pub fn counted(&self) -> u64 {
        self.content + self.topic + self.word + self.sensitive + self.grounding
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.content += other.content;
        self.topic += other.topic;
        self.word += other.word;
        self.sensitive += other.sensitive;
        self.free += other.free;
        self.grounding += other.grounding;
    }
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Writes.
    #[default]
    Chat,
    /// Turns texts or images into vectors.
    Embeddings,
    /// Puts documents in order.
    Rerank,
    /// Makes images.
    Images,
    /// Is none: a guardrail judged texts that no model was asked about.
    Guardrail,
}

impl Kind {
    /// As OpenTelemetry's `gen_ai.operation.name` has it; it has no words of its own for the last two.
    pub const fn operation_name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
            Self::Images => "image_generation",
            Self::Guardrail => "guardrail",
        }
    }
}

/// What a call read and wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tokens {
    /// Read, those of a cache apart.
    pub input: u64,
    /// Written.
    pub output: u64,
    /// Read from a cache.
    #[serde(default)]
    pub cache_read: u64,
    /// Written to a cache, for any time.
    #[serde(default)]
    pub cache_write: u64,
    /// Of these, for an hour.
    #[serde(default)]
    pub cache_write_1h: u64,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a whole answer.
    Answered,
    /// With an error of the caller's.
    ClientError,
    /// With an error of the server's or the provider's.
    ServerError,
    /// With a refusal because of too many calls.
    Throttled,
    /// The caller went away.
    #[default]
    Gone,
}
