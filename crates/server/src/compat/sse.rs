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
use outcrop_dialects::{METRICS, Metrics, StreamEncoder};
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
    let writer = Writer { encoder, frames, began: Instant::now(), first_byte: None, chunks: Vec::new() };
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
    encoder: Box<dyn StreamEncoder>,
    frames: F,
    began: Instant,
    first_byte: Option<i64>,
    chunks: Vec<Value>,
}

impl<F: Frames> Writer<F> {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<u8>) {
        if matches!(event, ConverseStreamOutput::ContentBlockStart(_) | ConverseStreamOutput::ContentBlockDelta(_)) {
            self.first_byte.get_or_insert_with(|| milliseconds(self.began));
        }
        self.encoder.event(event, &mut self.chunks);
        if let ConverseStreamOutput::Metadata(metadata) = event {
            let latency_ms = milliseconds(self.began);
            let metrics = Metrics {
                input_tokens: metadata.usage.input_tokens,
                output_tokens: metadata.usage.output_tokens,
                cache_read: metadata.usage.cache_read_input_tokens,
                cache_write: metadata.usage.cache_write_input_tokens,
                latency_ms,
                first_byte_ms: self.first_byte.unwrap_or(latency_ms),
            };
            self.encoder.finish(&metrics, &mut self.chunks);
        }
        for mut chunk in self.chunks.drain(..) {
            // Bedrock's own member; these protocols do not have it.
            if let Value::Object(members) = &mut chunk {
                members.remove(METRICS);
            }
            self.frames.chunk(chunk, out);
        }
    }
}

fn milliseconds(began: Instant) -> i64 {
    i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX)
}
