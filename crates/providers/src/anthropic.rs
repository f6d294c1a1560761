//! Anthropic's Messages API, and whatever else speaks it.
//!
//! The format is that of Claude on Bedrock, so bodies of InvokeModel pass through: only what stands around them
//! changes (`outcrop_dialects::anthropic::client` says what). Betas of a caller become the header that the API has for
//! them.

use ::http::{HeaderMap, HeaderName, HeaderValue};
use async_trait::async_trait;
use outcrop_api::bedrock_runtime::DocumentBlock;
use outcrop_dialects::anthropic::client::{self, Messages, PassedEvent};
use outcrop_dialects::client::{Ask, ReadError};
use outcrop_outbound::Outbound;
use serde::Deserialize;

use crate::http::{self, Auth, Http, Passing, unmappable};
use crate::{
    Answer, Call, Failure, Offer, OfferKind, Pass, PassBody, Passed, Provider, ProviderSettings, Secret, SettingsError,
};

const URL: &str = "https://api.anthropic.com";
const MESSAGES: &str = "/v1/messages";
const BETA: &str = "anthropic-beta";
const VERSION: &str = "anthropic-version";

/// Anthropic.
pub struct Anthropic {
    http: Http,
}

impl Anthropic {
    /// The provider of `settings`, at Anthropic's own address where they name no other.
    pub fn new(settings: &ProviderSettings, outbound: &Outbound) -> Result<Self, SettingsError> {
        let mut settings = settings.clone();
        settings.headers.entry(VERSION.to_owned()).or_insert_with(|| Secret::new(client::VERSION));
        Ok(Self { http: Http::new(&settings, outbound, Some(URL), Auth::Header("x-api-key"))? })
    }
}

#[async_trait]
impl Provider for Anthropic {
    async fn converse(&self, call: Call) -> Result<Answer, Failure> {
        let headers = betas(client::betas(&call.request))?;
        http::converse(&self.http, &Messages, MESSAGES, headers, &call).await
    }

    fn reads(&self, document: &DocumentBlock) -> bool {
        client::reads(document)
    }

    fn cites(&self) -> bool {
        true
    }

    async fn count_tokens(&self, call: Call) -> Result<u32, Failure> {
        let headers = betas(client::betas(&call.request))?;
        let ask = Ask { request: &call.request, model: &call.model, stream: false };
        let body = client::count_request(&ask).map_err(|error| unmappable(&call.model, &error))?;
        let answer = self.http.call(&Messages, "/v1/messages/count_tokens", body, headers).await?;
        client::count_answer(&answer).map_err(|error| self.http.broken(&error))
    }

    fn passes(&self, dialect: &str) -> bool {
        // The second is what clients of the API send themselves.
        matches!(dialect, "anthropic-messages" | "anthropic-api")
    }

    async fn pass(&self, call: Pass) -> Result<Passed, Failure> {
        let passing = client::passing(&call.body, &call.model, call.stream).map_err(|e| Failure::request(&e))?;
        let headers = call.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(BETA));
        let asked: Vec<&str> =
            passing.betas.iter().chain(headers.map(|(_, value)| value)).map(String::as_str).collect();
        let headers = betas(Some(asked.join(",")))?;
        let response = self.http.post(&Messages, MESSAGES, passing.body, headers).await?;
        if call.stream {
            return Ok(Passed { body: http::chunks(&self.http, response, judge).await?, usage: None });
        }
        let body = self.http.whole(response).await?;
        Ok(Passed { usage: client::passed_usage(&body), body: PassBody::Whole(body) })
    }

    async fn models(&self) -> Result<Vec<Offer>, Failure> {
        #[derive(Deserialize)]
        struct List {
            data: Vec<Model>,
        }
        #[derive(Deserialize)]
        struct Model {
            id: String,
            max_input_tokens: Option<u32>,
        }
        // The largest page that there is; there are some dozens of models.
        let body = self.http.get(&Messages, "/v1/models?limit=1000").await?;
        let list: List = serde_json::from_slice(&body).map_err(|error| self.http.broken(&error))?;
        let offer = |m: Model| Offer { model: m.id, kind: OfferKind::Text, context: m.max_input_tokens };
        Ok(list.data.into_iter().map(offer).collect())
    }
}

/// The header of the betas that a caller asks for.
fn betas(asked: Option<String>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    if let Some(asked) = asked.filter(|asked| !asked.is_empty()) {
        let value = HeaderValue::try_from(asked).map_err(|_| {
            let text = "anthropic_beta has characters that no header can carry.";
            Failure::new(crate::Cause::Request, outcrop_api::Fault::validation(text))
        })?;
        headers.insert(HeaderName::from_static(BETA), value);
    }
    Ok(headers)
}

fn judge(name: &str, data: &[u8]) -> Result<Passing, ReadError> {
    Ok(match client::passed_event(name, data)? {
        PassedEvent::Part => Passing::Chunk,
        PassedEvent::Last => Passing::Last,
        PassedEvent::Ping => Passing::Skip,
    })
}
