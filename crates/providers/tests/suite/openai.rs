//! Chat completions, as OpenAI's API reference has them (`/v1/chat/completions`, its streaming chunks and its error
//! codes), with the members that vLLM's documentation adds: `reasoning`, `stop_reason`.

mod endpoints;
mod quirks;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outcrop_providers::{Kind, ProviderSettings, Secret};
use serde_json::{Value, json};

use crate::fake::{Reply, Seen};
use crate::speaks::{Asked, Block, Choice, Counts, KEY, Said, Speaks, Stop, Trouble, Turn};

pub struct OpenAi;

suite!(crate::openai::OpenAi);

impl Speaks for OpenAi {
    fn settings(&self, url: &str) -> ProviderSettings {
        ProviderSettings {
            name: "vllm".into(),
            kind: Kind::OpenAi,
            url: Some(format!("{url}/v1")),
            api_key: Some(Secret::new(KEY)),
            ..ProviderSettings::default()
        }
    }

    fn model(&self) -> &'static str {
        "openai/gpt-oss-20b"
    }

    fn asked(&self, seen: &Seen) -> Asked {
        assert_eq!(seen.path, "/v1/chat/completions");
        let body = seen.json();
        let mut asked = Asked {
            model: body["model"].as_str().unwrap().into(),
            stream: body["stream"] == true,
            schema: body.pointer("/response_format/json_schema/schema").cloned(),
            stop: strings(&body["stop"]),
            max_tokens: body["max_tokens"].as_u64(),
            temperature: body["temperature"].as_f64(),
            key: seen.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").map(str::to_owned),
            ..Asked::default()
        };
        assert_eq!(body["stream_options"]["include_usage"] == true, asked.stream);
        for message in body["messages"].as_array().unwrap() {
            match message["role"].as_str().unwrap() {
                "system" => asked.system = message["content"].as_str().unwrap().into(),
                role => asked.turns.push(turn(role, message)),
            }
        }
        for tool in body["tools"].as_array().into_iter().flatten() {
            assert_eq!(tool["type"], "function");
            let function = &tool["function"];
            asked.tools.push((function["name"].as_str().unwrap().into(), function["parameters"].clone()));
        }
        asked.choice = match &body["tool_choice"] {
            Value::Null => None,
            Value::String(word) if word == "auto" => Some(Choice::Auto),
            Value::String(word) if word == "required" => Some(Choice::Any),
            named => Some(Choice::Named(named["function"]["name"].as_str().unwrap().into())),
        };
        asked
    }

    fn whole(&self, said: &Said) -> Bytes {
        let mut message = json!({"role": "assistant", "content": null});
        let mut calls = Vec::new();
        for block in &said.blocks {
            match block {
                Block::Text(text) => message["content"] = (*text).into(),
                Block::Reasoning(text) => message["reasoning"] = (*text).into(),
                Block::Call(id, name, input) => calls.push(json!({
                    "id": id, "type": "function", "function": {"name": name, "arguments": input.to_string()},
                })),
            }
        }
        if !calls.is_empty() {
            message["tool_calls"] = calls.into();
        }
        let (finish, matched) = ending(said.stop);
        let choice = json!({
            "index": 0, "message": message, "logprobs": null, "finish_reason": finish, "stop_reason": matched,
        });
        let body = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_790_000_000, "model": self.model(),
            "choices": [choice], "usage": usage(&said.usage), "system_fingerprint": null,
        });
        body.to_string().into()
    }

    fn chunks(&self, said: &Said) -> Vec<Bytes> {
        let mut out = vec![
            self.chunk(json!([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}])),
        ];
        let mut say = |delta: Value| {
            out.push(self.chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}])));
        };
        let mut calls = 0;
        for block in &said.blocks {
            match block {
                Block::Text(text) => pieces(text).into_iter().for_each(|piece| say(json!({"content": piece}))),
                Block::Reasoning(text) => pieces(text).into_iter().for_each(|piece| say(json!({"reasoning": piece}))),
                Block::Call(id, name, input) => {
                    let function = json!({"name": name, "arguments": ""});
                    say(json!({"tool_calls": [{"index": calls, "id": id, "type": "function", "function": function}]}));
                    for piece in pieces(&input.to_string()) {
                        say(json!({"tool_calls": [{"index": calls, "function": {"arguments": piece}}]}));
                    }
                    calls += 1;
                }
            }
        }
        let (finish, matched) = ending(said.stop);
        out.push(self.chunk(json!([{"index": 0, "delta": {}, "finish_reason": finish, "stop_reason": matched}])));
        let last = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": self.model(),
            "choices": [], "usage": usage(&said.usage),
        });
        out.push(format!(": keep-alive\n\ndata: {last}\n\n").into());
        out.push("data: [DONE]\n\n".into());
        out
    }

    fn refusal(&self, trouble: &Trouble) -> Reply {
        let (status, error) = error(trouble);
        let reply = Reply::status(status, "application/json", json!({ "error": error }).to_string());
        match trouble {
            Trouble::Throttled(Some(seconds)) => reply.with("retry-after", &seconds.to_string()),
            _ => reply,
        }
    }

    fn refusal_within(&self, trouble: &Trouble) -> Option<Bytes> {
        Some(format!("data: {}\n\n", json!({ "error": error(trouble).1 })).into())
    }
}

