//! Streamed answers. Deltas, which are nearly all of the events, are read without a tree of values.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outcrop_api::bedrock_runtime::*;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{answer, malformed, refusal, usage};
use crate::client::{MakeId, ReadError, StreamReader};
use crate::converse::cite;

type Out = Vec<ConverseStreamOutput>;

pub(super) struct Reader {
    make_id: MakeId,
    begun: bool,
    open: Option<Open>,
    /// The number of the next block, in Converse's counting: what is passed over has none.
    next: i32,
    /// The message so far, but for its content.
    message: Map<String, Value>,
    usage: Map<String, Value>,
    /// It waits for the results of tools.
    calls: bool,
    over: bool,
}

struct Open {
    index: i64,
    kind: Kind,
    /// Something of it was told, so its end is told.
    told: bool,
}

enum Kind {
    Text,
    Thinking,
    /// What its start said of the input, until a fragment comes.
    Tool(Option<Value>),
    /// Told as a whole, or nothing to tell of.
    Whole,
}

#[derive(Deserialize)]
struct DeltaEvent<'a> {
    index: i64,
    #[serde(borrow)]
    delta: Delta<'a>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    text: Option<String>,
    #[serde(borrow, default)]
    partial_json: Cow<'a, str>,
    thinking: Option<String>,
    signature: Option<String>,
    citation: Option<Value>,
}

/// What is needed to tell a delta of a kind that is not known from one that is malformed.
#[derive(Deserialize)]
struct AnyDelta<'a> {
    #[serde(borrow)]
    delta: Tagged<'a>,
}

#[derive(Deserialize)]
struct Tagged<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Start {
    index: i64,
    content_block: Value,
}

const DELTAS: &[&str] = &["text_delta", "input_json_delta", "thinking_delta", "signature_delta", "citations_delta"];

impl Reader {
    pub(super) fn new(make_id: MakeId) -> Self {
        let (message, usage) = (Map::new(), Map::new());
        Self { make_id, begun: false, open: None, next: 0, message, usage, calls: false, over: false }
    }

    /// The message begins with its first block: an error may come before it, and then another provider may be asked.
    fn begin(&mut self, out: &mut Out) {
        if !std::mem::replace(&mut self.begun, true) {
            out.push(ConverseStreamOutput::MessageStart(MessageStartEvent { role: ConversationRole::Assistant }));
        }
    }

    fn start(&mut self, event: Start, out: &mut Out) -> Result<(), ReadError> {
        self.begin(out);
        self.close(out);
        let Value::Object(mut block) = event.content_block else { return Err(malformed(&"a block is no object")) };
        let kind = answer::text(&mut block, "type")?;
        self.open = Some(Open { index: event.index, kind: Kind::Whole, told: false });
        let (kind, first, deltas) = match kind.as_str() {
            "text" => {
                let mut deltas: Vec<_> = piece(block.remove("text")).map(ContentBlockDelta::Text).into_iter().collect();
                if let Some(Value::Array(citations)) = block.remove("citations") {
                    let known = citations.iter().filter_map(answer::citation);
                    deltas.extend(known.map(|c| ContentBlockDelta::Citation(cite(c))));
                }
                (Kind::Text, None, deltas)
            }
            "thinking" => {
                let text = piece(block.remove("thinking")).map(ReasoningContentBlockDelta::Text);
                let signature = piece(block.remove("signature")).map(ReasoningContentBlockDelta::Signature);
                let deltas = text.into_iter().chain(signature).map(ContentBlockDelta::ReasoningContent).collect();
                (Kind::Thinking, None, deltas)
            }
            "redacted_thinking" => {
                let data = piece(block.remove("data")).and_then(|data| STANDARD.decode(data).ok());
                let delta = |data: Vec<u8>| ReasoningContentBlockDelta::RedactedContent(data.into());
                let deltas = data.map(delta).map(ContentBlockDelta::ReasoningContent).into_iter().collect();
                (Kind::Whole, None, deltas)
            }
            "tool_use" | "server_tool_use" => {
                let start = answer::tool_start(&kind, &mut block, self.make_id)?;
                self.calls |= start.r#type.is_none();
                (Kind::Tool(block.remove("input")), Some(ContentBlockStart::ToolUse(start)), Vec::new())
            }
            kind if answer::is_server_result(kind) => {
                let start = ToolResultBlockStart {
                    tool_use_id: answer::text(&mut block, "tool_use_id")?,
                    r#type: Some(kind.to_owned()),
                    status: None,
                };
                let content = ToolResultBlockDelta::Json(block.remove("content").unwrap_or_default());
                (
                    Kind::Whole,
                    Some(ContentBlockStart::ToolResult(start)),
                    vec![ContentBlockDelta::ToolResult(vec![content])],
                )
            }
            _ => return Ok(()),
        };
        if let Some(open) = &mut self.open {
            open.kind = kind;
        }
        if let Some(start) = first {
            self.told();
            let event = ContentBlockStartEvent { start, content_block_index: self.next };
            out.push(ConverseStreamOutput::ContentBlockStart(event));
        }
        deltas.into_iter().for_each(|delta| self.tell(delta, out));
        Ok(())
    }

    fn told(&mut self) {
        if let Some(open) = &mut self.open {
            open.told = true;
        }
    }

    fn tell(&mut self, delta: ContentBlockDelta, out: &mut Out) {
        self.told();
        let event = ContentBlockDeltaEvent { delta, content_block_index: self.next };
        out.push(ConverseStreamOutput::ContentBlockDelta(event));
    }

