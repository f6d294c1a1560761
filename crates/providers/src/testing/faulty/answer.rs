//! The bytes of answers that are in order.

use serde_json::{Value, json};

/// Words after what was asked.
const WORDS: usize = 16;

/// The text of the answer to `asked`.
pub fn text(asked: &str) -> String {
    pieces(asked).concat()
}

/// The same in the pieces of a stream.
pub(super) fn pieces(asked: &str) -> Vec<String> {
    let words = (0..WORDS).map(|at| format!(" word-{at:02}"));
    std::iter::once(format!("You said {asked:?}:"))
        .chain(words)
        .chain(std::iter::once(" and that is all.".to_owned()))
        .collect()
}

/// What a call asks.
pub(super) struct Asked {
    /// The text of the last message.
    pub text: String,
    /// Whether the answer is to be streamed.
    pub streamed: bool,
}

impl Asked {
    /// Reads the body of a request; `None` where it is no chat completion.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let content = &body["messages"].as_array()?.last()?["content"];
        let text = match content {
            Value::String(text) => text.clone(),
            parts => parts[0]["text"].as_str()?.to_owned(),
        };
        Some(Self { text, streamed: body["stream"] == true })
    }

    /// The body of a whole answer.
    pub(super) fn whole(&self) -> String {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_763_700_000, "model": "faulty",
            "choices": [{
                "index": 0, "finish_reason": "stop", "logprobs": null,
                "message": {"role": "assistant", "content": text(&self.text)},
            }],
            "usage": usage(),
        })
        .to_string()
    }

    /// The events of a streamed answer, as lines.
    pub(super) fn events(&self) -> Vec<String> {
        let chunk = |choices: Value, usage: Value| {
            let chunk = json!({
                "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_763_700_000, "model": "faulty",
                "choices": choices, "usage": usage,
            });
            format!("data: {chunk}\n\n")
        };
        let delta = |delta: Value, finish: Value| {
            chunk(json!([{"index": 0, "delta": delta, "finish_reason": finish}]), Value::Null)
        };
        let mut events = vec![delta(json!({"role": "assistant", "content": ""}), Value::Null)];
        events.extend(pieces(&self.text).iter().map(|piece| delta(json!({"content": piece}), Value::Null)));
        events.push(delta(json!({}), json!("stop")));
        events.push(chunk(json!([]), usage()));
        events.push("data: [DONE]\n\n".to_owned());
        events
    }
}

fn usage() -> Value {
    json!({"prompt_tokens": 11, "completion_tokens": 17, "total_tokens": 28})
}
