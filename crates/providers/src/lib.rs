//! Everything that can answer a conversation, behind one contract: the Converse shapes themselves.
//!
//! Does: turns a `ConverseRequest` into a stream of `ConverseStreamOutput` events, counts tokens, embeds.
//! Never: chooses among targets, checks permission, counts money (`gateway` does), speaks a model's own request
//! format (`dialects` does).
//!
//! Start at [`Provider`]; [`local`] answers with the embedded engine.

pub mod local;

use async_trait::async_trait;
use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseStreamOutput, TokenUsage};
use outcrop_api::{Events, Fault};

pub use outcrop_engine::Priority;

/// One call into a provider.
#[derive(Debug)]
pub struct Call {
    /// The provider's own name of the model.
    pub model: String,
    /// The conversation.
    pub request: ConverseRequest,
    /// What a computed prefix may be shared with: the caller's account, never beyond.
    pub scope: String,
    /// Who goes first when calls wait.
    pub priority: Priority,
    /// A cache point before fewer tokens than this is not reported, as on the model that the caller named.
    pub cache_minimum: u32,
}

/// An answer that has begun.
pub struct Answer {
    /// What the prompt cost, known before the first event; its output count is 0.
    pub prompt: TokenUsage,
    /// `messageStart` first, `metadata` last. Dropping it stops the model.
    pub events: Events<ConverseStreamOutput>,
}

/// Vectors for texts.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// One per text, of unit length.
    pub vectors: Vec<Vec<f32>>,
    /// The length that the model gave each: what a caller multiplies with who wants them as computed.
    pub lengths: Vec<f32>,
    /// Tokens of all texts.
    pub tokens: u32,
}

/// A source of answers.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Answers. Errors that are known before the first event come from here, later ones in the stream.
    async fn converse(&self, call: Call) -> Result<Answer, Fault>;
    /// The prompt tokens that [`Provider::converse`] would report for the same call.
    async fn count_tokens(&self, call: Call) -> Result<u32, Fault>;
    /// One vector per text with `dimensions` numbers.
    async fn embed(&self, model: &str, texts: Vec<String>, dimensions: usize) -> Result<Embedded, Fault>;
}
