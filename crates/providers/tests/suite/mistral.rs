//! Mistral's API, as its reference has it (docs.mistral.ai/api): chat completions but for its own words.

mod endpoints;

use bytes::Bytes;
use outcrop_providers::{Kind, ProviderSettings, Secret};
use serde_json::{Value, json};

use crate::fake::{Reply, Seen};
use crate::openai::OpenAi;
use crate::speaks::{Asked, KEY, Lacks, Said, Speaks, Trouble};

pub struct Mistral;

suite!(crate::mistral::Mistral);

impl Speaks for Mistral {
    fn settings(&self, url: &str) -> ProviderSettings {
        ProviderSettings {
            name: "mistral".into(),
            kind: Kind::Mistral,
            url: Some(url.to_owned()),
            api_key: Some(Secret::new(KEY)),
            ..ProviderSettings::default()
        }
    }

    fn model(&self) -> &'static str {
        "mistral-large-latest"
    }

    fn asked(&self, seen: &Seen) -> Asked {
        let mut body = seen.json();
        assert_eq!(body.get("stream_options"), None, "Mistral refuses members that it does not know");
        if body["stream"] == true {
            body["stream_options"] = json!({"include_usage": true});
        }
        let messages = body["messages"].as_array().unwrap();
        let last = messages.last().unwrap();
        assert_eq!(last.get("prefix").is_some(), last["role"] == "assistant", "{last}");
        // The ids that the fake gave, by their order: Mistral takes nine letters and digits.
        let mut asked = OpenAi.asked(&Seen { body: body.to_string().into(), ..seen.clone() });
        let mut known: Vec<String> = Vec::new();
        let mut named = |id: &mut String| {
            assert!(id.len() == 9 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
            let at = known.iter().position(|one| one == id).unwrap_or_else(|| {
                known.push(id.clone());
                known.len() - 1
            });
            *id = format!("call_{}", at + 1);
        };
        for turn in &mut asked.turns {
            turn.calls.iter_mut().for_each(|(id, ..)| named(id));
            turn.results.iter_mut().for_each(|(id, _)| named(id));
        }
        asked
    }

    fn whole(&self, said: &Said) -> Bytes {
        let mut body: Value = serde_json::from_slice(&OpenAi.whole(said)).unwrap();
        let choice = &mut body["choices"][0];
        choice.as_object_mut().unwrap().remove("stop_reason");
        chunked(&mut choice["message"]);
        body.to_string().into()
    }

    fn chunks(&self, said: &Said) -> Vec<Bytes> {
        let mut out = Vec::new();
        for chunk in OpenAi.chunks(said) {
            let text = std::str::from_utf8(&chunk).unwrap();
            let Some((before, data)) = text.split_once("data: ") else { continue };
            let Ok(mut data) = serde_json::from_str::<Value>(data) else {
                out.push(chunk);
                continue;
            };
            for choice in data["choices"].as_array_mut().unwrap() {
                choice.as_object_mut().unwrap().remove("stop_reason");
                chunked(&mut choice["delta"]);
            }
            out.push(format!("{before}data: {data}\n\n").into());
        }
        out
    }

    fn refusal(&self, trouble: &Trouble) -> Reply {
        let (status, kind, message, code): (u16, &str, Value, Option<&str>) = match trouble {
            Trouble::Request(why) => {
                let detail = json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "top_q"], "msg": why}]});
                (422, "invalid_request_error", detail, None)
            }
            Trouble::TooLong => {
                let text = "Prompt contains 40000 tokens, too large for model with 32768 maximum context length";
                (400, "invalid_request_prompt", text.into(), Some("3051"))
            }
            Trouble::Key => (401, "unauthorized", format!("Unauthorized: {KEY}").into(), None),
            Trouble::Forbidden => (403, "forbidden", "Forbidden".into(), None),
            Trouble::NoModel => (400, "invalid_model", "Invalid model: mistral-9".into(), Some("1500")),
            Trouble::Throttled(_) => (429, "rate_limited", "Rate limit exceeded".into(), Some("1300")),
            Trouble::Overloaded => (503, "service_unavailable", "Service unavailable.".into(), None),
            Trouble::Failed => (500, "internal_server_error", "Internal server error".into(), None),
        };
        let body = json!({"object": "error", "message": message, "type": kind, "param": null, "code": code});
        let reply = Reply::status(status, "application/json", body.to_string());
        match trouble {
            Trouble::Throttled(Some(seconds)) => reply.with("retry-after", &seconds.to_string()),
            _ => reply,
        }
    }

    fn refusal_within(&self, _: &Trouble) -> Option<Bytes> {
        let error = json!({"object": "error", "message": "Service unavailable.", "type": "service_unavailable", "code": "3505"});
        Some(format!("data: {error}\n\n").into())
    }

    fn lacks(&self) -> &'static [Lacks] {
        &[Lacks::WhichStop, Lacks::Cache]
    }
}

/// Reasoning is a part of the content.
fn chunked(message: &mut Value) {
    let members = message.as_object_mut().unwrap();
    if let Some(thought) = members.remove("reasoning") {
        let mut content = vec![json!({"type": "thinking", "thinking": [{"type": "text", "text": thought}]})];
        if let Some(text) = members.get("content").and_then(Value::as_str) {
            content.push(json!({"type": "text", "text": text}));
        }
        members.insert("content".to_owned(), content.into());
    }
}
