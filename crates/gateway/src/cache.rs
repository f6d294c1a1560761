//! The response cache: the same request again gets the same answer again, where a route or the caller asks for it.
//!
//! Never: under the data retention mode `none`, across accounts or across the boundary within which computed prompts are
//! shared, an answer with an error or without its end. All of it is in memory.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use moka::Expiry;
use moka::sync::Cache;
use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseResponse, ConverseStreamOutput, StopReason};
use outcrop_dialects::converse::Fold;
use outcrop_models::Resolved;
use outcrop_models::data_retention::Retention;
use outcrop_providers::Answer;
use sha2::{Digest, Sha256};

use crate::Gateway;
use crate::routing::Plan;

/// The header of an answer that was kept.
pub const CACHE: &str = "x-outcrop-cache";
/// The key of the request metadata by which a caller decides: `on`, `off`, or `refresh`, which keeps a new answer.
pub const ASKED: &str = "outcrop-cache";
/// How long an answer is kept where the caller asked for it and the route says nothing.
const FOR: Duration = Duration::from_secs(300);
/// What all kept answers may take, where nothing else is said.
const BYTES: u64 = 64 << 20;

type Key = [u8; 32];

/// The answers that are kept.
pub struct Answers {
    kept: Cache<Key, Arc<Entry>>,
}

struct Entry {
    response: ConverseResponse,
    bytes: u32,
    lives: Duration,
}

struct Lives;

impl Expiry<Key, Arc<Entry>> for Lives {
    fn expire_after_create(&self, _: &Key, entry: &Arc<Entry>, _: Instant) -> Option<Duration> {
        Some(entry.lives)
    }

    fn expire_after_update(&self, _: &Key, entry: &Arc<Entry>, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(entry.lives)
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::new(BYTES)
    }
}

impl Answers {
    /// Answers in at most `bytes`.
    pub fn new(bytes: u64) -> Self {
        let kept = Cache::builder().max_capacity(bytes).weigher(|_: &Key, entry: &Arc<Entry>| entry.bytes);
        Self { kept: kept.expire_after(Lives).build() }
    }
}

/// The place of one request's answer.
pub(crate) struct Kept {
    answers: Arc<Answers>,
    key: Key,
    lives: Duration,
    /// What is there is not wanted.
    refresh: bool,
}

impl Gateway {
    /// Where the answer of `request` is kept, if it is to be.
    pub(crate) fn kept(
        &self,
        cx: &Context,
        resolved: &Resolved,
        request: &ConverseRequest,
        plan: &Plan,
    ) -> Option<Kept> {
        let asked = request.request_metadata.as_ref().and_then(|metadata| metadata.get(ASKED)).map(String::as_str);
        let by_route = plan.policy().cache;
        let (wanted, refresh) = match asked {
            Some("on") => (true, false),
            Some("refresh") => (true, true),
            Some("off") => (false, false),
            _ => (by_route.is_some(), false),
        };
        if !wanted || self.retention(cx) == Retention::None {
            return None;
        }
        let key = self.key(cx, resolved, request);
        Some(Kept { answers: Arc::clone(&self.cache), key, lives: by_route.unwrap_or(FOR), refresh })
    }

    /// Everything that an answer depends on: whose it is, the guardrail (a member of the request), the model as it was
    /// named, every parameter.
    fn key(&self, cx: &Context, resolved: &Resolved, request: &ConverseRequest) -> Key {
        let asked = ConverseRequest { request_metadata: None, model_id: String::new(), ..request.clone() };
        let body = outcrop_wire::encode::body(&asked, Vec::with_capacity(1024));
        let scope = self.sharing.scope(&cx.caller);
        let mut hash = Sha256::new();
        let parts = [cx.caller.account.as_str(), &scope, &cx.region, &resolved.model.id, &resolved.metric_id];
        for part in parts.map(str::as_bytes).into_iter().chain([&*body]) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

impl Kept {
    /// The answer that is here.
    pub fn answer(&self) -> Option<Answer> {
        let entry = (!self.refresh).then(|| self.answers.kept.get(&self.key)).flatten()?;
        Some(Answer::Whole(Box::new(entry.response.clone())))
    }

    /// Keeps `answer` when it is whole.
    pub fn keep(self, answer: Answer) -> Answer {
        match answer {
            Answer::Whole(response) => {
                self.put((*response).clone());
                Answer::Whole(response)
            }
            Answer::Stream { prompt, events } => {
                let mut fold = Some((Fold::new(), self));
                let events = events.inspect(move |event| {
                    let complete = match event {
                        Ok(event) => {
                            if let Some((fold, _)) = &mut fold {
                                fold.push(event.clone());
                            }
                            matches!(event, ConverseStreamOutput::Metadata(_))
                        }
                        Err(_) => {
                            fold = None;
                            false
                        }
                    };
                    if complete
                        && let Some((fold, kept)) = fold.take()
                        && let Ok(response) = fold.finish()
                    {
                        kept.put(response);
                    }
                });
                Answer::Stream { prompt, events: events.boxed() }
            }
        }
    }

    fn put(self, response: ConverseResponse) {
        // Broken calls are worth another try.
        if response.stop_reason == StopReason::MalformedToolUse {
            return;
        }
        let bytes = outcrop_wire::encode::body(&response, Vec::new()).len();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.answers.kept.insert(self.key, Arc::new(Entry { response, bytes, lives: self.lives }));
    }
}
