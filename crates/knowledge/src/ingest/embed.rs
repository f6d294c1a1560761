//! Vectors of texts, in batches, as the role that asks for them.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use outcrop_access::Context;
use outcrop_api::{Fault, Kind};
use outcrop_dialects::{EmbeddingRequest, InputType, Truncate};
use outcrop_gateway::Counter;
use outcrop_vectors::{Shape, Vector};

use crate::kept::KnowledgeBase;
use crate::{Embedding, Knowledge};

/// Texts of one call.
const BATCH: usize = 32;
/// Calls under way at once: while one's answer is read, another computes.
const CALLS: usize = 2;
/// How often a call is tried that may succeed later.
const TRIES: u32 = 6;
/// How long it waits before the second try; twice as long before each further one.
const WAIT: Duration = Duration::from_millis(250);
/// The longest that it waits, whatever the model's server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What asks for vectors.
#[derive(Clone)]
pub(crate) struct Embedder {
    pub knowledge: Knowledge,
    pub acting: Context,
    pub embedding: Embedding,
    pub shape: Shape,
    /// Counts as the model does, where that is at hand.
    pub counter: Option<Arc<Counter>>,
}

/// Bytes of a token, where the model's own tokenizer is not at hand: about what English takes.
const BYTES_OF_TOKEN: usize = 4;

impl Embedder {
    /// What makes vectors for a knowledge base, in whose name `acting` is.
    pub(crate) async fn new(knowledge: &Knowledge, acting: Context, base: &KnowledgeBase) -> Self {
        let (embedding, shape) = (Embedding::of(base), base.shape);
        let counter = knowledge.0.gateway.counter(&acting, &embedding.model).await;
        Self { knowledge: knowledge.clone(), acting, embedding, shape, counter }
    }

    /// How many tokens of the model a text has.
    pub(crate) fn tokens(&self) -> impl Fn(&str) -> usize + Send + Sync + use<> {
        let counter = self.counter.clone();
        move |text| match &counter {
            Some(counter) => counter.count(text) as usize,
            None => text.len().div_ceil(BYTES_OF_TOKEN),
        }
    }

    /// A vector for each text, in its order.
    pub(crate) async fn vectors(&self, texts: Vec<String>) -> Result<Vec<Vector>, Fault> {
        let floats = self.floats(texts).await?;
        Ok(floats.into_iter().map(|numbers| Vector::of(numbers, self.shape.binary)).collect())
    }

    /// The same as numbers, whatever the index compares.
    pub(crate) async fn floats(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, Fault> {
        let batches: Vec<Vec<String>> = texts.chunks(BATCH).map(<[String]>::to_vec).collect();
        let vectors = stream::iter(batches).map(|batch| self.batch(batch)).buffered(CALLS);
        let vectors: Vec<Vec<Vec<f32>>> = vectors.try_collect().await?;
        Ok(vectors.into_iter().flatten().collect())
    }

    async fn batch(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, Fault> {
        let count = texts.len();
        let request = EmbeddingRequest {
            texts,
            dimensions: self.embedding.dimensions,
            normalize: true,
            input_type: Some(InputType::Document),
            truncate: Truncate::End,
            ..EmbeddingRequest::default()
        };
        let mut tries = 0;
        loop {
            let gateway = &self.knowledge.0.gateway;
            let fault = match gateway.embeddings(&self.acting, &self.embedding.model, None, request.clone()).await {
                Ok(reply) if reply.output.vectors.len() == count => return Ok(reply.output.vectors),
                Ok(reply) => {
                    let found = reply.output.vectors.len();
                    return Err(Fault::new(Kind::ModelError, format!("{count} texts came back as {found} vectors")));
                }
                Err(fault) => fault,
            };
            tries += 1;
            if !passes(fault.kind) || tries >= TRIES {
                return Err(fault);
            }
            let wait = pause(&fault, tries);
            tracing::debug!(?wait, message = fault.message, "the embedding model is asked again");
            tokio::time::sleep(wait).await;
        }
    }
}

/// How long a call waits before its next try.
fn pause(fault: &Fault, tries: u32) -> Duration {
    fault.retry_after.unwrap_or_else(|| WAIT.saturating_mul(1 << tries)).min(LONGEST_WAIT)
}

/// Whether the same call may succeed later.
pub(crate) fn passes(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Throttling
            | Kind::ModelNotReady
            | Kind::ModelTimeout
            | Kind::ServiceUnavailable
            | Kind::InternalServer
            | Kind::BadGateway
            | Kind::ModelError
    )
}
