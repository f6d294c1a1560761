//! A response as it is made: typed events, each with its type as its name.

use futures_util::future::BoxFuture;
use outcrop_access::Context;
use outcrop_api::Fault;
use outcrop_dialects::{Head, responses};
use serde_json::{Value, json};

use super::super::error;
use super::stored::{Kept, Stored};
use crate::compat::sse::{self, Frames};

/// Holds the last event back until what must be kept is kept: whoever reads it may go on from the response.
pub(super) struct Typed {
    head: Head,
    keep: Option<(Kept, Stored, Context)>,
    last: Option<Value>,
    sequence: u64,
}

impl Typed {
    pub(super) fn new(head: Head, keep: Option<(Kept, Stored, Context)>) -> Self {
        Self { head, keep, last: None, sequence: 0 }
    }
}

impl Frames for Typed {
    fn chunk(&mut self, chunk: Value, out: &mut Vec<u8>) {
        self.sequence = chunk["sequence_number"].as_u64().unwrap_or_default() + 1;
        match chunk["type"].as_str() {
            Some("response.completed" | "response.incomplete") => self.last = Some(chunk),
            name => sse::event(name, &chunk, out),
        }
    }

    fn fault(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        // Of the codes that a failed response may have two are about the server.
        let code = if error::class(fault).0 == 429 { "rate_limit_exceeded" } else { "server_error" };
        let response = responses::failed(&self.head, code, &fault.message);
        let event = json!({"type": "response.failed", "sequence_number": self.sequence, "response": response});
        sse::event(Some("response.failed"), &event, out);
    }

    fn keep(&mut self) -> BoxFuture<'static, Result<(), Fault>> {
        let (Some((kept, stored, cx)), Some(last)) = (self.keep.take(), &self.last) else {
            return Box::pin(std::future::ready(Ok(())));
        };
        let kept = Kept { response: last["response"].clone(), ..kept };
        Box::pin(async move { stored.put(&cx, kept).await })
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(last) = self.last.take() {
            sse::event(last["type"].as_str(), &last, out);
        }
    }
}
