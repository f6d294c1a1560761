use crate::converse::{self, prompt_tokens};
use crate::{Head, METRICS, Metrics, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Value, json};

pub(super) fn answer(answer: &ConverseResponse) -> Value {
    json!({
        "generation": converse::text(answer),
        "prompt_token_count": prompt_tokens(&answer.usage),
        "generation_token_count": answer.usage.output_tokens,
        "stop_reason": stop_reason(&answer.stop_reason),
    })
}

fn stop_reason(reason: &StopReason) -> &'static str {
    match reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => "length",
        _ => "stop",
    }
}

/// The count of the prompt stands in the first chunk only, the reason to stop in the last only.
pub(super) struct Encoder {
    prompt: Option<i32>,
    /// Pieces so far: how many tokens they are is known at the end.
    pieces: i32,
    stop: StopReason,
}

impl Encoder {
    pub(super) fn new(head: &Head) -> Self {
        Self { prompt: Some(prompt_tokens(&head.prompt)), pieces: 0, stop: StopReason::EndTurn }
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        if let ConverseStreamOutput::MessageStop(stop) = event {
            self.stop = stop.stop_reason.clone();
        }
        let Some(text) = converse::text_delta(event) else { return };
        self.pieces = self.pieces.saturating_add(1);
        out.push(json!({
            "generation": text,
            "prompt_token_count": self.prompt.take(),
            "generation_token_count": self.pieces,
            "stop_reason": null,
        }));
    }

    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        // Clients stop reading at the reason to stop, so it stands beside the metrics.
        out.push(json!({
            "generation": "",
            "prompt_token_count": self.prompt.take(),
            "generation_token_count": metrics.output_tokens,
            "stop_reason": stop_reason(&self.stop),
            METRICS: metrics.value(),
        }));
    }
}
