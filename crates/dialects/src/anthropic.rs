//! Anthropic Messages, the body of Claude in `InvokeModel` (`anthropic-messages`), the same as Anthropic's own clients
//! send it (`anthropic-api`), and the legacy text completions (`anthropic-text`).
//!
//! In Bedrock's body `anthropic_version` (any) and `max_tokens` are required; `model` and `stream` do not exist there,
//! but may in that of Anthropic's own API ([`Api`]), where whoever takes the call reads them. What Converse has no place
//! for (`top_k`, `thinking`, `anthropic_beta`, tools that Anthropic defines, a `tool_choice` of `none`) goes into
//! `additionalModelRequestFields` under its own name, which is where Converse callers put it too.
//!
//! [`client`] is the other side: what a provider that speaks it is asked, and its answers read.

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

/// The prefixes of answers' ids.
const BEDROCK: &str = "msg_bdrk_";
const OWN: &str = "msg_";
const VERSION: &str = "bedrock-2023-05-31";

/// The dialect.
pub struct Messages;

/// `anthropic-api`: what Anthropic's own clients speak. `model` and `stream` stand in the body, the version in a header.
pub struct Api;

impl Api {
    /// Reads the body of `count_tokens`: the same without a limit.
    pub fn counted(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        decode::counted(body)
    }
}

impl ChatDialect for Api {
    fn name(&self) -> &'static str {
        "anthropic-api"
    }
    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        decode::api(body)
    }
    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::body(request, None)
    }
    fn encode(&self, head: &Head, answer: &ConverseResponse) -> Value {
        encode::answer(OWN, head, answer)
    }
    fn stream(&self, head: Head) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(OWN, head))
    }
}

impl ChatDialect for Messages {
    fn name(&self) -> &'static str {
        "anthropic-messages"
    }
    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        decode::request(body)
    }
    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::body(request, Some(VERSION))
    }
    fn encode(&self, head: &Head, answer: &ConverseResponse) -> Value {
        encode::answer(BEDROCK, head, answer)
    }
    fn stream(&self, head: Head) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(BEDROCK, head))
    }
}
