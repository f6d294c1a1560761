//! Cohere's own API (`/v2/chat`), from its client's side.
//!
//! Documents and search results of the user go into `documents`, under ids that say where they stood, so that the
//! citations of the answer can name them. What a model says of its plan before it calls tools is text in Converse, and
//! goes back as the plan. What differs is absorbed:
//!
//! - A tool that must be called is the only one that is offered: there is no other way to name it.
//! - Which stop sequence ended an answer is not told.
//! - Reasoning of earlier turns is left out.

mod answer;
mod blocks;
mod request;
mod stream;

use outcrop_api::bedrock_runtime::ConverseResponse;
use serde::Deserialize;

use crate::DialectError;
use crate::client::{Ask, ClientDialect, MakeId, ReadError, Refusal, StreamReader};

/// The dialect.
pub struct Chat;

impl ClientDialect for Chat {
    fn name(&self) -> &'static str {
        "cohere-chat"
    }
    fn request(&self, ask: &Ask<'_>) -> Result<Vec<u8>, DialectError> {
        request::body(ask)
    }
    fn answer(&self, body: &[u8], make_id: MakeId) -> Result<ConverseResponse, ReadError> {
        answer::read(body, make_id)
    }
    fn reader(&self, make_id: MakeId) -> Box<dyn StreamReader> {
        Box::new(stream::Reader::new(make_id))
    }
    fn refusal(&self, _: u16, body: &[u8]) -> Refusal {
        #[derive(Deserialize)]
        struct Said {
            message: String,
        }
        let Ok(Said { message }) = serde_json::from_slice(body) else { return Refusal::default() };
        // The one refusal that clients tell apart, for which the API has no name.
        let code = message.starts_with("too many tokens").then(|| "context_length_exceeded".to_owned());
        Refusal { message, code }
    }
}

fn malformed(why: &dyn std::fmt::Display) -> ReadError {
    ReadError::Malformed(why.to_string())
}