impl OpenAi {
    fn chunk(&self, choices: Value) -> Bytes {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": self.model(),
            "system_fingerprint": "fp_44709d6fcb", "choices": choices, "usage": null,
        });
        format!("data: {chunk}\n\n").into()
    }
}

fn turn(role: &str, message: &Value) -> Turn {
    let mut turn = Turn { role: role.into(), ..Turn::default() };
    let mut texts = Vec::new();
    match &message["content"] {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(parts) => {
            for part in parts {
                match part["type"].as_str().unwrap() {
                    "text" => texts.push(part["text"].as_str().unwrap().into()),
                    "image_url" => {
                        let url = part["image_url"]["url"].as_str().unwrap();
                        let (kind, data) = url.strip_prefix("data:image/").unwrap().split_once(";base64,").unwrap();
                        turn.images.push((kind.into(), STANDARD.decode(data).unwrap()));
                    }
                    other => panic!("{other}"),
                }
            }
        }
        Value::Null => assert!(message["tool_calls"].is_array(), "content may be null beside calls only"),
        other => panic!("{other}"),
    }
    let text = texts.join("\n");
    match message["tool_call_id"].as_str() {
        Some(id) => turn.results.push((id.into(), text)),
        None => turn.text = text,
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let arguments = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
        let name = call["function"]["name"].as_str().unwrap();
        turn.calls.push((call["id"].as_str().unwrap().into(), name.into(), arguments));
    }
    turn
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().into()).collect()
}

/// A text in pieces of a few characters.
fn pieces(text: &str) -> Vec<String> {
    text.chars().collect::<Vec<_>>().chunks(5).map(|piece| piece.iter().collect()).collect()
}

fn ending(stop: Stop) -> (&'static str, Option<&'static str>) {
    match stop {
        Stop::End => ("stop", None),
        Stop::Length => ("length", None),
        Stop::Tools => ("tool_calls", None),
        Stop::Sequence(text) => ("stop", Some(text)),
        Stop::Filtered => ("content_filter", None),
    }
}

/// Here what was cached is among the prompt.
fn usage(counts: &Counts) -> Value {
    let prompt = counts.input + counts.cached.unwrap_or_default();
    let mut usage = json!({
        "prompt_tokens": prompt, "completion_tokens": counts.output, "total_tokens": prompt + counts.output,
        "prompt_tokens_details": null,
    });
    if let Some(cached) = counts.cached {
        usage["prompt_tokens_details"] = json!({"cached_tokens": cached});
    }
    usage
}

/// The bodies that OpenAI's guide of error codes shows.
fn error(trouble: &Trouble) -> (u16, Value) {
    let (status, message, kind, code): (u16, String, &str, Option<&str>) = match trouble {
        Trouble::Request(why) => (400, (*why).into(), "invalid_request_error", None),
        Trouble::TooLong => (
            400,
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
                .into(),
            "invalid_request_error",
            Some("context_length_exceeded"),
        ),
        Trouble::Key => {
            (401, format!("Incorrect API key provided: {KEY}."), "invalid_request_error", Some("invalid_api_key"))
        }
        Trouble::Forbidden => (403, "Country, region, or territory not supported".into(), "request_forbidden", None),
        Trouble::NoModel => (
            404,
            "The model `gpt-9` does not exist or you do not have access to it.".into(),
            "invalid_request_error",
            Some("model_not_found"),
        ),
        Trouble::Throttled(_) => {
            (429, "Rate limit reached for gpt-oss.".into(), "requests", Some("rate_limit_exceeded"))
        }
        Trouble::Overloaded => (503, "The engine is currently overloaded.".into(), "server_error", None),
        Trouble::Failed => (500, "The server had an error.".into(), "server_error", None),
    };
    (status, json!({"message": message, "type": kind, "param": null, "code": code}))
}
