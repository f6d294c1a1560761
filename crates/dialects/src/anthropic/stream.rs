use super::{citations, encode};
use crate::converse::{self, Fold};
use crate::{Head, METRICS, Metrics, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Value, json};

/// Writes `message_start`, then for each block `content_block_start`, `content_block_delta`… and
/// `content_block_stop`, at last `message_delta` and `message_stop`. Converse opens text and reasoning without an
/// event of their own, so the first delta does it here.
pub(super) struct Encoder {
    prefix: &'static str,
    head: Head,
    open: Option<Open>,
    stop: MessageStopEvent,
    told: bool,
}

struct Open {
    index: i32,
    kind: Kind,
}

enum Kind {
    Text,
    ToolUse,
    Thinking,
    /// A block that this dialect sends in one piece, when it is whole.
    Held(Box<Fold>),
}

impl Encoder {
    pub(super) fn new(prefix: &'static str, head: Head) -> Self {
        Self { prefix, head, open: None, stop: MessageStopEvent::default(), told: false }
    }

    fn open(&mut self, index: i32, kind: Kind, block: Option<Value>, out: &mut Vec<Value>) {
        self.close(out);
        if let Some(block) = block {
            out.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        }
        self.open = Some(Open { index, kind });
    }

    fn close(&mut self, out: &mut Vec<Value>) {
        let Some(open) = self.open.take() else { return };
        if let Kind::Held(fold) = open.kind {
            let content = fold.into_content();
            let Some(block) = content.first().and_then(encode::block) else { return };
            out.push(json!({"type": "content_block_start", "index": open.index, "content_block": block}));
        }
        out.push(json!({"type": "content_block_stop", "index": open.index}));
    }

    fn delta(&mut self, event: &ContentBlockDeltaEvent, out: &mut Vec<Value>) {
        use ReasoningContentBlockDelta as Reasoning;
        let index = event.content_block_index;
        if self.open.as_ref().is_none_or(|open| open.index != index) {
            match &event.delta {
                ContentBlockDelta::Text(text) if text.is_empty() => return,
                ContentBlockDelta::Text(_) => {
                    self.open(index, Kind::Text, Some(json!({"type": "text", "text": ""})), out);
                }
                ContentBlockDelta::Citation(_) => {
                    let block = json!({"type": "text", "text": "", "citations": []});
                    self.open(index, Kind::Text, Some(block), out);
                }
                ContentBlockDelta::ReasoningContent(Reasoning::RedactedContent(_)) => {
                    self.open(index, Kind::Held(Box::default()), None, out);
                }
                ContentBlockDelta::ReasoningContent(_) => {
                    let block = json!({"type": "thinking", "thinking": "", "signature": ""});
                    self.open(index, Kind::Thinking, Some(block), out);
                }
                _ => return,
            }
        }
        let Some(open) = &mut self.open else { return };
        let delta = match (&mut open.kind, &event.delta) {
            (Kind::Text, ContentBlockDelta::Text(text)) if !text.is_empty() => {
                json!({"type": "text_delta", "text": text})
            }
            (Kind::Text, ContentBlockDelta::Citation(delta)) => {
                let citation = citations::write(&converse::citation(delta.clone()));
                json!({"type": "citations_delta", "citation": citation})
            }
            (Kind::ToolUse, ContentBlockDelta::ToolUse(delta)) if !delta.input.is_empty() => {
                json!({"type": "input_json_delta", "partial_json": delta.input})
            }
            (Kind::Thinking, ContentBlockDelta::ReasoningContent(Reasoning::Text(text))) => {
                json!({"type": "thinking_delta", "thinking": text})
            }
            (Kind::Thinking, ContentBlockDelta::ReasoningContent(Reasoning::Signature(signature))) => {
                json!({"type": "signature_delta", "signature": signature})
            }
            (Kind::Held(fold), _) => {
                fold.push(ConverseStreamOutput::ContentBlockDelta(event.clone()));
                return;
            }
            _ => return,
        };
        out.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
    }

    /// `message_delta`, as soon as the number of tokens is known.
    fn tell(&mut self, usage: &TokenUsage, out: &mut Vec<Value>) {
        self.told = true;
        let prompt = &self.head.prompt;
        let known = prompt.input_tokens == usage.input_tokens
            && prompt.cache_read_input_tokens.unwrap_or_default() == usage.cache_read_input_tokens.unwrap_or_default();
        // The counts of the prompt are told again only where `message_start` could not know them.
        let usage = if known {
            json!({"output_tokens": usage.output_tokens})
        } else {
            encode::usage(usage, usage.output_tokens)
        };
        let fields = self.stop.additional_model_response_fields.as_ref();
        out.push(json!({
            "type": "message_delta",
            "delta": {
                "stop_reason": encode::stop_reason(&self.stop.stop_reason),
                "stop_sequence": converse::stop_sequence(fields),
            },
            "usage": usage,
        }));
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        match event {
            ConverseStreamOutput::MessageStart(_) => out.push(json!({
                "type": "message_start",
                "message": {
                    "id": encode::id(self.prefix, &self.head),
                    "type": "message",
                    "role": "assistant",
                    "model": self.head.model_id,
                    "content": [],
                    "stop_reason": null,
                    "stop_sequence": null,
                    "usage": encode::usage(&self.head.prompt, 1),
                },
            })),
            ConverseStreamOutput::ContentBlockStart(start) => {
                let index = start.content_block_index;
                match &start.start {
                    ContentBlockStart::ToolUse(tool) => {
                        let kind = encode::tool_kind(tool.r#type.as_ref());
                        let block = json!({"type": kind, "id": tool.tool_use_id, "name": tool.name, "input": {}});
                        self.open(index, Kind::ToolUse, Some(block), out);
                    }
                    ContentBlockStart::ToolResult(_) | ContentBlockStart::Image(_) => {
                        let mut fold = Box::new(Fold::new());
                        fold.push(event.clone());
                        self.open(index, Kind::Held(fold), None, out);
                    }
                    ContentBlockStart::Unset => {}
                }
            }
            ConverseStreamOutput::ContentBlockDelta(delta) => self.delta(delta, out),
            ConverseStreamOutput::ContentBlockStop(stop) => {
                if self.open.as_ref().is_some_and(|open| open.index == stop.content_block_index) {
                    self.close(out);
                }
            }
            ConverseStreamOutput::MessageStop(stop) => {
                self.close(out);
                self.stop = stop.clone();
            }
            ConverseStreamOutput::Metadata(metadata) => self.tell(&metadata.usage, out),
            ConverseStreamOutput::Unset => {}
        }
    }

    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        self.close(out);
        if !self.told {
            self.tell(&metrics.usage(), out);
        }
        out.push(json!({"type": "message_stop", METRICS: metrics.value()}));
    }
}
