//! Everything that can answer a conversation, behind one contract: the Converse shapes themselves.
//!
//! Does: turns a `ConverseRequest` into an answer, whole or as a stream of `ConverseStreamOutput` events; counts tokens,
//! embeds, ranks, makes images; passes bytes through where the caller's format is the provider's.
//! Never: chooses among targets, retries, checks permission, counts money (`gateway` does); knows a format's members
//! (`dialects` does).
//!
//! Start at [`Provider`]; [`local`] answers with the embedded engine, [`open()`] makes the others of their settings, over
//! the one HTTP client of [`http`]. A [`Failure`] says what routing needs to know.

pub mod anthropic;
pub mod bedrock;
mod call;
pub mod cohere;
mod failure;
mod glob;
pub mod http;
mod ids;
pub mod local;
pub mod mistral;
mod open;
pub mod openai;
pub mod scripted;
mod settings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod vector;

use std::sync::Arc;

use async_trait::async_trait;
use outcrop_api::bedrock_runtime::{DocumentBlock, DocumentFormat};

pub use call::{
    Answer, Call, Embed, Embedded, Image, Images, Offer, OfferKind, Pass, PassBody, Passed, Rank, Ranked, Rerank,
};
pub use failure::{Cause, Failure};
pub use glob::Glob;
pub use open::open;
pub use outcrop_engine::Priority;
pub use outcrop_engine::embed::Counter;
pub use settings::{Kind, ProviderSettings, Secret, SettingsError, TapeSettings};

/// A source of answers.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Answers. What is known to be wrong before the first event comes from here, so that somebody else may be asked;
    /// what goes wrong later stands in the stream. An implementation that streams returns with the first event read.
    async fn converse(&self, call: Call) -> Result<Answer, Failure>;

    /// Whether a document that is a file is sent as it is. Documents that are text all providers take.
    fn reads(&self, document: &DocumentBlock) -> bool {
        matches!(document.format, Some(DocumentFormat::Txt | DocumentFormat::Md | DocumentFormat::Csv))
    }

    /// Whether it cites documents where a call asks for that.
    fn cites(&self) -> bool {
        false
    }

    /// The prompt tokens that [`Provider::converse`] would report for the same call.
    async fn count_tokens(&self, _: Call) -> Result<u32, Failure> {
        Err(Failure::not_offered("counting tokens"))
    }

    /// What counts tokens as its embedding model does, where that is at hand.
    fn counter(&self, _model: &str) -> Option<Arc<Counter>> {
        None
    }

    /// One vector for each text.
    async fn embed(&self, _: Embed) -> Result<Embedded, Failure> {
        Err(Failure::not_offered("embeddings"))
    }

    /// Documents by their relevance to a query.
    async fn rerank(&self, _: Rerank) -> Result<Ranked, Failure> {
        Err(Failure::not_offered("reranking"))
    }

    /// Images of a description.
    async fn images(&self, _: Images) -> Result<Vec<Image>, Failure> {
        Err(Failure::not_offered("images"))
    }

    /// Whether [`Provider::pass`] takes bodies of `dialect` (a key of `outcrop_dialects::by_name`) as they are.
    fn passes(&self, _dialect: &str) -> bool {
        false
    }

    /// Passes a body in the provider's own format through, untouched in both directions.
    async fn pass(&self, _: Pass) -> Result<Passed, Failure> {
        Err(Failure::not_offered("its own format"))
    }

    /// The models that it says it has.
    async fn models(&self) -> Result<Vec<Offer>, Failure> {
        Err(Failure::not_offered("a list of models"))
    }
}
