//! Streamed answers, from `message-start` to `message-end`.

use std::borrow::Cow;

use outcrop_api::bedrock_runtime::*;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{self, Call, Function};
use super::malformed;
use crate::client::{MakeId, ReadError, StreamReader};
use crate::converse::cite;

type Out = Vec<ConverseStreamOutput>;

pub(super) struct Reader {
    make_id: MakeId,
    id: Option<String>,
    begun: bool,
    open: Option<Kind>,
    /// Something of the open block was told.
    told: bool,
    next: i32,
    called: bool,
    over: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Thinking,
    Call,
}

#[derive(Deserialize)]
struct Tagged<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// A delta of content; one of another form is one of another kind, and passed over.
#[derive(Deserialize)]
struct Content {
    delta: Wrapped<ContentMessage>,
}

#[derive(Deserialize)]
struct Wrapped<T> {
    message: T,
}

#[derive(Deserialize)]
struct ContentMessage {
    content: Piece,
}

#[derive(Deserialize)]
struct Piece {
    text: Option<String>,
    thinking: Option<String>,
}

#[derive(Deserialize)]
struct Plan {
    delta: Wrapped<PlanMessage>,
}

#[derive(Deserialize)]
struct PlanMessage {
    tool_plan: String,
}

#[derive(Deserialize)]
struct CallStart {
    delta: Wrapped<CallMessage<Call>>,
}

#[derive(Deserialize)]
struct CallDelta {
    delta: Wrapped<CallMessage<CallPiece>>,
}

#[derive(Deserialize)]
struct CallMessage<T> {
    tool_calls: T,
}

#[derive(Deserialize)]
struct CallPiece {
    function: Function,
}

impl Reader {
    pub(super) fn new(make_id: MakeId) -> Self {
        Self { make_id, id: None, begun: false, open: None, told: false, next: 0, called: false, over: false }
    }

    /// The message begins with its first block: an error may come before it, and then another provider may be asked.
    fn begin(&mut self, out: &mut Out) {
        if !std::mem::replace(&mut self.begun, true) {
            out.push(ConverseStreamOutput::MessageStart(MessageStartEvent { role: ConversationRole::Assistant }));
        }
    }

    fn tell(&mut self, kind: Kind, delta: ContentBlockDelta, out: &mut Out) {
        self.begin(out);
        if self.open != Some(kind) {
            self.close(out);
            self.open = Some(kind);
        }
        self.told = true;
        let event = ContentBlockDeltaEvent { delta, content_block_index: self.next };
        out.push(ConverseStreamOutput::ContentBlockDelta(event));
    }

    fn close(&mut self, out: &mut Out) {
        if self.open == Some(Kind::Call) && !self.told {
            // No fragment came: the call has no arguments.
            self.tell(Kind::Call, ContentBlockDelta::ToolUse(ToolUseBlockDelta { input: "{}".to_owned() }), out);
        }
        if self.open.take().is_some() {
            let event = ContentBlockStopEvent { content_block_index: self.next };
            out.push(ConverseStreamOutput::ContentBlockStop(event));
            self.next += 1;
        }
        self.told = false;
    }

    fn piece(&mut self, piece: Piece, out: &mut Out) {
        if let Some(text) = piece.text.filter(|text| !text.is_empty()) {
            self.tell(Kind::Text, ContentBlockDelta::Text(text), out);
        }
        if let Some(text) = piece.thinking.filter(|text| !text.is_empty()) {
            let delta = ReasoningContentBlockDelta::Text(text);
            self.tell(Kind::Thinking, ContentBlockDelta::ReasoningContent(delta), out);
        }
    }

    fn call(&mut self, call: Call, out: &mut Out) -> Result<(), ReadError> {
        self.begin(out);
        self.close(out);
        self.called = true;
        let start = ToolUseBlockStart {
            tool_use_id: if call.id.is_empty() { (self.make_id)() } else { call.id },
            name: call.function.name.ok_or_else(|| malformed(&"a tool call has no name"))?,
            r#type: None,
        };
        out.push(ConverseStreamOutput::ContentBlockStart(ContentBlockStartEvent {
            start: ContentBlockStart::ToolUse(start),
            content_block_index: self.next,
        }));
        self.open = Some(Kind::Call);
        self.arguments(call.function.arguments, out);
        Ok(())
    }

