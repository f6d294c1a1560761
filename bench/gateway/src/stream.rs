//! A streamed chat completion, rewritten to Converse's events as it arrives.

use crate::{Error, xlate};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use outcrop_wire::eventstream;
use serde_json::{Value, json};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// The body of a ConverseStream answer.
pub struct Rewritten {
    upstream: Incoming,
    lines: Vec<u8>,
    began: Instant,
    started: bool,
}

impl Rewritten {
    /// Reads `upstream` as server-sent events.
    pub fn new(upstream: Incoming, began: Instant) -> Self {
        Self { upstream, lines: Vec::new(), began, started: false }
    }

    /// The frames for the lines that are whole.
    fn frames(&mut self, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.lines.extend_from_slice(data);
        let mut frames = Vec::new();
        let mut start = 0;
        while let Some(length) = memchr::memchr(b'\n', &self.lines[start..]) {
            let line = &self.lines[start..start + length];
            start += length + 1;
            match line.strip_prefix(b"data: ") {
                None | Some(b"[DONE]") => (),
                Some(data) => chunk(data, &mut frames, &mut self.started, self.began)?,
            }
        }
        self.lines.drain(..start);
        Ok(frames)
    }
}

fn chunk(data: &[u8], frames: &mut Vec<u8>, started: &mut bool, began: Instant) -> Result<(), Error> {
    let mut chunk: Value = serde_json::from_slice(data)?;
    if !std::mem::replace(started, true) {
        event(frames, "messageStart", &json!({"role": "assistant"}))?;
    }
    if let Some(choice) = chunk.pointer_mut("/choices/0") {
        let text = choice["delta"]["content"].take();
        if text.as_str().is_some_and(|text| !text.is_empty()) {
            event(frames, "contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"text": text}}))?;
        }
        if let Some(finish) = choice["finish_reason"].as_str() {
            event(frames, "contentBlockStop", &json!({"contentBlockIndex": 0}))?;
            event(frames, "messageStop", &json!({"stopReason": xlate::stop_reason(Some(finish))}))?;
        }
    }
    if chunk["usage"].is_object() {
        let metrics = json!({"latencyMs": began.elapsed().as_millis() as u64});
        event(frames, "metadata", &json!({"usage": xlate::usage(&chunk["usage"]), "metrics": metrics}))?;
    }
    Ok(())
}

fn event(frames: &mut Vec<u8>, name: &str, payload: &Value) -> Result<(), Error> {
    Ok(eventstream::event(frames, name, "application/json", &serde_json::to_vec(payload)?)?)
}

impl Body for Rewritten {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.upstream).poll_frame(cx)?) else { return Poll::Ready(None) };
            let Some(data) = frame.data_ref() else { continue };
            let frames = self.frames(data)?;
            if !frames.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(frames.into()))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.upstream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
