//! Anthropic Messages, the body of Claude in `InvokeModel` (`anthropic-messages`), and the legacy text completions
//! (`anthropic-text`).
//!
//! `anthropic_version` (any) and `max_tokens` are required; `model` and `stream` do not exist here. What Converse has no
//! place for (`top_k`, `thinking`, `anthropic_beta`, tools that Anthropic defines, a `tool_choice` of `none`) goes
//! into `additionalModelRequestFields` under its own name, which is where Converse callers put it too.
//!
//! [`client`] is the other side: the same format as Anthropic's own API speaks it.

mod blocks;
mod citations;
pub mod client;
mod decode;
mod encode;
mod request;
mod stream;
mod text;
mod tools;

pub use text::Completions;

use crate::{ChatDialect, DialectError, Head, StreamEncoder};
use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseResponse};
use serde_json::Value;

/// The dialect.
pub struct Messages;

impl ChatDialect for Messages {
    fn name(&self) -> &'static str {
        "anthropic-messages"
    }
    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        decode::request(body)
    }
    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::body(request)
    }
    fn encode(&self, head: &Head, answer: &ConverseResponse) -> Value {
        encode::answer(head, answer)
    }
    fn stream(&self, head: Head) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(head))
    }
}
