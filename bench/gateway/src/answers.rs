//! What the upstream answers, written once for each pace: the bytes of each dialect, whole and streamed.
//!
//! The text is numbered words, so that a reader of any dialect can tell whether each came, once and in order.

use crate::Error;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use outcrop_wire::eventstream;
use serde_json::{Value, json};

/// Words of an answer that is not streamed.
pub const WORDS: usize = 100;

/// The word at `index`, with the blank that parts it from the next.
pub fn word(index: usize) -> String {
    format!("w{index:05} ")
}

fn text(words: usize) -> String {
    (0..words).map(word).collect()
}

/// What a request asks for, told by its path and body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/messages`.
    Messages,
    /// `/model/…/converse` and `converse-stream`.
    Converse,
    /// `/model/…/invoke` and `invoke-with-response-stream`, as Anthropic's models speak it.
    Invoke,
}

impl Dialect {
    /// The dialect of a path.
    pub fn of(target: &str) -> Option<Self> {
        let path = target.split('?').next().unwrap_or_default();
        match path.rsplit('/').next()? {
            "completions" => Some(Self::Chat),
            "messages" => Some(Self::Messages),
            "converse" | "converse-stream" => Some(Self::Converse),
            "invoke" | "invoke-with-response-stream" => Some(Self::Invoke),
            _ => None,
        }
    }

    const ALL: [Self; 4] = [Self::Chat, Self::Messages, Self::Converse, Self::Invoke];
}

/// Answers ready to be sent.
pub struct Answers {
    whole: [Vec<u8>; 4],
    streamed: [Streamed; 4],
}

/// A streamed answer as the pieces that are sent one at a time.
pub struct Streamed {
    /// The head and all up to the first word; then one piece a word; the last with all that follows.
    pub pieces: Vec<Vec<u8>>,
}

impl Answers {
    /// Answers with this many words when streamed.
    pub fn new(words: usize) -> Result<Self, Error> {
        let mut whole = Vec::new();
        let mut streamed = Vec::new();
        for dialect in Dialect::ALL {
            let body = body(dialect).to_string();
            whole.push(
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
                .into_bytes(),
            );
            streamed.push(pieces(dialect, words)?);
        }
        let none = || Error::from("a dialect is missing");
        Ok(Self { whole: whole.try_into().map_err(|_| none())?, streamed: streamed.try_into().map_err(|_| none())? })
    }

    /// The whole answer, head included.
    pub fn whole(&self, dialect: Dialect) -> &[u8] {
        &self.whole[dialect as usize]
    }

    /// The streamed answer.
    pub fn streamed(&self, dialect: Dialect) -> &Streamed {
        &self.streamed[dialect as usize]
    }
}

fn body(dialect: Dialect) -> Value {
    let text = text(WORDS);
    match dialect {
        Dialect::Chat => json!({
            "id": "chatcmpl-bench", "object": "chat.completion", "created": 1_763_700_000, "model": "bench",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "logprobs": null, "finish_reason": "stop"}],
            "usage": usage(WORDS),
        }),
        Dialect::Messages | Dialect::Invoke => json!({
            "id": "msg_bench", "type": "message", "role": "assistant", "model": "bench",
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {"input_tokens": 200, "output_tokens": WORDS},
        }),
        Dialect::Converse => json!({
            "output": {"message": {"role": "assistant", "content": [{"text": text}]}}, "stopReason": "end_turn",
            "usage": {"inputTokens": 200, "outputTokens": WORDS, "totalTokens": 200 + WORDS}, "metrics": {"latencyMs": 1},
        }),
    }
}

fn usage(words: usize) -> Value {
    json!({"prompt_tokens": 200, "completion_tokens": words, "total_tokens": 200 + words})
}

