//! What goes into a provider and what comes out.

use std::sync::Arc;

use bytes::Bytes;
use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseResponse, ConverseStreamOutput, TokenUsage};
use outcrop_api::{Events, Fault};
use outcrop_dialects::{EmbeddingRequest, ImageRequest};

use crate::Priority;

/// A conversation to answer. Cheap to clone, for it may be asked of several.
#[derive(Debug, Clone)]
pub struct Call {
    /// The provider's own name of the model.
    pub model: Arc<str>,
    /// The conversation.
    pub request: Arc<ConverseRequest>,
    /// The caller reads the answer as it is made.
    pub stream: bool,
    /// What a computed prefix may be shared with: the caller's account or less, never beyond.
    pub scope: Arc<str>,
    /// Who goes first when calls wait.
    pub priority: Priority,
    /// A cache point before fewer tokens than this is not reported, as on the model that the caller named.
    pub cache_minimum: u32,
}

/// An answer that has begun.
pub enum Answer {
    /// All of it. Its `additionalModelResponseFields` are everything that a caller may point at.
    Whole(Box<ConverseResponse>),
    /// What comes.
    Stream {
        /// What the prompt cost, as far as it is known before the first event; its output count is 0.
        prompt: TokenUsage,
        /// `messageStart` first, `metadata` last. Dropping it stops the model.
        events: Events<ConverseStreamOutput>,
    },
}

/// Texts to turn into vectors.
#[derive(Debug, Clone)]
pub struct Embed {
    /// The provider's own name of the model.
    pub model: Arc<str>,
    /// The texts and what their vectors are for.
    pub request: Arc<EmbeddingRequest>,
    /// How long the vectors must be; as long as the model makes them where 0.
    pub dimensions: usize,
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

/// Documents to bring into order.
#[derive(Debug, Clone)]
pub struct Rerank {
    /// The provider's own name of the model.
    pub model: Arc<str>,
    /// What is looked for.
    pub query: String,
    /// Where it is looked for.
    pub documents: Vec<String>,
    /// How many are wanted; all where absent.
    pub top_n: Option<usize>,
}

/// A document's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rank {
    /// Which document.
    pub index: usize,
    /// How relevant it is, from 0 to 1.
    pub score: f32,
}

/// Documents in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// The most relevant first.
    pub ranks: Vec<Rank>,
    /// What the provider counted, where it did.
    pub tokens: Option<u32>,
}

/// Images to make.
#[derive(Debug, Clone)]
pub struct Images {
    /// The provider's own name of the model.
    pub model: Arc<str>,
    /// What is to be seen, and how.
    pub request: Arc<ImageRequest>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its file.
    pub bytes: Bytes,
}

/// A body in the provider's own format.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The provider's own name of the model.
    pub model: Arc<str>,
    /// The key of the format.
    pub dialect: &'static str,
    /// The caller's body.
    pub body: Bytes,
    /// The answer is to come as it is made.
    pub stream: bool,
    /// Headers of the caller that belong to the format, by name.
    pub headers: Vec<(&'static str, String)>,
}

/// What came back.
pub struct Passed {
    /// As the provider sent it.
    pub body: PassBody,
    /// What it took, where the provider says so beside the body.
    pub usage: Option<TokenUsage>,
}

/// The bytes of an answer.
pub enum PassBody {
    /// All of them.
    Whole(Bytes),
    /// One JSON text of the format after the other, as they come: what one chunk of InvokeModel's stream carries.
    Stream(futures_util::stream::BoxStream<'static, Result<Bytes, Fault>>),
}

/// A model that a provider has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The provider's own name of it.
    pub model: String,
    /// What it does.
    pub kind: OfferKind,
    /// The tokens that a conversation may hold, where the provider says so.
    pub context: Option<u32>,
}

/// What an offered model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferKind {
    /// Writes text.
    Text,
    /// Embeds.
    Embedding,
    /// Ranks.
    Rerank,
    /// Makes images.
    Image,
}
