//! A caller's body of OpenAI's own API for another server of it, with as little touched as can be: the model and the
//! words about streaming are this server's, every other byte stays.

#[cfg(test)]
mod tests;

use outcrop_api::bedrock_runtime::TokenUsage;
use outcrop_wire::json::{Error, Writer};
use serde::Deserialize;
use serde_json::Value;

use super::refusal;
use super::shapes::Usage;
use crate::DialectError;
use crate::client::{ReadError, members};

/// `body` for `model`. A stream tells what it took, whether the caller asked for that or not: it must be metered.
pub fn passing(body: &[u8], model: &str, stream: bool) -> Result<Vec<u8>, DialectError> {
    rewrite(body, model, stream).map_err(|_| DialectError::NotJson)
}

fn rewrite(body: &[u8], model: &str, stream: bool) -> Result<Vec<u8>, Error> {
    let mut head = Writer::new(Vec::with_capacity(body.len() + 96));
    head.begin_object();
    head.key("model");
    head.string(model);
    let mut out = head.into_bytes();
    let taken = ["model", "stream", "stream_options"];
    let mut options = members(body, &taken, "stream_options", &mut out)?.unwrap_or_default();
    if stream {
        if !options.is_object() {
            options = Value::Object(serde_json::Map::new());
        }
        options["include_usage"] = true.into();
        out.extend_from_slice(b",\"stream\":true,\"stream_options\":");
        out.extend_from_slice(options.to_string().as_bytes());
    }
    out.push(b'}');
    Ok(out)
}

/// What an event of a stream is to who passes it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassedEvent {
    /// A part of the answer.
    Part,
    /// The part that says why the answer ended; what it took may follow.
    Last,
    /// `[DONE]`, which is no JSON and ends the stream.
    Done,
}

/// Tells the events apart without reading them: no text of an answer can hold a quote that is not escaped.
pub fn passed_event(name: &str, data: &[u8]) -> Result<PassedEvent, ReadError> {
    let data = data.trim_ascii();
    let has = |words: &[u8]| data.windows(words.len()).any(|window| window == words);
    if data == b"[DONE]" {
        return Ok(PassedEvent::Done);
    }
    if name == "error"
        || data.starts_with(b"{\"error\"")
        || has(b"\"object\":\"error\"")
        || has(b"\"object\": \"error\"")
    {
        return Err(ReadError::Refused(refusal::read(data)));
    }
    let last = has(b"\"finish_reason\":\"") || has(b"\"finish_reason\": \"");
    Ok(if last { PassedEvent::Last } else { PassedEvent::Part })
}

/// The counts of a whole answer, or of a chunk, which is read no further.
pub fn passed_usage(answer: &[u8]) -> Option<TokenUsage> {
    #[derive(Deserialize)]
    struct Counted {
        usage: Option<Usage>,
    }
    let counted: Counted = serde_json::from_slice(answer).ok()?;
    counted.usage?.tokens()
}