fn pieces(dialect: Dialect, words: usize) -> Result<Streamed, Error> {
    let mut frames = Frames { dialect, pieces: Vec::new(), open: head(dialect) };
    match dialect {
        Dialect::Chat => {
            let chunk = |delta: Value, finish: Value| {
                json!({
                    "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_763_700_000, "model": "bench",
                    "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
                })
            };
            frames.add("", &chunk(json!({"role": "assistant", "content": ""}), Value::Null))?;
            for index in 0..words {
                frames.word("", &chunk(json!({"content": word(index)}), Value::Null))?;
            }
            frames.add("", &chunk(json!({}), json!("stop")))?;
            let mut last = chunk(json!({}), Value::Null);
            last["choices"] = json!([]);
            last["usage"] = usage(words);
            frames.add("", &last)?;
            frames.chunk(b"data: [DONE]\n\n");
        }
        Dialect::Messages | Dialect::Invoke => {
            let start = json!({"type": "message_start", "message": {
                "id": "msg_bench", "type": "message", "role": "assistant", "model": "bench", "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 200, "output_tokens": 1},
            }});
            frames.add("message_start", &start)?;
            let block =
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
            frames.add("content_block_start", &block)?;
            for index in 0..words {
                let delta = json!({"type": "text_delta", "text": word(index)});
                let delta = json!({"type": "content_block_delta", "index": 0, "delta": delta});
                frames.word("content_block_delta", &delta)?;
            }
            frames.add("content_block_stop", &json!({"type": "content_block_stop", "index": 0}))?;
            let delta = json!({"stop_reason": "end_turn", "stop_sequence": null});
            let delta = json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": words}});
            frames.add("message_delta", &delta)?;
            frames.add("message_stop", &json!({"type": "message_stop"}))?;
        }
        Dialect::Converse => {
            frames.add("messageStart", &json!({"role": "assistant"}))?;
            for index in 0..words {
                let delta = json!({"contentBlockIndex": 0, "delta": {"text": word(index)}});
                frames.word("contentBlockDelta", &delta)?;
            }
            frames.add("contentBlockStop", &json!({"contentBlockIndex": 0}))?;
            frames.add("messageStop", &json!({"stopReason": "end_turn"}))?;
            let usage = json!({"inputTokens": 200, "outputTokens": words, "totalTokens": 200 + words});
            frames.add("metadata", &json!({"usage": usage, "metrics": {"latencyMs": 1}}))?;
        }
    }
    frames.open.extend_from_slice(b"0\r\n\r\n");
    // What comes after the last word goes with it.
    let rest = std::mem::take(&mut frames.open);
    if let Some(last) = frames.pieces.last_mut() {
        last.extend_from_slice(&rest);
    }
    Ok(Streamed { pieces: frames.pieces })
}

fn head(dialect: Dialect) -> Vec<u8> {
    let kind = match dialect {
        Dialect::Chat | Dialect::Messages => "text/event-stream",
        Dialect::Converse | Dialect::Invoke => "application/vnd.amazon.eventstream",
    };
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes()
}

/// Events as they are written, each a chunk of its own as servers of models write them.
struct Frames {
    dialect: Dialect,
    pieces: Vec<Vec<u8>>,
    open: Vec<u8>,
}

impl Frames {
    /// An event, and with it a piece ends.
    fn word(&mut self, name: &str, data: &Value) -> Result<(), Error> {
        self.add(name, data)?;
        self.pieces.push(std::mem::take(&mut self.open));
        Ok(())
    }

    fn add(&mut self, name: &str, data: &Value) -> Result<(), Error> {
        let mut bytes = Vec::new();
        match self.dialect {
            Dialect::Chat => bytes.extend_from_slice(format!("data: {data}\n\n").as_bytes()),
            Dialect::Messages => bytes.extend_from_slice(format!("event: {name}\ndata: {data}\n\n").as_bytes()),
            Dialect::Converse => {
                eventstream::event(&mut bytes, name, "application/json", data.to_string().as_bytes())?;
            }
            Dialect::Invoke => {
                let payload = json!({"bytes": BASE64_STANDARD.encode(data.to_string())}).to_string();
                eventstream::event(&mut bytes, "chunk", "application/json", payload.as_bytes())?;
            }
        }
        self.chunk(&bytes);
        Ok(())
    }

    fn chunk(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
        self.open.extend_from_slice(bytes);
        self.open.extend_from_slice(b"\r\n");
    }
}
