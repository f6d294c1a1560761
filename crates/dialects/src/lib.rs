//! Pure codecs between the request formats of model families (what `InvokeModel` carries) and the Converse shapes.
//!
//! Never: I/O, clocks, randomness (ids and times are handed in), rules that need to know the model
//! (`outcrop-gateway` has those), a member of a request lost in silence: what Converse has no place for travels in
//! `additionalModelRequestFields`.
//!
//! Start at [`by_name`], then [`anthropic`], the fullest of the dialects: `decode` reads a body, `encode_request` writes
//! one, `encode` writes the answer, `stream` the chunks. [`client`] is the other side: requests to a provider, its answers
//! read. [`converse::Fold`] turns a stream of Converse events into the answer that `encode` takes. [`body`] words the
//! refusals.

pub mod ai21;
pub mod anthropic;
pub mod body;
pub mod client;
pub mod cohere;
pub mod converse;
pub mod deepseek;
pub mod embedding;
mod error;
pub mod image;
pub mod meta;
pub mod mistral;
pub mod nova;
pub mod openai;
mod prompt;
mod request;
pub mod rerank;
pub mod responses;
pub mod stability;
pub mod titan;
pub mod writer;

use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseResponse, ConverseStreamOutput, TokenUsage};
use serde_json::Value;

pub use embedding::{EmbeddingRequest, EmbeddingType, InputType, Truncate};
pub use error::DialectError;
pub use image::ImageRequest;
pub use rerank::RerankRequest;

/// What a body of this dialect asks for.
#[derive(Clone, Copy)]
pub enum Dialect {
    /// An answer to a conversation or a prompt.
    Chat(&'static dyn ChatDialect),
    /// Vectors.
    Embedding(&'static dyn EmbeddingDialect),
    /// Documents in the order of their relevance.
    Rerank(&'static dyn RerankDialect),
    /// Images.
    Image(&'static dyn ImageDialect),
}

/// The dialect that the catalogue calls `key`.
pub fn by_name(key: &str) -> Option<Dialect> {
    Some(match key {
        "anthropic-messages" => Dialect::Chat(&anthropic::Messages),
        "anthropic-api" => Dialect::Chat(&anthropic::Api),
        "anthropic-text" => Dialect::Chat(&anthropic::Completions),
        "llama" => Dialect::Chat(&meta::Llama),
        "deepseek" => Dialect::Chat(&deepseek::R1),
        "nova" => Dialect::Chat(&nova::Nova),
        "titan-text" => Dialect::Chat(&titan::Text),
        "openai-chat" => Dialect::Chat(&openai::CHAT),
        "openai-api" => Dialect::Chat(&openai::API),
        "openai-responses" => Dialect::Chat(&responses::Responses),
        "qwen" => Dialect::Chat(&openai::QWEN),
        "mistral-text" => Dialect::Chat(&mistral::Text),
        "mistral-chat" => Dialect::Chat(&mistral::CHAT),
        "jamba" => Dialect::Chat(&ai21::JAMBA),
        "writer" => Dialect::Chat(&writer::PALMYRA),
        "cohere-command" => Dialect::Chat(&cohere::Command),
        "command-r" => Dialect::Chat(&cohere::CommandR),
        "titan-embed-v1" => Dialect::Embedding(&titan::EmbedV1),
        "titan-embed-v2" => Dialect::Embedding(&titan::EmbedV2),
        "titan-multimodal-embed" => Dialect::Embedding(&titan::EmbedMultimodal),
        "cohere-embed-v4" => Dialect::Embedding(&cohere::EmbedV4),
        "cohere-embed-v3" => Dialect::Embedding(&cohere::EmbedV3),
        "cohere-rerank" => Dialect::Rerank(&rerank::COHERE),
        "amazon-rerank" => Dialect::Rerank(&rerank::AMAZON),
        "titan-image" => Dialect::Image(&titan::IMAGE),
        "nova-canvas" => Dialect::Image(&titan::CANVAS),
        "stability-image" => Dialect::Image(&stability::Images),
        _ => return None,
    })
}

/// The keys that [`by_name`] knows.
pub const NAMES: &[&str] = &[
    "anthropic-messages",
    "anthropic-api",
    "anthropic-text",
    "llama",
    "deepseek",
    "nova",
    "titan-text",
    "openai-chat",
    "openai-api",
    "openai-responses",
    "qwen",
    "mistral-text",
    "mistral-chat",
    "jamba",
    "writer",
    "cohere-command",
    "command-r",
    "titan-embed-v1",
    "titan-embed-v2",
    "titan-multimodal-embed",
    "cohere-embed-v4",
    "cohere-embed-v3",
    "cohere-rerank",
    "amazon-rerank",
    "titan-image",
    "nova-canvas",
    "stability-image",
];

/// What is known of an answer before its first event.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// The model as the answer names it.
    pub model_id: String,
    /// The id of the answer, without the prefix of a dialect.
    pub message_id: String,
    /// When the answer began, in seconds since 1970.
    pub created: i64,
    /// Input and cache counts; what is put out is not known yet.
    pub prompt: TokenUsage,
    /// What [`ChatDialect::repeats`] said of the request.
    pub repeated: Value,
}

/// The counts of `amazon-bedrock-invocationMetrics`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Metrics {
    /// Tokens read, without those of the cache.
    pub input_tokens: i32,
    /// Tokens written.
    pub output_tokens: i32,
    /// Tokens read from the cache, where caching was asked for.
    pub cache_read: Option<i32>,
    /// Tokens written to the cache, where caching was asked for.
    pub cache_write: Option<i32>,
    /// From the request to the last byte, in milliseconds.
    pub latency_ms: i64,
    /// From the request to the first byte, in milliseconds.
    pub first_byte_ms: i64,
}

impl Metrics {
    /// The counts of `usage`, and the times.
    pub fn new(usage: &TokenUsage, latency_ms: i64, first_byte_ms: i64) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_read: usage.cache_read_input_tokens,
            cache_write: usage.cache_write_input_tokens,
            latency_ms,
            first_byte_ms,
        }
    }

