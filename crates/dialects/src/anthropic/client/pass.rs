//! InvokeModel's body as the API's, with as little touched as can be: version and betas leave the body, the model and
//! the word about streaming enter it, every other byte stays.

#[cfg(test)]
mod tests;

use outcrop_api::bedrock_runtime::TokenUsage;
use outcrop_wire::json::{Error, Writer};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{joined, refusal, usage as counts};
use crate::DialectError;
use crate::client::{ReadError, members};

/// A body for the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing {
    /// The body.
    pub body: Vec<u8>,
    /// The betas that the caller's body asked for: the value of the header `anthropic-beta`.
    pub betas: Option<String>,
}

/// The members that are not the caller's to say, or that stand elsewhere.
const TAKEN: &[&str] = &["anthropic_version", "anthropic_beta", "model", "stream"];

/// `body` for `model`.
pub fn passing(body: &[u8], model: &str, stream: bool) -> Result<Passing, DialectError> {
    rewrite(body, model, stream).map_err(|_| DialectError::NotJson)
}

fn rewrite(body: &[u8], model: &str, stream: bool) -> Result<Passing, Error> {
    let mut head = Writer::new(Vec::with_capacity(body.len() + 64));
    head.begin_object();
    head.key("model");
    head.string(model);
    if stream {
        head.key("stream");
        head.boolean(true);
    }
    let mut out = head.into_bytes();
    let betas = members(body, TAKEN, "anthropic_beta", &mut out)?;
    let betas = betas.map(|betas| joined(&betas)).filter(|betas| !betas.is_empty());
    out.push(b'}');
    Ok(Passing { body: out, betas })
}

/// What an event of a stream is to who passes it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A part of the answer.
    Part,
    /// The part that makes it complete.
    Last,
    /// A sign of life, which InvokeModel's streams do not have.
    Ping,
}

/// Tells the events apart by their names.
pub fn event(name: &str, data: &[u8]) -> Result<Event, ReadError> {
    match name {
        "ping" => Ok(Event::Ping),
        "message_stop" => Ok(Event::Last),
        "error" => Err(ReadError::Refused(refusal(&serde_json::from_slice(data).map_err(|e| ReadError::json(&e))?))),
        _ => Ok(Event::Part),
    }
}

/// The counts of a whole answer, which is read no further.
pub fn usage(answer: &[u8]) -> Option<TokenUsage> {
    #[derive(Deserialize)]
    struct Counted {
        usage: Map<String, Value>,
    }
    let counted: Counted = serde_json::from_slice(answer).ok()?;
    Some(counts::usage(&counted.usage))
}
