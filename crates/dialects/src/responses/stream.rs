use super::answer::{self, item_id, text_part, thought_part};
use crate::converse::Fold;
use crate::{Head, METRICS, Metrics, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Value, json};

/// Writes `response.created`, then for each item `response.output_item.added`, its deltas and
/// `response.output_item.done`, at last `response.completed` or `response.incomplete`.
pub(super) struct Encoder {
    head: Head,
    sequence: u64,
    output: Vec<Value>,
    open: Option<Open>,
    stop: StopReason,
}

/// The item that is being written.
struct Open {
    block: i32,
    kind: Kind,
    /// What it will be, for its end tells all of it.
    fold: Fold,
    text: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Message,
    Reasoning {
        /// Its part was opened. Redacted reasoning has none.
        told: bool,
    },
    Call,
    /// Told when it is whole, or never.
    Held,
}

impl Encoder {
    pub(super) fn new(head: Head) -> Self {
        Self { head, sequence: 0, output: Vec::new(), open: None, stop: StopReason::EndTurn }
    }

    fn push(&mut self, kind: &str, mut event: Value, out: &mut Vec<Value>) {
        let mut told = json!({"type": kind, "sequence_number": self.sequence});
        if let (Some(told), Some(event)) = (told.as_object_mut(), event.as_object_mut()) {
            told.append(event);
        }
        self.sequence += 1;
        out.push(told);
    }

    /// The id of the open item.
    fn id(&self, kind: Kind) -> String {
        let prefix = match kind {
            Kind::Reasoning { .. } => "rs",
            Kind::Call => "fc",
            Kind::Message | Kind::Held => "msg",
        };
        item_id(prefix, &self.head, self.output.len())
    }

    fn part(&mut self, kind: &str, item: Kind, part: Value, out: &mut Vec<Value>) {
        let event =
            json!({"item_id": self.id(item), "output_index": self.output.len(), "content_index": 0, "part": part});
        self.push(kind, event, out);
    }

    fn begin(&mut self, block: i32, kind: Kind, out: &mut Vec<Value>) {
        self.close(out);
        let id = self.id(kind);
        let item = match kind {
            Kind::Message => {
                json!({"type": "message", "id": id, "status": "in_progress", "role": "assistant", "content": []})
            }
            Kind::Reasoning { .. } => {
                json!({"type": "reasoning", "id": id, "summary": [], "content": [], "status": "in_progress"})
            }
            // A call's item needs what its start event says.
            Kind::Call | Kind::Held => Value::Null,
        };
        if !item.is_null() {
            let event = json!({"output_index": self.output.len(), "item": item});
            self.push("response.output_item.added", event, out);
        }
        if kind == Kind::Message {
            self.part("response.content_part.added", kind, text_part(""), out);
        }
        self.open = Some(Open { block, kind, fold: Fold::new(), text: String::new() });
    }

    fn delta(&mut self, event: &ContentBlockDeltaEvent, out: &mut Vec<Value>) {
        let block = event.content_block_index;
        if self.open.as_ref().is_none_or(|open| open.block != block) {
            let kind = match &event.delta {
                ContentBlockDelta::Text(text) if text.is_empty() => return,
                ContentBlockDelta::Text(_) => Kind::Message,
                ContentBlockDelta::ReasoningContent(_) => Kind::Reasoning { told: false },
                ContentBlockDelta::Citation(_) => Kind::Held,
                _ => return,
            };
            self.begin(block, kind, out);
        }
        let Some(mut open) = self.open.take() else { return };
        open.fold.push(ConverseStreamOutput::ContentBlockDelta(event.clone()));
        let (kind, piece) = match (&mut open.kind, &event.delta) {
            (Kind::Message, ContentBlockDelta::Text(text)) => ("response.output_text.delta", text),
            (Kind::Held, ContentBlockDelta::Text(_)) => return self.open = Some(open),
            (Kind::Reasoning { told }, ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text))) => {
                if !*told && !text.is_empty() {
                    *told = true;
                    self.part("response.content_part.added", open.kind, thought_part(""), out);
                }
                ("response.reasoning_text.delta", text)
            }
            (Kind::Call, ContentBlockDelta::ToolUse(delta)) => ("response.function_call_arguments.delta", &delta.input),
            _ => return self.open = Some(open),
        };
        if !piece.is_empty() {
            open.text.push_str(piece);
            let mut told = json!({"item_id": self.id(open.kind), "output_index": self.output.len()});
            if open.kind != Kind::Call {
                told["content_index"] = 0.into();
            }
            told["delta"] = piece.as_str().into();
            if open.kind == Kind::Message {
                told["logprobs"] = json!([]);
            }
            self.push(kind, told, out);
        }
        self.open = Some(open);
    }

    fn close(&mut self, out: &mut Vec<Value>) {
        let Some(open) = self.open.take() else { return };
        let place = self.output.len();
        let content = open.fold.into_content();
        let Some(item) = content.first().and_then(|block| answer::item(&self.head, place, block)) else { return };
        let id = item["id"].clone();
        match open.kind {
            Kind::Message => {
                let event = json!({
                    "item_id": id, "output_index": place, "content_index": 0, "text": open.text, "logprobs": [],
                });
                self.push("response.output_text.done", event, out);
                self.part("response.content_part.done", open.kind, text_part(&open.text), out);
            }
            Kind::Reasoning { told: true } => {
                let event = json!({"item_id": id, "output_index": place, "content_index": 0, "text": open.text});
                self.push("response.reasoning_text.done", event, out);
                self.part("response.content_part.done", open.kind, thought_part(&open.text), out);
            }
            Kind::Reasoning { told: false } => {}
            Kind::Call => {
                let event = json!({
                    "item_id": id, "output_index": place, "name": item["name"], "arguments": item["arguments"],
                });
                self.push("response.function_call_arguments.done", event, out);
            }
            Kind::Held => self.push("response.output_item.added", json!({"output_index": place, "item": item}), out),
        }
        self.push("response.output_item.done", json!({"output_index": place, "item": item}), out);
        self.output.push(item);
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        match event {
            ConverseStreamOutput::MessageStart(_) => {
                let response = answer::begun(&self.head);
                self.push("response.created", json!({"response": response}), out);
                self.push("response.in_progress", json!({"response": response}), out);
            }
            ConverseStreamOutput::ContentBlockStart(start) => {
                let ContentBlockStart::ToolUse(tool) = &start.start else { return };
                self.begin(start.content_block_index, Kind::Call, out);
                let item = json!({
                    "type": "function_call", "id": self.id(Kind::Call), "call_id": tool.tool_use_id,
                    "name": tool.name, "arguments": "", "status": "in_progress",
                });
                let place = self.output.len();
                self.push("response.output_item.added", json!({"output_index": place, "item": item}), out);
                if let Some(open) = &mut self.open {
                    open.fold.push(event.clone());
                }
            }
            ConverseStreamOutput::ContentBlockDelta(delta) => self.delta(delta, out),
            ConverseStreamOutput::ContentBlockStop(stop) => {
                if self.open.as_ref().is_some_and(|open| open.block == stop.content_block_index) {
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

    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        self.close(out);
        let output = std::mem::take(&mut self.output);
        let response = answer::finished(&self.head, output, &self.stop, &metrics.usage());
        let kind = if response["status"] == "completed" { "response.completed" } else { "response.incomplete" };
        self.push(kind, json!({"response": response, METRICS: metrics.value()}), out);
    }
}
