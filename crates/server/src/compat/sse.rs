//! Server-sent events: the answer of a stream in both protocols.

#[cfg(test)]
mod tests;

use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Response, header};
use outcrop_api::bedrock_runtime::ConverseStreamOutput;
use outcrop_api::{Events, Fault};
use outcrop_dialects::{METRICS, StreamEncoder};
use outcrop_gateway::Timed;
use serde_json::Value;

use crate::listen::Body;

/// As many events as are ready at the same moment leave in one piece.
const TOGETHER: usize = 32;

/// How a protocol frames the chunks of an answer.
pub(super) trait Frames: Send + 'static {
    /// Appends one chunk.
    fn chunk(&mut self, chunk: Value, out: &mut Vec<u8>);
    /// Appends the error that ends the answer: clients may take a stream that just ends for a whole one.
    fn fault(&mut self, fault: &Fault, out: &mut Vec<u8>);
    /// What must be done before the answer may be told to be whole.
    fn keep(&mut self) -> BoxFuture<'static, Result<(), Fault>> {
        Box::pin(std::future::ready(Ok(())))
    }
    /// Appends what stands behind the last chunk.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// A streamed answer. A client that goes away drops `events`, and with it what produces them.
pub(super) fn response(
    events: Events<ConverseStreamOutput>,
    encoder: Box<dyn StreamEncoder>,
    frames: impl Frames,
    extra: &[(&'static str, String)],
) -> Response<Body> {
    let writer = Writer { encoder: Timed::new(encoder, Instant::now()), frames, chunks: Vec::new() };
    let state = Some((events.ready_chunks(TOGETHER), writer));
    let pieces = futures_util::stream::unfold(state, |state| async move {
        let (mut events, mut writer) = state?;
        let mut out = Vec::with_capacity(1024);
        let Some(ready) = events.next().await else {
            match writer.frames.keep().await {
                Ok(()) => writer.frames.end(&mut out),
                Err(fault) => writer.frames.fault(&fault, &mut out),
            }
            return Some((Ok(Bytes::from(out)), None));
        };
        for event in ready {
            match event {
                Ok(event) => writer.event(&event, &mut out),
                Err(fault) => {
                    tracing::info!(%fault, "a streamed answer failed");
                    writer.frames.fault(&fault, &mut out);
                    return Some((Ok(Bytes::from(out)), None));
                }
            }
        }
        Some((Ok(Bytes::from(out)), Some((events, writer))))
    });
    let mut response = Response::new(Body::stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    super::headers(&mut response, extra);
    response
}

/// One event; `name` where the protocol names them.
pub(super) fn event(name: Option<&str>, data: &Value, out: &mut Vec<u8>) {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    // JSON has no raw line break that could end the event.
    if serde_json::to_writer(&mut *out, data).is_err() {
        tracing::error!("an event could not be written");
    }
    out.extend_from_slice(b"\n\n");
}

struct Writer<F> {
    encoder: Timed,
    frames: F,
    chunks: Vec<Value>,
}

impl<F: Frames> Writer<F> {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<u8>) {
        self.encoder.write(event, &mut self.chunks);
        for mut chunk in self.chunks.drain(..) {
            // Bedrock's own member; these protocols do not have it.
            if let Value::Object(members) = &mut chunk {
                members.remove(METRICS);
            }
            self.frames.chunk(chunk, out);
        }
    }
}
