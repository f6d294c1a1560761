//! Anthropic's own API, from its client's side.
//!
//! The body is that of `InvokeModel` but for what stands around it: `model` and `stream` are members, the version and
//! the betas are headers. What differs between models and versions is absorbed:
//!
//! - `max_tokens` is required there and optional in Converse: [`MAX_TOKENS`] stands in, beside the budget of thinking.
//! - Blank text is refused there: it is left out. So is white space at the end of an answer that was begun.
//! - Thinking without a signature is another model's, and refused there: it is left out.
//! - Turns of one side in a row become one, in which the results of tools come first.
//! - System messages at the beginning become the system prompt.
//! - A name for the schema of an answer does not exist there.

mod answer;
mod blocks;
mod document;
mod pass;
mod request;
mod stream;
mod usage;

use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseResponse};
use serde_json::Value;

use crate::DialectError;
use crate::client::{Ask, ClientDialect, MakeId, ReadError, Refusal, StreamReader};

pub use document::reads;
pub use pass::{Event as PassedEvent, Passing, event as passed_event, passing, usage as passed_usage};

/// `max_tokens` where the caller gives none: the most that every model of Anthropic's writes, the oldest included.
pub const MAX_TOKENS: i32 = 4096;

/// The value of the header `anthropic-version`.
pub const VERSION: &str = "2023-06-01";

/// The dialect.
pub struct Messages;

impl ClientDialect for Messages {
    fn name(&self) -> &'static str {
        "anthropic-messages"
    }
    fn request(&self, ask: &Ask<'_>) -> Result<Vec<u8>, DialectError> {
        request::body(ask, request::For::Answer)
    }
    fn answer(&self, body: &[u8], make_id: MakeId) -> Result<ConverseResponse, ReadError> {
        answer::read(body, make_id)
    }
    fn reader(&self, make_id: MakeId) -> Box<dyn StreamReader> {
        Box::new(stream::Reader::new(make_id))
    }
    fn refusal(&self, _: u16, body: &[u8]) -> Refusal {
        serde_json::from_slice(body).map(|said| refusal(&said)).unwrap_or_default()
    }
}

/// The body of a request that counts the tokens of the conversation.
pub fn count_request(ask: &Ask<'_>) -> Result<Vec<u8>, DialectError> {
    request::body(ask, request::For::Count)
}

/// The count that such a request brings.
pub fn count_answer(body: &[u8]) -> Result<u32, ReadError> {
    let said: Value = serde_json::from_slice(body).map_err(|e| ReadError::json(&e))?;
    let count = said.get("input_tokens").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    count.ok_or_else(|| malformed(&"it has no input_tokens"))
}

/// The betas that a caller asks for in `additionalModelRequestFields.anthropic_beta`: the value of the header of that
/// name.
pub fn betas(request: &ConverseRequest) -> Option<String> {
    let asked = request.additional_model_request_fields.as_ref()?.get("anthropic_beta")?;
    Some(joined(asked)).filter(|betas| !betas.is_empty())
}

fn joined(betas: &Value) -> String {
    match betas {
        Value::String(one) => one.clone(),
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        _ => String::new(),
    }
}

/// `{"type": "error", "error": {"type", "message"}}`, the body of a refusal and the data of an `error` event.
fn refusal(said: &Value) -> Refusal {
    let error = said.get("error").unwrap_or(said);
    let text = |key: &str| error.get(key).and_then(Value::as_str).map(str::to_owned);
    Refusal { message: text("message").unwrap_or_default(), code: text("type") }
}

fn malformed(why: &dyn std::fmt::Display) -> ReadError {
    ReadError::Malformed(why.to_string())
}
