use super::encode;
use super::format::{Format, Reasoning};
use super::messages::{CLOSE, OPEN};
use crate::{Head, METRICS, Metrics, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

/// Writes `chat.completion.chunk`s.
pub(super) struct Encoder {
    format: Format,
    frame: Map<String, Value>,
    open: Option<(i32, Open)>,
    calls: u32,
    stop: StopReason,
}

/// A block that has an end of its own.
enum Open {
    Reasoning,
    Call {
        /// No argument has been written yet.
        bare: bool,
    },
    /// A call of a format that tells calls whole.
    Whole {
        call: Value,
        arguments: String,
    },
}

impl Encoder {
    pub(super) fn new(format: Format, head: Head) -> Self {
        let frame = encode::frame(&head, "chat.completion.chunk");
        Self { format, frame, open: None, calls: 0, stop: StopReason::EndTurn }
    }

    fn chunk(&self, piece: Value, ending: Option<&str>) -> Map<String, Value> {
        let mut chunk = self.frame.clone();
        let key = if self.format.whole_messages { "message" } else { "delta" };
        let choice = json!({"index": 0, key: piece, self.format.ending: ending});
        chunk.insert("choices".to_owned(), json!([choice]));
        chunk
    }

    fn push(&self, piece: Value, out: &mut Vec<Value>) {
        out.push(Value::Object(self.chunk(piece, None)));
    }

    /// A delta, or a message of its own where the format tells those.
    fn message(&self, mut piece: Value) -> Value {
        if self.format.whole_messages {
            piece["role"] = "assistant".into();
        }
        piece
    }

    fn say(&self, text: &str, out: &mut Vec<Value>) {
        if !text.is_empty() {
            self.push(self.message(json!({"content": text})), out);
        }
    }

    fn arguments(&self, fragment: &str, out: &mut Vec<Value>) {
        // Nothing but the index says which call a fragment belongs to.
        let call = json!({"index": self.calls.saturating_sub(1), "function": {"arguments": fragment}});
        self.push(json!({"tool_calls": [call]}), out);
    }

    fn close(&mut self, out: &mut Vec<Value>) {
        match self.open.take() {
            Some((_, Open::Reasoning)) => self.say(CLOSE, out),
            // A call without arguments has the arguments {}.
            Some((_, Open::Call { bare: true })) => self.arguments("{}", out),
            Some((_, Open::Call { .. })) | None => {}
            Some((_, Open::Whole { mut call, arguments })) => {
                call["function"]["arguments"] = if arguments.is_empty() { "{}".into() } else { arguments.into() };
                self.push(self.message(json!({"content": "", "tool_calls": [call]})), out);
            }
        }
    }

    fn delta(&mut self, event: &ContentBlockDeltaEvent, out: &mut Vec<Value>) {
        let index = event.content_block_index;
        match &event.delta {
            ContentBlockDelta::Text(text) => self.say(text, out),
            ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text))
                if self.format.reasoning == Reasoning::Member && !text.is_empty() =>
            {
                self.push(json!({"reasoning_content": text}), out);
            }
            ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text))
                if self.format.reasoning == Reasoning::Tagged =>
            {
                if self.open.as_ref().is_none_or(|(open, _)| *open != index) {
                    self.close(out);
                    self.open = Some((index, Open::Reasoning));
                    self.say(OPEN, out);
                }
                self.say(text, out);
            }
            ContentBlockDelta::ToolUse(delta) if !delta.input.is_empty() => match &mut self.open {
                Some((open, Open::Call { bare })) if *open == index => {
                    *bare = false;
                    self.arguments(&delta.input, out);
                }
                Some((open, Open::Whole { arguments, .. })) if *open == index => arguments.push_str(&delta.input),
                _ => {}
            },
            _ => {}
        }
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        match event {
            ConverseStreamOutput::MessageStart(_) => {
                self.push(json!({"role": "assistant", "content": ""}), out);
            }
            ConverseStreamOutput::ContentBlockStart(start) => {
                if let ContentBlockStart::ToolUse(tool) = &start.start {
                    self.close(out);
                    let call = json!({
                        "index": self.calls,
                        "id": tool.tool_use_id,
                        "type": "function",
                        "function": {"name": tool.name, "arguments": ""},
                    });
                    self.calls += 1;
                    let open = if self.format.whole_messages {
                        Open::Whole { call, arguments: String::new() }
                    } else {
                        self.push(json!({"tool_calls": [call]}), out);
                        Open::Call { bare: true }
                    };
                    self.open = Some((start.content_block_index, open));
                }
            }
            ConverseStreamOutput::ContentBlockDelta(delta) => self.delta(delta, out),
            ConverseStreamOutput::ContentBlockStop(stop) => {
                if self.open.as_ref().is_some_and(|(open, _)| *open == stop.content_block_index) {
                    self.close(out);
                }
            }
            ConverseStreamOutput::MessageStop(stop) => {
                self.close(out);
                self.stop = stop.stop_reason.clone();
            }
            ConverseStreamOutput::Metadata(_) | ConverseStreamOutput::Unset => {}
        }
    }

    /// Clients of Bedrock stop reading at the reason why it ended, so that stands beside the metrics.
    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        self.close(out);
        let nothing = if self.format.whole_messages { self.message(json!({"content": ""})) } else { json!({}) };
        let mut last = self.chunk(nothing, Some(encode::ending(&self.stop)));
        if self.format.usage_apart {
            out.push(Value::Object(last));
            last = self.frame.clone();
            last.insert("choices".to_owned(), json!([]));
        }
        last.insert("usage".to_owned(), encode::usage(&metrics.usage()));
        last.insert(METRICS.to_owned(), metrics.value());
        out.push(Value::Object(last));
    }
}
