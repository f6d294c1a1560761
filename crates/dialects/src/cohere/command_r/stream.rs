use super::encode;
use crate::converse::{Fold, text_delta};
use crate::{Head, METRICS, Metrics, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Value, json};

/// Writes chunks named by `event_type`. The last one carries the whole answer, so the events are added up on the way.
pub(super) struct Encoder {
    head: Head,
    fold: Fold,
}

impl Encoder {
    pub(super) fn new(head: Head) -> Self {
        Self { head, fold: Fold::new() }
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        if let ConverseStreamOutput::MessageStart(_) = event {
            let id = &self.head.message_id;
            out.push(json!({"event_type": "stream-start", "is_finished": false, "generation_id": id}));
        }
        if let Some(text) = text_delta(event) {
            out.push(json!({"event_type": "text-generation", "is_finished": false, "text": text}));
        }
        self.fold.push(event.clone());
    }

    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        let answer = std::mem::take(&mut self.fold).finish();
        let response = answer.map(|answer| encode::answer(&self.head, &answer)).unwrap_or_default();
        for (kind, key) in [("citation-generation", "citations"), ("tool-calls-generation", "tool_calls")] {
            if let Some(found) = response.get(key) {
                out.push(json!({"event_type": kind, "is_finished": false, key: found}));
            }
        }
        out.push(json!({
            "event_type": "stream-end",
            "is_finished": true,
            "finish_reason": response["finish_reason"],
            "response": response,
            METRICS: metrics.value(),
        }));
    }
}
