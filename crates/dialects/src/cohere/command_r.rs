//! Command R and R+: `message` is what the user says now, `chat_history` what was said before.
//!
//! A tool call has no id here: results repeat the call that they answer. Reading makes ids from the call's place, so
//! the same body always gives the same ones. Documents are search results of the user's turn, whose citations
//! Converse has too. What Converse has no place for (`k`, `seed`, `prompt_truncation`, `search_queries_only`,
//! `return_prompt`, `raw_prompting` …) goes into `additionalModelRequestFields`.

mod decode;
mod documents;
mod encode;
mod history;
mod request;
mod stream;
mod tools;

use crate::{ChatDialect, DialectError, Head, StreamEncoder};
use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseResponse};
use serde_json::{Value, json};

/// The dialect.
pub struct CommandR;

impl ChatDialect for CommandR {
    fn name(&self) -> &'static str {
        "command-r"
    }
    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        decode::request(body)
    }
    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::write(request)
    }
    /// The conversation so far and its documents.
    fn repeats(&self, request: &ConverseRequest) -> Value {
        let messages = request.messages.as_deref().unwrap_or_default();
        let turns = request::turns(messages).unwrap_or_default();
        let documents = documents::of(messages).unwrap_or_default();
        json!({"chat_history": turns, "documents": documents})
    }
    fn encode(&self, head: &Head, answer: &ConverseResponse) -> Value {
        encode::answer(head, answer)
    }
    fn stream(&self, head: Head) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(head))
    }
}
