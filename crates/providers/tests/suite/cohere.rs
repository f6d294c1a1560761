//! Cohere's API, as its reference has it (docs.cohere.com/v2/reference/chat and chat-stream, reference/errors).

mod endpoints;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outcrop_providers::{Kind, ProviderSettings, Secret};
use serde_json::{Value, json};

use crate::fake::{Reply, Seen};
use crate::speaks::{Asked, Block, Choice, Counts, KEY, Lacks, Said, Speaks, Stop, Trouble, Turn};

pub struct Cohere;

suite!(crate::cohere::Cohere);

impl Speaks for Cohere {
    fn settings(&self, url: &str) -> ProviderSettings {
        ProviderSettings {
            name: "cohere".into(),
            kind: Kind::Cohere,
            url: Some(url.to_owned()),
            api_key: Some(Secret::new(KEY)),
            ..ProviderSettings::default()
        }
    }

    fn model(&self) -> &'static str {
        "command-a-03-2025"
    }

    fn asked(&self, seen: &Seen) -> Asked {
        assert_eq!(seen.path, "/v2/chat");
        let body = seen.json();
        let mut asked = Asked {
            model: body["model"].as_str().unwrap().into(),
            stream: body["stream"] == true,
            schema: body.pointer("/response_format/json_schema").cloned(),
            stop: list(&body["stop_sequences"]).map(|stop| stop.as_str().unwrap().into()).collect(),
            max_tokens: body["max_tokens"].as_u64(),
            temperature: body["temperature"].as_f64(),
            key: seen.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").map(str::to_owned),
            ..Asked::default()
        };
        for message in list(&body["messages"]) {
            match message["role"].as_str().unwrap() {
                "system" => asked.system = message["content"].as_str().unwrap().into(),
                role => asked.turns.push(turn(role, message)),
            }
        }
        for tool in list(&body["tools"]) {
            let function = &tool["function"];
            asked.tools.push((function["name"].as_str().unwrap().into(), function["parameters"].clone()));
        }
        asked.choice = match (body["tool_choice"].as_str(), asked.tools.as_slice()) {
            // There is no other way to name a tool.
            (Some("REQUIRED"), [(only, _)]) => Some(Choice::Named(only.clone())),
            (Some("REQUIRED"), _) => Some(Choice::Any),
            (None, _) => None,
            (other, _) => panic!("{other:?}"),
        };
        asked
    }

    fn whole(&self, said: &Said) -> Bytes {
        let mut message = json!({"role": "assistant"});
        let (mut content, mut calls) = (Vec::new(), Vec::new());
        let plans = planned(said);
        for block in &said.blocks {
            match block {
                Block::Text(text) if plans => message["tool_plan"] = (*text).into(),
                Block::Text(text) => content.push(json!({"type": "text", "text": text})),
                Block::Reasoning(text) => content.push(json!({"type": "thinking", "thinking": text})),
                Block::Call(id, name, input) => calls.push(json!({
                    "id": id, "type": "function", "function": {"name": name, "arguments": input.to_string()},
                })),
            }
        }
        if plans {
            message["tool_calls"] = calls.into();
        } else {
            message["content"] = content.into();
        }
        let body = json!({"id": "c14c80c3", "finish_reason": ending(said.stop), "message": message, "usage": usage(&said.usage)});
        body.to_string().into()
    }

    fn chunks(&self, said: &Said) -> Vec<Bytes> {
        let start = json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
        let mut out = vec![json!({"type": "message-start", "id": "c14c80c3", "delta": {"message": start}})];
        let plans = planned(said);
        for (index, block) in said.blocks.iter().enumerate() {
            let content = |kind: &str, part: Value| json!({"type": kind, "index": index, "delta": {"message": {"content": part}}});
            match block {
                Block::Text(text) if plans => {
                    let delta = |piece| json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}});
                    out.extend(pieces(text).into_iter().map(delta));
                }
                Block::Text(text) => {
                    out.push(content("content-start", json!({"type": "text", "text": ""})));
                    let delta = |piece| content("content-delta", json!({"text": piece}));
                    out.extend(pieces(text).into_iter().map(delta));
                    out.push(json!({"type": "content-end", "index": index}));
                }
                Block::Reasoning(text) => {
                    out.push(content("content-start", json!({"type": "thinking", "thinking": ""})));
                    let delta = |piece| content("content-delta", json!({"thinking": piece}));
                    out.extend(pieces(text).into_iter().map(delta));
                    out.push(json!({"type": "content-end", "index": index}));
                }
                Block::Call(id, name, input) => {
                    let call = |kind: &str, part: Value| json!({"type": kind, "index": index, "delta": {"message": {"tool_calls": part}}});
                    let function = json!({"name": name, "arguments": ""});
                    out.push(call("tool-call-start", json!({"id": id, "type": "function", "function": function})));
                    // A call without arguments comes without a fragment.
                    if input.as_object().is_some_and(|input| !input.is_empty()) {
                        let delta = |piece| call("tool-call-delta", json!({"function": {"arguments": piece}}));
                        out.extend(pieces(&input.to_string()).into_iter().map(delta));
                    }
                    out.push(json!({"type": "tool-call-end", "index": index}));
                }
            }
        }
        let end = json!({"finish_reason": ending(said.stop), "usage": usage(&said.usage)});
        out.push(json!({"type": "message-end", "id": "c14c80c3", "delta": end}));
        out.iter().map(event).collect()
    }

    fn refusal(&self, trouble: &Trouble) -> Reply {
        let (status, message) = match trouble {
            Trouble::Request(why) => (400, (*why).to_owned()),
            Trouble::TooLong => {
                (400, "too many tokens: size limit exceeded by 2000 tokens. Try using shorter inputs.".into())
            }
            Trouble::Key => (401, format!("invalid api token {KEY}")),
            Trouble::Forbidden => (403, "this key may not".into()),
            Trouble::NoModel => (404, "model 'command-9' not found, make sure the correct model ID was used".into()),
            Trouble::Throttled(_) => (429, "You are past the per minute request limit.".into()),
            Trouble::Overloaded => (503, "service unavailable".into()),
            Trouble::Failed => (500, "internal server error".into()),
        };
        let reply = Reply::status(status, "application/json", json!({"id": "8a7f", "message": message}).to_string());
        match trouble {
            Trouble::Throttled(Some(seconds)) => reply.with("retry-after", &seconds.to_string()),
            _ => reply,
        }
    }

    fn refusal_within(&self, _: &Trouble) -> Option<Bytes> {
        let delta = json!({"finish_reason": "ERROR", "error": "something went wrong"});
        Some(event(&json!({"type": "message-end", "delta": delta})))
    }

    fn lacks(&self) -> &'static [Lacks] {
        &[Lacks::WhichStop]
    }
}

