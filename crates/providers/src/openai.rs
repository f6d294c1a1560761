//! Servers that speak OpenAI's API: OpenAI, vLLM, SGLang, Ollama, llama.cpp, LM Studio and many more.
//!
//! `server` tells them apart by their address; what a single model refuses (a system role, a length of vectors) is
//! learned from its refusal and remembered. The formats of conversations are `outcrop_dialects::openai::client`'s, the
//! other endpoints are one file each.

mod embed;
mod guess;
mod images;
mod models;
mod rerank;
mod server;
mod tokenize;

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use ::http::HeaderMap;
use async_trait::async_trait;
use outcrop_api::bedrock_runtime::{ConversationRole, DocumentBlock};
use outcrop_dialects::client::{ClientDialect, ReadError};
use outcrop_dialects::openai::client::{PassedEvent, passed_event, passed_usage, passing};
use outcrop_outbound::Outbound;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::http::{self, Auth, Http, Passing, converse};
use crate::{
    Answer, Call, Cause, Embed, Embedded, Failure, Image, Images, Offer, Pass, PassBody, Passed, Provider,
    ProviderSettings, Ranked, Rerank, SettingsError,
};
use server::Server;

/// Where conversations go.
const CHAT: &str = "/chat/completions";

/// A server that speaks OpenAI's API.
pub struct OpenAi {
    http: Http,
    /// The server without the `/v1` of its base URL, where some endpoints are that OpenAI does not have.
    root: Http,
    server: Server,
    learned: RwLock<HashSet<(Arc<str>, Refuses)>>,
}

/// What a model turned out to refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Refuses {
    /// Messages of the system's role.
    System,
    /// A length of vectors.
    Dimensions,
}

impl OpenAi {
    /// The server of `settings`; OpenAI's own where they name no URL. Nothing is called yet.
    pub fn new(settings: &ProviderSettings, outbound: &Outbound) -> Result<Self, SettingsError> {
        let url = settings.url.as_deref().unwrap_or(server::OPENAI_URL);
        let base = url.trim_end_matches('/');
        let root =
            ProviderSettings { url: Some(base.strip_suffix("/v1").unwrap_or(base).to_owned()), ..settings.clone() };
        Ok(Self {
            http: Http::new(settings, outbound, Some(server::OPENAI_URL), Auth::Bearer)?,
            root: Http::new(&root, outbound, None, Auth::Bearer)?,
            server: Server::at(url),
            learned: RwLock::default(),
        })
    }

    fn refuses(&self, model: &Arc<str>, what: Refuses) -> bool {
        let learned = self.learned.read().unwrap_or_else(PoisonError::into_inner);
        // Nearly always nothing was learned, and then nothing is cloned.
        !learned.is_empty() && learned.contains(&(model.clone(), what))
    }

    fn learn(&self, model: &Arc<str>, what: Refuses) {
        tracing::info!(provider = self.http.name(), %model, ?what, "a model refuses what others take");
        self.learned.write().unwrap_or_else(PoisonError::into_inner).insert((model.clone(), what));
    }

    fn dialect(&self, model: &Arc<str>) -> &'static dyn ClientDialect {
        if self.refuses(model, Refuses::System) { self.server.without_system() } else { self.server.dialect() }
    }

    /// Sends `body` as JSON and reads the answer as `A`.
    async fn call<A: DeserializeOwned>(&self, http: &Http, path: &str, body: &impl Serialize) -> Result<A, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| http.broken(&error))?;
        let answer = http.call(self.server.dialect(), path, body, HeaderMap::new()).await?;
        serde_json::from_slice(&answer).map_err(|error| http.broken(&error))
    }
}

#[async_trait]
impl Provider for OpenAi {
    async fn converse(&self, call: Call) -> Result<Answer, Failure> {
        let dialect = self.dialect(&call.model);
        let answer = match converse(&self.http, dialect, CHAT, HeaderMap::new(), &call).await {
            Err(failure) if instructs(&call) && server::refuses_system(&failure) => {
                self.learn(&call.model, Refuses::System);
                converse(&self.http, self.dialect(&call.model), CHAT, HeaderMap::new(), &call).await?
            }
            answer => answer?,
        };
        Ok(guess::counted(answer, &call))
    }

    fn reads(&self, document: &DocumentBlock) -> bool {
        self.server.quirks().reads(document)
    }

    async fn count_tokens(&self, call: Call) -> Result<u32, Failure> {
        tokenize::count(self, &call).await
    }

    async fn embed(&self, call: Embed) -> Result<Embedded, Failure> {
        embed::embed(self, &call).await
    }

    async fn rerank(&self, call: Rerank) -> Result<Ranked, Failure> {
        rerank::rerank(self, &call).await
    }

    async fn images(&self, call: Images) -> Result<Vec<Image>, Failure> {
        images::make(self, &call).await
    }

    fn passes(&self, dialect: &str) -> bool {
        // Not `openai-chat`: InvokeModel's answers have reasoning and metrics of their own.
        dialect == "openai-api"
    }

    async fn pass(&self, call: Pass) -> Result<Passed, Failure> {
        let body = passing(&call.body, &call.model, call.stream).map_err(|error| Failure::request(&error))?;
        let response = self.http.post(self.server.dialect(), CHAT, body, HeaderMap::new()).await?;
        if call.stream {
            return Ok(Passed { body: http::chunks(&self.http, response, judge).await?, usage: None });
        }
        let body = self.http.whole(response).await?;
        Ok(Passed { usage: passed_usage(&body), body: PassBody::Whole(body) })
    }

    async fn models(&self) -> Result<Vec<Offer>, Failure> {
        models::list(self).await
    }
}

fn judge(name: &str, data: &[u8]) -> Result<Passing, ReadError> {
    Ok(match passed_event(name, data)? {
        PassedEvent::Part => Passing::Chunk,
        PassedEvent::Last => Passing::Last,
        PassedEvent::Done => Passing::End,
    })
}

/// Whether there is anything that a system role would say.
fn instructs(call: &Call) -> bool {
    let later = call.request.messages.iter().flatten().any(|m| m.role == ConversationRole::System);
    later || call.request.system.as_ref().is_some_and(|system| !system.is_empty())
}

/// What the server does not have, others may.
fn unless_absent(failure: Failure, what: &str) -> Failure {
    if failure.cause == Cause::NoModel { Failure::not_offered(what) } else { failure }
}
