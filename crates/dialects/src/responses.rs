//! OpenAI's Responses (`openai-responses`): a conversation as a flat list of items, an answer as items too, a stream of
//! typed events.
//!
//! Never: keeping a response. `previous_response_id` and `store` are read by whoever takes the call, which hands the
//! earlier items to [`Asked::converse`]. Reasoning is told whole, as an item of its own; its signature, without which
//! some models do not read it again, is the item's `encrypted_content`.

mod answer;
mod decode;
mod items;
mod request;
mod stream;
mod tools;

use crate::{ChatDialect, DialectError, Head, StreamEncoder};
use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseResponse};
use serde_json::Value;

pub use decode::{Asked, decode};

/// The dialect.
pub struct Responses;

impl ChatDialect for Responses {
    fn name(&self) -> &'static str {
        "openai-responses"
    }
    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        decode::decode(body)?.converse(&[])
    }
    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::write(request)
    }
    fn encode(&self, head: &Head, answer: &ConverseResponse) -> Value {
        answer::whole(head, answer)
    }
    fn stream(&self, head: Head) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(head))
    }
}

/// A response that failed after its stream began.
pub fn failed(head: &Head, code: &str, message: &str) -> Value {
    answer::failed(head, code, message)
}

/// The id of the response whose answer has `message_id`.
pub fn id(message_id: &str) -> String {
    format!("resp_{message_id}")
}