fn event(data: &Value) -> Bytes {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap()).into()
}

/// Text before calls is their plan.
fn planned(said: &Said) -> bool {
    said.blocks.iter().any(|block| matches!(block, Block::Call(..)))
}

fn turn(role: &str, message: &Value) -> Turn {
    let mut turn = Turn { role: role.into(), ..Turn::default() };
    let text = match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let mut texts = Vec::new();
            for part in parts {
                match part["type"].as_str().unwrap() {
                    "text" => texts.push(part["text"].as_str().unwrap()),
                    _ => {
                        let url = part["image_url"]["url"].as_str().unwrap();
                        let (kind, data) = url.strip_prefix("data:image/").unwrap().split_once(";base64,").unwrap();
                        turn.images.push((kind.into(), STANDARD.decode(data).unwrap()));
                    }
                }
            }
            texts.join("\n")
        }
        _ => message["tool_plan"].as_str().unwrap_or_default().into(),
    };
    match message["tool_call_id"].as_str() {
        Some(id) => turn.results.push((id.into(), text)),
        None => turn.text = text,
    }
    for call in list(&message["tool_calls"]) {
        let arguments = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
        let name = call["function"]["name"].as_str().unwrap();
        turn.calls.push((call["id"].as_str().unwrap().into(), name.into(), arguments));
    }
    turn
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn pieces(text: &str) -> Vec<String> {
    text.chars().collect::<Vec<_>>().chunks(5).map(|piece| piece.iter().collect()).collect()
}

fn ending(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "COMPLETE",
        Stop::Length => "MAX_TOKENS",
        Stop::Tools => "TOOL_CALL",
        Stop::Sequence(_) => "STOP_SEQUENCE",
        Stop::Filtered => "ERROR_TOXIC",
    }
}

/// Here what was cached is among the input.
fn usage(counts: &Counts) -> Value {
    let input = counts.input + counts.cached.unwrap_or_default();
    let tokens = json!({"input_tokens": f64::from(input), "output_tokens": f64::from(counts.output)});
    json!({"billed_units": {"input_tokens": 5, "output_tokens": 9}, "tokens": tokens, "cached_tokens": counts.cached.unwrap_or_default()})
}
