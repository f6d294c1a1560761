//! A format's chunks with the times that its last one tells.

use std::time::Instant;

use outcrop_api::bedrock_runtime::ConverseStreamOutput;
use outcrop_dialects::{Metrics, StreamEncoder};
use serde_json::Value;

/// Writes the events of one answer, and its metrics behind the last.
pub struct Timed {
    encoder: Box<dyn StreamEncoder>,
    began: Instant,
    first_byte: Option<i64>,
}

impl Timed {
    /// Chunks of `encoder` for a call that came at `began`.
    pub fn new(encoder: Box<dyn StreamEncoder>, began: Instant) -> Self {
        Self { encoder, began, first_byte: None }
    }

    /// Appends the chunks that `event` causes.
    pub fn write(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        if matches!(event, ConverseStreamOutput::ContentBlockStart(_) | ConverseStreamOutput::ContentBlockDelta(_)) {
            self.first_byte.get_or_insert_with(|| milliseconds(self.began));
        }
        self.encoder.event(event, out);
        if let ConverseStreamOutput::Metadata(metadata) = event {
            let latency_ms = milliseconds(self.began);
            let first_byte_ms = self.first_byte.unwrap_or(latency_ms);
            self.encoder.finish(&Metrics::new(&metadata.usage, latency_ms, first_byte_ms), out);
        }
    }
}

/// How long ago `began` was.
pub(crate) fn milliseconds(began: Instant) -> i64 {
    i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX)
}