    fn arguments(&mut self, fragment: Option<String>, out: &mut Out) {
        let Some(input) = fragment.filter(|text| !text.is_empty()) else { return };
        if self.open == Some(Kind::Call) {
            self.tell(Kind::Call, ContentBlockDelta::ToolUse(ToolUseBlockDelta { input }), out);
        }
    }

    fn cite(&mut self, event: &Value, out: &mut Out) {
        // One at a time, or, as the reference also has it, a list.
        let said = event.pointer("/delta/message/citations");
        let many = match said {
            Some(Value::Array(many)) => many.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        if self.open != Some(Kind::Text) {
            return;
        }
        for (_, citation) in many.iter().filter_map(answer::citation) {
            self.tell(Kind::Text, ContentBlockDelta::Citation(cite(citation)), out);
        }
    }

    fn finish(&mut self, mut event: Value, out: &mut Out) -> Result<(), ReadError> {
        let Some(mut delta) = event.get_mut("delta").map(Value::take) else {
            return Err(malformed(&"the end of the message says nothing"));
        };
        let finish_reason = delta.get("finish_reason").and_then(Value::as_str).unwrap_or_default().to_owned();
        let error = delta.get("error").and_then(Value::as_str).unwrap_or_default();
        let stop_reason = answer::stop_reason(&finish_reason, self.called, error)?;
        self.begin(out);
        self.close(out);
        let usage = delta.get_mut("usage").map(Value::take).unwrap_or_default();
        let counts = answer::counts(&usage);
        let fields = Some(answer::fields(self.id.take(), &finish_reason, usage));
        let stop = MessageStopEvent { stop_reason, additional_model_response_fields: fields };
        out.push(ConverseStreamOutput::MessageStop(stop));
        let metadata = ConverseStreamMetadataEvent { usage: counts, ..ConverseStreamMetadataEvent::default() };
        out.push(ConverseStreamOutput::Metadata(metadata));
        self.over = true;
        Ok(())
    }
}

impl StreamReader for Reader {
    fn event(&mut self, _: &str, data: &[u8], out: &mut Out) -> Result<(), ReadError> {
        // Compatible services end as OpenAI's do.
        if self.over || data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        let tagged: Tagged<'_> = serde_json::from_slice(data).map_err(|e| ReadError::json(&e))?;
        match &*tagged.kind {
            kind @ ("content-start" | "content-delta") => {
                if kind == "content-start" {
                    self.begin(out);
                    self.close(out);
                }
                let event: Content = read(data)?;
                self.piece(event.delta.message.content, out);
            }
            "tool-plan-delta" => {
                let event: Plan = read(data)?;
                let piece = Piece { text: Some(event.delta.message.tool_plan), thinking: None };
                self.piece(piece, out);
            }
            "tool-call-start" => {
                let event: CallStart = read(data)?;
                self.call(event.delta.message.tool_calls, out)?;
            }
            "tool-call-delta" => {
                let event: CallDelta = read(data)?;
                self.arguments(event.delta.message.tool_calls.function.arguments, out);
            }
            "tool-call-end" => self.close(out),
            "citation-start" => {
                let event: Value = read(data)?;
                self.cite(&event, out);
            }
            "message-start" => {
                let event: Value = read(data)?;
                self.id = event.get("id").and_then(Value::as_str).map(str::to_owned);
            }
            "message-end" => self.finish(read(data)?, out)?,
            // The end of content is told with what follows: its citations may come after it.
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Out) -> Result<(), ReadError> {
        if self.over { Ok(()) } else { Err(ReadError::Cut) }
    }
}

fn read<'a, T: Deserialize<'a>>(data: &'a [u8]) -> Result<T, ReadError> {
    serde_json::from_slice(data).map_err(|e| ReadError::json(&e))
}
