//! The Messages API, as Anthropic's reference and its guide to streaming have it (platform.claude.com/docs: api/messages,
//! build-with-claude/streaming, api/errors).

mod endpoints;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outcrop_providers::{Kind, ProviderSettings, Secret};
use serde_json::{Value, json};

use crate::fake::{Reply, Seen};
use crate::speaks::{Asked, Block, Choice, Counts, KEY, Said, Speaks, Stop, Trouble, Turn};

pub struct Anthropic;

suite!(crate::anthropic::Anthropic);

impl Speaks for Anthropic {
    fn settings(&self, url: &str) -> ProviderSettings {
        ProviderSettings {
            name: "claude".into(),
            kind: Kind::Anthropic,
            url: Some(url.to_owned()),
            api_key: Some(Secret::new(KEY)),
            ..ProviderSettings::default()
        }
    }

    fn model(&self) -> &'static str {
        "claude-opus-4-6"
    }

    fn asked(&self, seen: &Seen) -> Asked {
        assert_eq!(seen.path, "/v1/messages");
        assert_eq!(seen.headers["anthropic-version"], "2023-06-01");
        let body = seen.json();
        let schema = body.pointer("/output_config/format").map(|format| {
            assert_eq!(format["type"], "json_schema");
            format["schema"].clone()
        });
        let system: Vec<&str> = list(&body["system"]).map(|block| block["text"].as_str().unwrap()).collect();
        Asked {
            model: body["model"].as_str().unwrap().into(),
            stream: body["stream"] == true,
            system: system.join("\n"),
            turns: list(&body["messages"]).map(turn).collect(),
            tools: list(&body["tools"])
                .map(|tool| (tool["name"].as_str().unwrap().into(), tool["input_schema"].clone()))
                .collect(),
            choice: body.get("tool_choice").map(|choice| match choice["type"].as_str().unwrap() {
                "auto" => Choice::Auto,
                "any" => Choice::Any,
                _ => Choice::Named(choice["name"].as_str().unwrap().into()),
            }),
            schema,
            stop: list(&body["stop_sequences"]).map(|stop| stop.as_str().unwrap().into()).collect(),
            max_tokens: Some(body["max_tokens"].as_u64().unwrap()),
            temperature: body["temperature"].as_f64(),
            key: Some(seen.headers["x-api-key"].to_str().unwrap().into()),
        }
    }

    fn whole(&self, said: &Said) -> Bytes {
        let content: Vec<Value> = said
            .blocks
            .iter()
            .map(|block| match block {
                Block::Text(text) => json!({"type": "text", "text": text}),
                Block::Reasoning(text) => json!({"type": "thinking", "thinking": text, "signature": "c2ln"}),
                Block::Call(id, name, input) => json!({"type": "tool_use", "id": id, "name": name, "input": input}),
            })
            .collect();
        let (reason, sequence) = ending(said.stop);
        let mut message = self.message(content, usage(&said.usage, said.usage.output));
        message["stop_reason"] = reason.into();
        message["stop_sequence"] = sequence.into();
        message.to_string().into()
    }

    fn chunks(&self, said: &Said) -> Vec<Bytes> {
        let message = self.message(Vec::new(), usage(&said.usage, 1));
        let mut out = vec![event(&json!({"type": "message_start", "message": message}))];
        for (index, block) in said.blocks.iter().enumerate() {
            let (start, deltas): (Value, Vec<Value>) = match block {
                Block::Text(text) => {
                    let delta = |piece: &String| json!({"type": "text_delta", "text": piece});
                    (json!({"type": "text", "text": ""}), pieces(text).iter().map(delta).collect())
                }
                Block::Reasoning(text) => {
                    let delta = |piece: &String| json!({"type": "thinking_delta", "thinking": piece});
                    let mut deltas: Vec<Value> = pieces(text).iter().map(delta).collect();
                    deltas.push(json!({"type": "signature_delta", "signature": "c2ln"}));
                    (json!({"type": "thinking", "thinking": "", "signature": ""}), deltas)
                }
                Block::Call(id, name, input) => {
                    let mut deltas = vec![json!({"type": "input_json_delta", "partial_json": ""})];
                    // A call without arguments comes without a fragment.
                    if input.as_object().is_some_and(|input| !input.is_empty()) {
                        let delta = |piece: &String| json!({"type": "input_json_delta", "partial_json": piece});
                        deltas.extend(pieces(&input.to_string()).iter().map(delta));
                    }
                    (json!({"type": "tool_use", "id": id, "name": name, "input": {}}), deltas)
                }
            };
            let start = json!({"type": "content_block_start", "index": index, "content_block": start});
            out.push(event(&start));
            for (i, delta) in deltas.iter().enumerate() {
                out.push(event(&json!({"type": "content_block_delta", "index": index, "delta": delta})));
                if (index, i) == (0, 0) {
                    out.push(event(&json!({"type": "ping"})));
                }
            }
            out.push(event(&json!({"type": "content_block_stop", "index": index})));
        }
        let (reason, sequence) = ending(said.stop);
        let delta = json!({"stop_reason": reason, "stop_sequence": sequence});
        let usage = json!({"output_tokens": said.usage.output});
        out.push(event(&json!({"type": "message_delta", "delta": delta, "usage": usage})));
        out.push(event(&json!({"type": "message_stop"})));
        out
    }

    fn refusal(&self, trouble: &Trouble) -> Reply {
        let (status, error) = error(trouble);
        let reply = Reply::status(status, "application/json", error.to_string());
        match trouble {
            Trouble::Throttled(Some(seconds)) => reply.with("retry-after", &seconds.to_string()),
            _ => reply,
        }
    }

    fn refusal_within(&self, trouble: &Trouble) -> Option<Bytes> {
        Some(event(&error(trouble).1))
    }
}