    /// The same counts as Converse tells them.
    pub fn usage(&self) -> TokenUsage {
        let cache = [self.cache_read, self.cache_write].into_iter().flatten().fold(0, i32::saturating_add);
        TokenUsage {
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            total_tokens: self.input_tokens.saturating_add(self.output_tokens).saturating_add(cache),
            cache_read_input_tokens: self.cache_read,
            cache_write_input_tokens: self.cache_write,
            ..TokenUsage::default()
        }
    }

    /// The value of the member that the last chunk of every stream carries.
    pub fn value(&self) -> Value {
        let mut value = serde_json::json!({
            "inputTokenCount": self.input_tokens,
            "outputTokenCount": self.output_tokens,
            "invocationLatency": self.latency_ms,
            "firstByteLatency": self.first_byte_ms,
        });
        if let Some(read) = self.cache_read {
            value["cacheReadInputTokenCount"] = read.into();
        }
        if let Some(write) = self.cache_write {
            value["cacheWriteInputTokenCount"] = write.into();
        }
        value
    }
}

/// The member of the last chunk that carries [`Metrics`].
pub const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// A format that asks for text and tool calls.
pub trait ChatDialect: Send + Sync {
    /// The key of [`by_name`].
    fn name(&self) -> &'static str;
    /// Reads a body. `model_id` stays empty: it came in the path.
    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError>;
    /// The body that this format would carry for `request`, which [`ChatDialect::decode`] reads back. What the format
    /// has no place for is [`DialectError::NoPlace`], which names the member.
    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError>;
    /// Refuses a body that names another model than one of `models`, which the call was for, or that asks for a stream
    /// where none was called, or the reverse. Most formats have no word for either.
    fn agrees(&self, _body: &[u8], _models: &[&str], _streaming: bool) -> Result<(), DialectError> {
        Ok(())
    }
    /// What the answer repeats of the request; handed back in [`Head::repeated`]. Most answers repeat nothing.
    fn repeats(&self, _request: &ConverseRequest) -> Value {
        Value::Null
    }
    /// The body of the whole answer. `answer` carries every `additionalModelResponseFields` of the provider.
    fn encode(&self, head: &Head, answer: &ConverseResponse) -> Value;
    /// A writer of chunks for one answer.
    fn stream(&self, head: Head) -> Box<dyn StreamEncoder>;
}

/// Turns the events of one answer into chunks.
pub trait StreamEncoder: Send {
    /// Appends the chunks that `event` causes.
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>);
    /// Appends what remains; the last chunk carries the metrics. Call it once, after the last event.
    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>);
}

/// A format that asks for vectors.
pub trait EmbeddingDialect: Send + Sync {
    /// The key of [`by_name`].
    fn name(&self) -> &'static str;
    /// Reads a body.
    fn decode(&self, body: &[u8]) -> Result<EmbeddingRequest, DialectError>;
    /// The body of the answer: one vector for each text, and the number of tokens read.
    fn encode(&self, request: &EmbeddingRequest, vectors: &[Vec<f32>], tokens: u32, id: &str) -> Value;
}

/// A format that asks for documents in the order of their relevance.
pub trait RerankDialect: Send + Sync {
    /// The key of [`by_name`].
    fn name(&self) -> &'static str;
    /// Reads a body.
    fn decode(&self, body: &[u8]) -> Result<RerankRequest, DialectError>;
    /// The body of the answer: which document, and how relevant it is, the most relevant first.
    fn encode(&self, request: &RerankRequest, ranks: &[(usize, f32)]) -> Value;
}

/// A format that asks for images.
pub trait ImageDialect: Send + Sync {
    /// The key of [`by_name`].
    fn name(&self) -> &'static str;
    /// Reads a body. What no other model can be asked for is [`DialectError::OnlyItself`].
    fn decode(&self, body: &[u8]) -> Result<ImageRequest, DialectError>;
    /// The body of the answer: the files of the images.
    fn encode(&self, request: &ImageRequest, images: &[&[u8]]) -> Value;
}
