//! Other protocols than Bedrock's, on the same port: STS, which clients get credentials from; parts of other AWS
//! services ([`aws`]); S3 ([`s3`]); and the doors of OpenAI's and Anthropic's clients, behind which are the same models, policies and
//! routing.
//!
//! Start at [`Doors::answer`]. What a door says and reads is `outcrop_dialects`' affair; here are its envelope (model,
//! stream, headers), server-sent events and errors.

pub mod anthropic;
pub mod aws;
mod listed;
pub mod openai;
mod request;
pub mod s3;
mod sse;
pub mod sts;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use outcrop_access::Context;
use outcrop_api::{Fault, Kind};
use outcrop_gateway::Gateway;
use outcrop_guardrails::Guardrails;
use outcrop_knowledge::Knowledge;
use outcrop_models::Models;
use outcrop_models::data_retention::Retention;
use serde_json::Value;

pub use openai::Stored;

use crate::cost::Desk;
use crate::doors::{Door, Speaks};
use crate::listen::Body;
use crate::pipeline;

/// What the doors work on.
pub struct Doors {
    /// The way into every model.
    pub gateway: Arc<Gateway>,
    /// The models by name.
    pub models: Arc<Models>,
    /// The responses that are kept.
    pub responses: Stored,
    /// What calls cost.
    pub cost: Desk,
    /// The guardrails.
    pub guardrails: Arc<Guardrails>,
    /// The knowledge bases.
    pub knowledge: Knowledge,
}

/// One proven request.
pub struct Call<'a> {
    /// Where it came in.
    pub door: Door,
    /// How: one of the door's own methods.
    pub method: &'a Method,
    /// The id in the path, raw.
    pub id: &'a str,
    /// The raw query.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Who calls, where, how long.
    pub context: Context,
}

impl Doors {
    /// Whether the account lets what it says and is answered be kept at all.
    fn may_store(&self, cx: &Context) -> bool {
        self.models.retention(&cx.caller.account, &cx.region).admits(Retention::Default)
    }

    /// Answers one call, refusals in the words of its door.
    pub async fn answer(&self, call: Call<'_>) -> Response<Body> {
        let id = call.context.request_id.clone();
        match call.door {
            Door::Messages | Door::MessageTokens | Door::AnthropicModels | Door::AnthropicModel => {
                let answer = anthropic::answer(self, call).await;
                answer.map_or_else(
                    |fault| anthropic::refusal(&told(fault, &id), &id),
                    |response| anthropic::identify(response, &id),
                )
            }
            _ => {
                let answer = openai::answer(self, call).await;
                answer.map_or_else(
                    |refused| openai::refusal(&refused.logged(&id), &id),
                    |response| openai::identify(response, &id),
                )
            }
        }
    }
}

/// The refusal of a path below the doors' prefixes that is none of them.
pub fn nowhere(path: &str) -> Fault {
    let speaks = Speaks::at(path);
    let known = Door::ALL.iter().flat_map(|door| door.paths()).filter(|known| Speaks::at(known) == speaks);
    let known: Vec<&str> = known.copied().filter(|known| !known.starts_with("/openai/")).collect();
    Fault::new(Kind::UnknownOperation, format!("Nothing is spoken at this path. Use one of: {}.", known.join(", ")))
}

/// What the operator should know of a fault of ours goes to the log.
fn told(fault: Fault, request_id: &str) -> Fault {
    if fault.kind.default_status() >= 500 && fault.kind != Kind::NotImplemented {
        tracing::error!(request_id, %fault, "failed");
    }
    fault
}

/// A JSON answer with the headers that the gateway gave.
fn json(status: u16, value: &Value, extra: &[(&'static str, String)]) -> Response<Body> {
    let mut response = Response::new(Body::full(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers(&mut response, extra);
    response
}

fn headers(response: &mut Response<Body>, extra: &[(&'static str, String)]) {
    for (name, value) in extra {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
        }
    }
}

/// The answer's id by which the log knows its request, under AWS's name for it and the door's.
fn identified(mut response: Response<Body>, name: &'static str, request_id: &str) -> Response<Body> {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id.clone());
        response.headers_mut().insert(name, id);
    }
    response
}

/// The shape of a refusal: AWS's name of the error stands in a header, as in every other refusal of this port. What
/// is not built will not be after a while either, so clients are told not to try again.
fn refused(status: u16, value: &Value, fault: &Fault) -> Response<Body> {
    let mut response = json(status, value, &[]);
    pipeline::refusal_headers(&mut response, fault);
    if fault.kind == Kind::NotImplemented {
        response.headers_mut().insert("x-should-retry", HeaderValue::from_static("false"));
    }
    response
}