impl Anthropic {
    fn message(&self, content: Vec<Value>, usage: Value) -> Value {
        json!({
            "id": "msg_013Zva2CMHLNnjNjJKqJ2EF", "type": "message", "role": "assistant", "model": self.model(),
            "content": content, "stop_reason": null, "stop_sequence": null, "usage": usage,
        })
    }
}

/// A named event, as the API sends them.
pub fn event(data: &Value) -> Bytes {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap()).into()
}

fn turn(message: &Value) -> Turn {
    let mut turn = Turn { role: message["role"].as_str().unwrap().into(), ..Turn::default() };
    let mut texts = Vec::new();
    for block in list(&message["content"]) {
        match block["type"].as_str().unwrap() {
            "text" => texts.push(said(block)),
            "image" => turn.images.push(image(block)),
            "tool_use" => turn.calls.push((
                block["id"].as_str().unwrap().into(),
                block["name"].as_str().unwrap().into(),
                block["input"].clone(),
            )),
            "tool_result" => {
                assert!(texts.is_empty(), "results come first");
                let mut result = Vec::new();
                for part in list(&block["content"]) {
                    match part["type"].as_str().unwrap() {
                        "text" => result.push(said(part)),
                        _ => turn.images.push(image(part)),
                    }
                }
                turn.results.push((block["tool_use_id"].as_str().unwrap().into(), result.join("\n")));
            }
            "thinking" => assert!(!block["signature"].as_str().unwrap().is_empty(), "unsigned thinking is refused"),
            "redacted_thinking" => assert!(STANDARD.decode(block["data"].as_str().unwrap()).is_ok()),
            other => panic!("{other}"),
        }
    }
    turn.text = texts.join("\n");
    turn
}

fn said(block: &Value) -> String {
    let text = block["text"].as_str().unwrap();
    assert!(!text.trim().is_empty(), "blank text is refused");
    text.into()
}

fn image(block: &Value) -> (String, Vec<u8>) {
    let source = &block["source"];
    assert_eq!(source["type"], "base64");
    let format = source["media_type"].as_str().unwrap().strip_prefix("image/").unwrap();
    (format.into(), STANDARD.decode(source["data"].as_str().unwrap()).unwrap())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn pieces(text: &str) -> Vec<String> {
    text.chars().collect::<Vec<_>>().chunks(5).map(|piece| piece.iter().collect()).collect()
}

fn ending(stop: Stop) -> (&'static str, Option<&'static str>) {
    match stop {
        Stop::End => ("end_turn", None),
        Stop::Length => ("max_tokens", None),
        Stop::Tools => ("tool_use", None),
        Stop::Sequence(text) => ("stop_sequence", Some(text)),
        Stop::Filtered => ("refusal", None),
    }
}

/// Here what was cached is beside the input.
fn usage(counts: &Counts, output: i32) -> Value {
    json!({
        "input_tokens": counts.input, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": counts.cached.unwrap_or_default(),
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output, "service_tier": "standard",
    })
}

/// The kinds of errors that the reference lists.
fn error(trouble: &Trouble) -> (u16, Value) {
    let (status, kind, message) = match trouble {
        Trouble::Request(why) => (400, "invalid_request_error", (*why).to_owned()),
        Trouble::TooLong => {
            (400, "invalid_request_error", "prompt is too long: 201000 tokens > 200000 maximum".to_owned())
        }
        Trouble::Key => (401, "authentication_error", format!("invalid x-api-key: {KEY}")),
        Trouble::Forbidden => (403, "permission_error", "Your API key does not have permission.".to_owned()),
        Trouble::NoModel => (404, "not_found_error", "model: claude-9".to_owned()),
        Trouble::Throttled(_) => (429, "rate_limit_error", "This would exceed your rate limit.".to_owned()),
        Trouble::Overloaded => (529, "overloaded_error", "Overloaded".to_owned()),
        Trouble::Failed => (500, "api_error", "Internal server error".to_owned()),
    };
    (status, json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011"}))
}
