use crate::{METRICS, Metrics, StreamEncoder, converse};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Value, json};

/// What ends the thoughts, in the words of the model's template.
const THOUGHT: &str = "\n</think>\n\n";

pub(super) fn answer(answer: &ConverseResponse) -> Value {
    let mut text = String::new();
    if let ConverseOutput::Message(message) = &answer.output {
        for block in &message.content {
            if let ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning)) = block {
                text.push_str(&reasoning.text);
            }
        }
    }
    if !text.is_empty() {
        text.push_str(THOUGHT);
    }
    text.push_str(&converse::text(answer));
    json!({"choices": [{"text": text, "stop_reason": stop_reason(&answer.stop_reason)}]})
}

fn stop_reason(reason: &StopReason) -> &'static str {
    match reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => "length",
        _ => "stop",
    }
}

#[derive(Default)]
pub(super) struct Encoder {
    thinking: bool,
    stop: StopReason,
}

impl Encoder {
    fn text(&mut self, text: &str, out: &mut Vec<Value>) {
        out.push(json!({"choices": [{"text": text, "stop_reason": null}]}));
    }

    /// The thoughts are over, also where nothing follows them.
    fn thought(&mut self, out: &mut Vec<Value>) {
        if std::mem::take(&mut self.thinking) {
            self.text(THOUGHT, out);
        }
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        if let ConverseStreamOutput::MessageStop(stop) = event {
            self.stop = stop.stop_reason.clone();
        }
        if let Some(text) = converse::text_delta(event) {
            self.thought(out);
            self.text(text, out);
        }
        if let ConverseStreamOutput::ContentBlockDelta(event) = event
            && let ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text)) = &event.delta
            && !text.is_empty()
        {
            self.thinking = true;
            self.text(text, out);
        }
    }

    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        self.thought(out);
        // Clients stop reading at the reason to stop, so it stands beside the metrics.
        let reason = stop_reason(&self.stop);
        out.push(json!({"choices": [{"text": "", "stop_reason": reason}], METRICS: metrics.value()}));
    }
}
