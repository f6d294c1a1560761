//! Cohere's own API: `/v2/chat`, `/v2/embed`, `/v2/rerank`, `/v1/models`.
//!
//! Tokens are not counted: what `/v1/tokenize` counts is a text, not the prompt that a conversation becomes.

mod embed;

use ::http::HeaderMap;
use async_trait::async_trait;
use outcrop_dialects::cohere::client::Chat;
use outcrop_outbound::Outbound;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::http::{Auth, Http, converse};
use crate::{
    Answer, Call, Embed, Embedded, Failure, Offer, OfferKind, Provider, ProviderSettings, Rank, Ranked, Rerank,
    SettingsError,
};

const URL: &str = "https://api.cohere.com";

/// Cohere.
pub struct Cohere {
    http: Http,
}

impl Cohere {
    /// The provider of `settings`, at Cohere's own address where they name no other.
    pub fn new(settings: &ProviderSettings, outbound: &Outbound) -> Result<Self, SettingsError> {
        Ok(Self { http: Http::new(settings, outbound, Some(URL), Auth::Bearer)? })
    }

    /// Sends `body` as JSON and reads the answer as `A`.
    async fn call<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| self.http.broken(&error))?;
        let answer = self.http.call(&Chat, path, body, HeaderMap::new()).await?;
        serde_json::from_slice(&answer).map_err(|error| self.http.broken(&error))
    }
}

#[derive(Serialize)]
struct RankRequest<'a> {
    model: &'a str,
    query: &'a str,
    documents: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    top_n: Option<usize>,
}

#[derive(Deserialize)]
struct RankAnswer {
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    index: usize,
    relevance_score: f32,
}

#[derive(Deserialize)]
struct Models {
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    #[serde(default)]
    endpoints: Vec<String>,
    context_length: Option<f64>,
}

#[async_trait]
impl Provider for Cohere {
    async fn converse(&self, call: Call) -> Result<Answer, Failure> {
        converse(&self.http, &Chat, "/v2/chat", HeaderMap::new(), &call).await
    }

    fn cites(&self) -> bool {
        true
    }

    async fn embed(&self, call: Embed) -> Result<Embedded, Failure> {
        embed::embed(self, &call).await
    }

    async fn rerank(&self, call: Rerank) -> Result<Ranked, Failure> {
        let Rerank { model, query, documents, top_n } = &call;
        let asked = RankRequest { model, query, documents, top_n: *top_n };
        let answer: RankAnswer = self.call("/v2/rerank", &asked).await?;
        if answer.results.iter().any(|found| found.index >= documents.len() || !found.relevance_score.is_finite()) {
            return Err(self.http.broken(&"a rank names no document, or has no score"));
        }
        let rank = |found: Found| Rank { index: found.index, score: found.relevance_score };
        let mut ranks: Vec<Rank> = answer.results.into_iter().map(rank).collect();
        ranks.sort_by(|a, b| b.score.total_cmp(&a.score));
        // It bills searches, not tokens.
        Ok(Ranked { ranks, tokens: None })
    }

    async fn models(&self) -> Result<Vec<Offer>, Failure> {
        // The largest page that there is; there are some dozens of models.
        let body = self.http.get(&Chat, "/v1/models?page_size=1000").await?;
        let list: Models = serde_json::from_slice(&body).map_err(|error| self.http.broken(&error))?;
        let mut offers = Vec::new();
        for model in list.models {
            let serves = |endpoint: &str| model.endpoints.iter().any(|one| one == endpoint);
            let kind = match () {
                () if serves("chat") => OfferKind::Text,
                () if serves("embed") => OfferKind::Embedding,
                () if serves("rerank") => OfferKind::Rerank,
                // Classifiers and fine-tuning bases.
                () => continue,
            };
            // `as` saturates.
            let context = model.context_length.map(|n| n as u32).filter(|n| *n > 0);
            offers.push(Offer { model: model.name, kind, context });
        }
        Ok(offers)
    }
}
