//! The embedded engine as a provider.

mod chat;
mod events;
mod usage;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures_util::StreamExt;
use outcrop_api::{Fault, Kind};
use outcrop_engine::embed::EmbedService;
use outcrop_engine::rank::RankService;
use outcrop_engine::weights::EMBEDDING_MODEL;
use outcrop_engine::{Engine, Event, Generate};

use crate::{Answer, Call, Counter, Embed, Embedded, Failure, Provider, Rank, Ranked, Rerank, vector};
use usage::Accounting;

/// Answers with models on this machine.
pub struct Local {
    engine: Engine,
    embedder: EmbedService,
    /// Other embedding models, by name.
    others: HashMap<String, EmbedService>,
    rankers: HashMap<String, RankService>,
    chunk: u32,
}

impl Local {
    /// Text from `engine`, vectors from `embedder`. `chunk` is the engine's prefill chunk.
    pub fn new(engine: Engine, embedder: EmbedService, chunk: u32) -> Self {
        Self { engine, embedder, others: HashMap::new(), rankers: HashMap::new(), chunk }
    }

    fn embedder(&self, model: &str) -> Option<&EmbedService> {
        if model == EMBEDDING_MODEL { Some(&self.embedder) } else { self.others.get(model) }
    }

    /// Vectors from `others` too, and ranks from `rankers`, by their names.
    #[must_use]
    pub fn with(mut self, others: HashMap<String, EmbedService>, rankers: HashMap<String, RankService>) -> Self {
        (self.others, self.rankers) = (others, rankers);
        self
    }
}

#[async_trait]
impl Provider for Local {
    async fn converse(&self, call: Call) -> Result<Answer, Failure> {
        let began = Instant::now();
        let accounting = Accounting::of(&call.request, call.cache_minimum, self.chunk);
        let config = call.request.inference_config.as_ref();
        let generate = Generate {
            chat: chat::chat(&call.model, &call.request)?,
            sampling: chat::sampling(&call.request)?,
            output: chat::output(&call.request)?,
            stop: config.and_then(|c| c.stop_sequences.clone()).unwrap_or_default(),
            max_tokens: config.and_then(|c| c.max_tokens).and_then(|n| u32::try_from(n).ok()),
            model: call.model.to_string(),
            priority: call.priority,
            scope: call.scope.to_string(),
        };
        let mut generation = self.engine.generate(generate).await.map_err(|e| told(&e))?;
        let prompt = match generation.next().await {
            Some(Ok(Event::Started(usage))) => accounting.usage(&usage, 0),
            Some(Err(error)) => return Err(told(&error).into()),
            _ => return Err(Fault::new(Kind::InternalServer, "The model did not begin its answer.").into()),
        };
        Ok(Answer::Stream { prompt, events: events::converse(generation, accounting, began) })
    }

    async fn count_tokens(&self, call: Call) -> Result<u32, Failure> {
        let chat = chat::chat(&call.model, &call.request)?;
        Ok(self.engine.count_tokens(&call.model, &chat).await.map_err(|e| told(&e))?.total)
    }

    fn counter(&self, model: &str) -> Option<Arc<Counter>> {
        self.embedder(model)?.counter()
    }

    async fn embed(&self, call: Embed) -> Result<Embedded, Failure> {
        let model = &*call.model;
        let embedder = self.embedder(model);
        let embedder = embedder.ok_or_else(|| {
            let text = format!("No local embedding model is called {model}; {EMBEDDING_MODEL} is the default one.");
            Fault::new(Kind::NotImplemented, text)
        })?;
        let found = embedder.embed(call.request.texts.clone()).await.map_err(|e| told(&e))?;
        Ok(Embedded {
            tokens: found.iter().map(|e| e.tokens).sum(),
            lengths: found.iter().map(|e| e.length).collect(),
            vectors: found.into_iter().map(|e| vector::fit(e.vector, call.dimensions)).collect(),
        })
    }

    async fn rerank(&self, call: Rerank) -> Result<Ranked, Failure> {
        let ranker = self.rankers.get(&*call.model).ok_or_else(|| {
            let text = format!("No local model that ranks is called {}.", call.model);
            Fault::new(Kind::NotImplemented, text)
        })?;
        let found = ranker.rank(call.query, call.documents).await.map_err(|e| told(&e))?;
        let tokens = found.iter().map(|found| found.tokens).sum();
        let mut ranks: Vec<Rank> =
            found.iter().enumerate().map(|(index, found)| Rank { index, score: found.score }).collect();
        ranks.sort_by(|a, b| b.score.total_cmp(&a.score));
        ranks.truncate(call.top_n.unwrap_or(usize::MAX));
        Ok(Ranked { ranks, tokens: Some(tokens) })
    }
}

/// The caller's message; what the operator should know of a fault of ours goes to the log.
fn told(error: &dyn outcrop_api::AwsError) -> Fault {
    if error.kind().default_status() >= 500 {
        tracing::error!(%error, "the local engine failed");
    }
    Fault::of(error)
}
