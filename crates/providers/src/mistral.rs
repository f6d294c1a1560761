//! Mistral's own API: chat completions in OpenAI's format with words of its own (`outcrop_dialects::mistral::client`),
//! embeddings, the list of models.

use ::http::HeaderMap;
use async_trait::async_trait;
use outcrop_api::bedrock_runtime::DocumentBlock;
use outcrop_api::{Fault, Kind};
use outcrop_dialects::client::ClientDialect;
use outcrop_dialects::mistral::CLIENT;
use outcrop_outbound::Outbound;
use serde::{Deserialize, Serialize};

use crate::http::{Auth, Http, converse};
use crate::{
    Answer, Call, Cause, Embed, Embedded, Failure, Offer, OfferKind, Provider, ProviderSettings, SettingsError, vector,
};

const URL: &str = "https://api.mistral.ai";

/// Texts of one request: those of usual length stay below the limit of 16,384 tokens.
const BATCH: usize = 32;

/// Mistral.
pub struct Mistral {
    http: Http,
}

impl Mistral {
    /// The provider of `settings`, at Mistral's own address where they name no other.
    pub fn new(settings: &ProviderSettings, outbound: &Outbound) -> Result<Self, SettingsError> {
        Ok(Self { http: Http::new(settings, outbound, Some(URL), Auth::Bearer)? })
    }
}

/// A model that it does not know is a bad request to Mistral.
fn sorted(failure: Failure) -> Failure {
    if failure.cause != Cause::Request || !failure.fault.message.contains("Invalid model: ") {
        return failure;
    }
    let text = "The provider of this model does not know it.";
    Failure::new(Cause::NoModel, Fault::new(Kind::ResourceNotFound, text))
}

#[derive(Serialize)]
struct EmbedRequest<'a> {
    model: &'a str,
    input: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<usize>,
}

#[derive(Deserialize)]
struct EmbedAnswer {
    data: Vec<vector::Item>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<u32>,
}

#[derive(Deserialize)]
struct Models {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    max_context_length: Option<u32>,
    #[serde(default)]
    capabilities: Capabilities,
}

#[derive(Deserialize, Default)]
struct Capabilities {
    #[serde(default)]
    completion_chat: bool,
}

#[async_trait]
impl Provider for Mistral {
    async fn converse(&self, call: Call) -> Result<Answer, Failure> {
        converse(&self.http, &CLIENT, "/v1/chat/completions", HeaderMap::new(), &call).await.map_err(sorted)
    }

    fn reads(&self, document: &DocumentBlock) -> bool {
        CLIENT.quirks().reads(document)
    }

    async fn embed(&self, call: Embed) -> Result<Embedded, Failure> {
        // `mistral-embed` has one length; `codestral-embed` is asked for its own.
        let nested = call.dimensions > 0 && call.model.starts_with("codestral-embed");
        let output_dimension = nested.then_some(call.dimensions);
        let mut out = Embedded { vectors: Vec::new(), lengths: Vec::new(), tokens: 0 };
        for input in call.request.texts.chunks(BATCH) {
            let request = EmbedRequest { model: &call.model, input, output_dimension };
            let body = serde_json::to_vec(&request).map_err(|error| self.http.broken(&error))?;
            let answer = self.http.call(&CLIENT, "/v1/embeddings", body, HeaderMap::new()).await?;
            let answer: EmbedAnswer = serde_json::from_slice(&answer).map_err(|error| self.http.broken(&error))?;
            let tokens = answer.usage.and_then(|usage| usage.total_tokens).unwrap_or_default();
            out.tokens = out.tokens.saturating_add(tokens);
            if !vector::add(answer.data, input.len(), call.dimensions, &mut out) {
                return Err(self.http.broken(&"a text has no vector"));
            }
        }
        Ok(out)
    }

    async fn models(&self) -> Result<Vec<Offer>, Failure> {
        let body = self.http.get(&CLIENT as &dyn ClientDialect, "/v1/models").await?;
        let list: Models = serde_json::from_slice(&body).map_err(|error| self.http.broken(&error))?;
        let mut offers = Vec::new();
        for model in list.data {
            let kind = match model.capabilities.completion_chat {
                true => OfferKind::Text,
                false if model.id.contains("embed") => OfferKind::Embedding,
                // OCR, moderation, speech.
                false => continue,
            };
            offers.push(Offer { model: model.id, kind, context: model.max_context_length });
        }
        Ok(offers)
    }
}
