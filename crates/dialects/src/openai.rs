//! Chat completions: OpenAI's format (`openai-chat`: gpt-oss, the open-weight models and the models of this machine;
//! `qwen`), and the codec that other makers' versions of it share: [`crate::mistral`] and [`crate::ai21`] are a
//! `Format` each.
//!
//! `model` and `stream` may be left out; where they stand they must say what the path says ([`ChatDialect::agrees`]).
//! What Converse has no place for (`seed`, `reasoning_effort`, `logit_bias`, a `tool_choice` of `none` …) goes into
//! `additionalModelRequestFields` under its own name, which is where Converse callers put it too. InvokeModel shows
//! reasoning as `<reasoning>…</reasoning>` before the text; the same is read back in an assistant's turn. OpenAI's own API
//! ([`API`]) has a member for it, and lets turns of one role follow each other; [`embeddings`] are the vectors of that API.

mod beside;
pub mod client;
mod decode;
pub mod embeddings;
mod encode;
mod format;
mod messages;
mod request;
mod stream;
mod tools;

use crate::body::{Node, parse};
use crate::{ChatDialect, DialectError, Head, StreamEncoder};
use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseResponse};
use serde_json::Value;

pub(crate) use beside::{effort, envelope, file_data, file_members};
pub(crate) use format::{Format, Passed, Reasoning};
pub(crate) use messages::{arguments, data_image};

/// `openai-chat`.
pub static CHAT: Format = format::OPENAI;
/// `openai-api`: what OpenAI's own clients speak.
pub static API: Format = format::API;
/// `qwen`.
pub static QWEN: Format = format::QWEN;

impl ChatDialect for Format {
    fn name(&self) -> &'static str {
        self.name
    }
    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        decode::request(self, body)
    }
    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::write(self, request)
    }
    fn agrees(&self, body: &[u8], models: &[&str], streaming: bool) -> Result<(), DialectError> {
        agrees(body, models, streaming)
    }
    fn encode(&self, head: &Head, answer: &ConverseResponse) -> Value {
        encode::answer(self, head, answer)
    }
    fn stream(&self, head: Head) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(*self, head))
    }
}

/// `model` and `stream` of a body against what was really called (user guide: both must match, or be left out).
pub(crate) fn agrees(body: &[u8], models: &[&str], streaming: bool) -> Result<(), DialectError> {
    let value = parse(body)?;
    let body = Node::root(&value);
    if let Some(model) = body.get("model")? {
        let named = model.string()?;
        if !models.contains(&named) {
            let called = models.first().copied().unwrap_or_default();
            return Err(model.refuse(format_args!("{named} does not match the model of the request, {called}")));
        }
    }
    if let Some(stream) = body.get("stream")?
        && stream.boolean()? != streaming
    {
        let operation = if streaming { "InvokeModelWithResponseStream" } else { "InvokeModel" };
        return Err(stream.refuse(format_args!("{} does not match the operation {operation}", stream.value)));
    }
    Ok(())
}