    fn delta(&mut self, data: &[u8], out: &mut Out) -> Result<(), ReadError> {
        let event: DeltaEvent<'_> = match serde_json::from_slice(data) {
            Ok(event) => event,
            Err(error) => {
                let kind = serde_json::from_slice::<AnyDelta<'_>>(data).map(|any| any.delta.kind);
                return match kind {
                    Ok(kind) if !DELTAS.contains(&&*kind) => Ok(()),
                    _ => Err(ReadError::json(&error)),
                };
            }
        };
        let Some(open) = self.open.as_mut().filter(|open| open.index == event.index) else { return Ok(()) };
        let said = event.delta;
        let full = |text: Option<String>| text.filter(|text| !text.is_empty());
        let delta = match (&mut open.kind, &*said.kind) {
            (Kind::Text, "text_delta") => full(said.text).map(ContentBlockDelta::Text),
            (Kind::Text, "citations_delta") => {
                said.citation.as_ref().and_then(answer::citation).map(|c| ContentBlockDelta::Citation(cite(c)))
            }
            (Kind::Tool(input), "input_json_delta") if !said.partial_json.is_empty() => {
                *input = None;
                Some(ContentBlockDelta::ToolUse(ToolUseBlockDelta { input: said.partial_json.into_owned() }))
            }
            (Kind::Thinking, "thinking_delta") => full(said.thinking)
                .map(|text| ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text))),
            (Kind::Thinking, "signature_delta") => full(said.signature)
                .map(|text| ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Signature(text))),
            _ => None,
        };
        if let Some(delta) = delta {
            self.tell(delta, out);
        }
        Ok(())
    }

    fn close(&mut self, out: &mut Out) {
        let Some(open) = self.open.take() else { return };
        if let Kind::Tool(Some(input)) = open.kind {
            // No fragment came: the call has no arguments, or its start had them all.
            let input = if input.is_object() { input.to_string() } else { "{}".to_owned() };
            self.tell(ContentBlockDelta::ToolUse(ToolUseBlockDelta { input }), out);
        }
        if open.told {
            let event = ContentBlockStopEvent { content_block_index: self.next };
            out.push(ConverseStreamOutput::ContentBlockStop(event));
            self.next += 1;
        }
    }

    fn message_delta(&mut self, data: &[u8]) -> Result<(), ReadError> {
        let mut event = object(data)?;
        usage::overlay(&mut self.usage, event.remove("usage").unwrap_or_default());
        if let Some(Value::Object(delta)) = event.remove("delta") {
            for (key, value) in delta.iter().filter(|(_, value)| !value.is_null()) {
                self.message.insert(key.clone(), value.clone());
            }
            self.message.insert("delta".to_owned(), Value::Object(delta));
        }
        Ok(())
    }

    fn stop(&mut self, out: &mut Out) -> Result<(), ReadError> {
        self.close(out);
        let stop = self.message.get("stop_reason").and_then(Value::as_str);
        let stop_reason = answer::stop_reason(stop.ok_or_else(|| malformed(&"it has no stop_reason"))?, self.calls);
        self.begin(out);
        let usage = usage::usage(&self.usage);
        let mut message = std::mem::take(&mut self.message);
        message.insert("usage".to_owned(), Value::Object(std::mem::take(&mut self.usage)));
        let fields = Some(answer::fields(message));
        let stop = MessageStopEvent { stop_reason, additional_model_response_fields: fields };
        out.push(ConverseStreamOutput::MessageStop(stop));
        let metadata = ConverseStreamMetadataEvent { usage, ..ConverseStreamMetadataEvent::default() };
        out.push(ConverseStreamOutput::Metadata(metadata));
        self.over = true;
        Ok(())
    }
}

impl StreamReader for Reader {
    fn event(&mut self, name: &str, data: &[u8], out: &mut Out) -> Result<(), ReadError> {
        if self.over {
            return Ok(());
        }
        let tag;
        let name = if name.is_empty() {
            tag = serde_json::from_slice::<Tagged<'_>>(data).map_err(|e| ReadError::json(&e))?;
            &*tag.kind
        } else {
            name
        };
        match name {
            "content_block_delta" => self.delta(data, out),
            "content_block_start" => self.start(serde_json::from_slice(data).map_err(|e| ReadError::json(&e))?, out),
            "content_block_stop" => {
                self.close(out);
                Ok(())
            }
            "message_start" => {
                if let Some(Value::Object(mut message)) = object(data)?.remove("message") {
                    message.remove("content");
                    usage::overlay(&mut self.usage, message.remove("usage").unwrap_or_default());
                    self.message = message;
                }
                Ok(())
            }
            "message_delta" => self.message_delta(data),
            "message_stop" => self.stop(out),
            "error" => Err(ReadError::Refused(refusal(&Value::Object(object(data)?)))),
            // `ping`, and what may come yet.
            _ => Ok(()),
        }
    }

    fn prompt(&self) -> TokenUsage {
        let all = usage::usage(&self.usage);
        let total_tokens = all.total_tokens.saturating_sub(all.output_tokens);
        TokenUsage { output_tokens: 0, total_tokens, ..all }
    }

    fn end(&mut self, _: &mut Out) -> Result<(), ReadError> {
        if self.over { Ok(()) } else { Err(ReadError::Cut) }
    }
}

fn object(data: &[u8]) -> Result<Map<String, Value>, ReadError> {
    serde_json::from_slice(data).map_err(|e| ReadError::json(&e))
}

fn piece(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}
