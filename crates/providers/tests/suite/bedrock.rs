//! Bedrock itself, from its server's side: Converse's JSON, frames of the event stream, and SigV4 checked with the AWS
//! SDK's own signer.

mod endpoints;
mod sigv4;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outcrop_providers::{Kind, ProviderSettings};
use outcrop_wire::eventstream;
use serde_json::{Value, json};

use crate::fake::{Reply, Seen};
use crate::speaks::{Asked, Block, Choice, Counts, KEY, Said, Speaks, Stop, Trouble, Turn};

pub struct Bedrock;

suite!(crate::bedrock::Bedrock);

impl Speaks for Bedrock {
    fn settings(&self, url: &str) -> ProviderSettings {
        sigv4::in_environment();
        ProviderSettings {
            name: "aws".into(),
            kind: Kind::Bedrock,
            url: Some(url.to_owned()),
            region: Some(sigv4::REGION.into()),
            ..ProviderSettings::default()
        }
    }

    fn model(&self) -> &'static str {
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
    }

    fn asked(&self, seen: &Seen) -> Asked {
        let path = seen.path.strip_prefix("/model/").unwrap();
        let (model, operation) = path.split_once('/').unwrap();
        assert!(matches!(operation, "converse" | "converse-stream"), "{operation}");
        assert_eq!(seen.headers["content-type"], "application/json");
        let body = seen.json();
        assert!(body.get("modelId").is_none(), "the model stands in the path");
        let system: Vec<&str> = list(&body["system"]).filter_map(|block| block["text"].as_str()).collect();
        Asked {
            model: model.replace("%3A", ":"),
            stream: operation == "converse-stream",
            system: system.join("\n"),
            turns: list(&body["messages"]).map(turn).collect(),
            tools: list(&body["toolConfig"]["tools"])
                .map(|tool| &tool["toolSpec"])
                .map(|tool| (tool["name"].as_str().unwrap().into(), tool["inputSchema"]["json"].clone()))
                .collect(),
            choice: body["toolConfig"].get("toolChoice").map(|choice| {
                match choice.as_object().unwrap().iter().next().unwrap() {
                    (name, _) if name == "auto" => Choice::Auto,
                    (name, _) if name == "any" => Choice::Any,
                    (_, named) => Choice::Named(named["name"].as_str().unwrap().into()),
                }
            }),
            schema: body
                .pointer("/outputConfig/textFormat/structure/jsonSchema/schema")
                .map(|schema| serde_json::from_str(schema.as_str().unwrap()).unwrap()),
            stop: list(&body["inferenceConfig"]["stopSequences"]).map(|stop| stop.as_str().unwrap().into()).collect(),
            max_tokens: body["inferenceConfig"]["maxTokens"].as_u64(),
            temperature: body["inferenceConfig"]["temperature"].as_f64(),
            // The secret itself never travels; who signs as it would have, has it.
            key: sigv4::proven(seen).then(|| KEY.to_owned()),
        }
    }

    fn whole(&self, said: &Said) -> Bytes {
        let content: Vec<Value> = said
            .blocks
            .iter()
            .map(|block| match block {
                Block::Text(text) => json!({"text": text}),
                Block::Reasoning(text) => {
                    json!({"reasoningContent": {"reasoningText": {"text": text, "signature": "c2ln"}}})
                }
                Block::Call(id, name, input) => json!({"toolUse": {"toolUseId": id, "name": name, "input": input}}),
            })
            .collect();
        let (reason, fields) = ending(said);
        let body = json!({
            "output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason,
            "usage": usage(&said.usage), "metrics": {"latencyMs": 551}, "additionalModelResponseFields": fields,
        });
        body.to_string().into()
    }

    fn chunks(&self, said: &Said) -> Vec<Bytes> {
        let mut out = vec![event("messageStart", &json!({"role": "assistant"}))];
        for (index, block) in said.blocks.iter().enumerate() {
            let deltas: Vec<Value> = match block {
                Block::Text(text) => pieces(text).map(|piece| json!({"text": piece})).collect(),
                Block::Reasoning(text) => pieces(text)
                    .map(|piece| json!({"reasoningContent": {"text": piece}}))
                    .chain([json!({"reasoningContent": {"signature": "c2ln"}})])
                    .collect(),
                Block::Call(id, name, input) => {
                    let start = json!({"toolUse": {"toolUseId": id, "name": name}});
                    out.push(event("contentBlockStart", &json!({"contentBlockIndex": index, "start": start})));
                    pieces(&input.to_string()).map(|piece| json!({"toolUse": {"input": piece}})).collect()
                }
            };
            for delta in deltas {
                out.push(event("contentBlockDelta", &json!({"contentBlockIndex": index, "delta": delta})));
            }
            out.push(event("contentBlockStop", &json!({"contentBlockIndex": index})));
        }
        let (reason, fields) = ending(said);
        let stop = json!({"stopReason": reason, "additionalModelResponseFields": fields});
        out.push(event("messageStop", &stop));
        let metadata = json!({"usage": usage(&said.usage), "metrics": {"latencyMs": 551}, "p": "abcdefgh"});
        out.push(event("metadata", &metadata));
        out
    }

    fn stream_type(&self) -> &'static str {
        "application/vnd.amazon.eventstream"
    }

    fn refusal(&self, trouble: &Trouble) -> Reply {
        let (status, name, message) = error(trouble);
        let body = json!({ "message": message }).to_string();
        let reply = Reply::status(status, "application/json", body)
            .with("x-amzn-errortype", &format!("{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"));
        match trouble {
            Trouble::Throttled(Some(seconds)) => reply.with("retry-after", &seconds.to_string()),
            _ => reply,
        }
    }

    fn refusal_within(&self, trouble: &Trouble) -> Option<Bytes> {
        let (_, name, message) = error(trouble);
        let member = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
        Some(exception(&member, &json!({ "message": message })))
    }
}

/// A frame of an event, as `InvokeModelWithResponseStream` and `ConverseStream` send them.
pub fn event(name: &str, payload: &Value) -> Bytes {
    let mut out = Vec::new();
    eventstream::event(&mut out, name, "application/json", payload.to_string().as_bytes()).unwrap();
    out.into()
}

/// A frame of an exception.
pub fn exception(name: &str, payload: &Value) -> Bytes {
    let mut out = Vec::new();
    eventstream::exception(&mut out, name, payload.to_string().as_bytes()).unwrap();
    out.into()
}

fn turn(message: &Value) -> Turn {
    let mut turn = Turn { role: message["role"].as_str().unwrap().into(), ..Turn::default() };
    let mut texts = Vec::new();
    for block in list(&message["content"]) {
        let (kind, block) = block.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "text" => texts.push(block.as_str().unwrap()),
            "image" => turn.images.push(image(block)),
            "toolUse" => turn.calls.push((
                block["toolUseId"].as_str().unwrap().into(),
                block["name"].as_str().unwrap().into(),
                block["input"].clone(),
            )),
            "toolResult" => {
                let parts = || list(&block["content"]);
                let texts: Vec<&str> = parts().filter_map(|part| part["text"].as_str()).collect();
                turn.results.push((block["toolUseId"].as_str().unwrap().into(), texts.join("\n")));
                turn.images.extend(parts().filter_map(|part| part.get("image")).map(image));
            }
            "reasoningContent" | "cachePoint" => {}
            other => panic!("{other}"),
        }
    }
    turn.text = texts.join("\n");
    turn
}

fn image(block: &Value) -> (String, Vec<u8>) {
    let bytes = STANDARD.decode(block["source"]["bytes"].as_str().unwrap()).unwrap();
    (block["format"].as_str().unwrap().into(), bytes)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn pieces(text: &str) -> impl Iterator<Item = String> + use<> {
    text.chars().collect::<Vec<_>>().chunks(5).map(|piece| piece.iter().collect()).collect::<Vec<_>>().into_iter()
}

/// Bedrock itself says `tool_use` of every answer that calls.
fn ending(said: &Said) -> (&'static str, Value) {
    if said.blocks.iter().any(|block| matches!(block, Block::Call(..))) {
        return ("tool_use", Value::Null);
    }
    match said.stop {
        Stop::End => ("end_turn", Value::Null),
        Stop::Length => ("max_tokens", Value::Null),
        Stop::Tools => ("tool_use", Value::Null),
        Stop::Sequence(text) => ("stop_sequence", json!({"stop_sequence": text})),
        Stop::Filtered => ("content_filtered", Value::Null),
    }
}

fn usage(counts: &Counts) -> Value {
    let mut usage = json!({"inputTokens": counts.input, "outputTokens": counts.output});
    usage["totalTokens"] = (counts.input + counts.cached.unwrap_or_default() + counts.output).into();
    if let Some(cached) = counts.cached {
        usage["cacheReadInputTokens"] = cached.into();
    }
    usage
}

fn error(trouble: &Trouble) -> (u16, &'static str, String) {
    let (status, name, message) = match trouble {
        Trouble::Request(why) => (400, "ValidationException", *why),
        Trouble::TooLong => (400, "ValidationException", "Input is too long for requested model."),
        // The whole of what was signed stands in what AWS says of a wrong signature, the session token included.
        Trouble::Key => {
            let text = format!("The Canonical String for this request should have been 'POST {} {KEY}'", sigv4::TOKEN);
            return (403, "InvalidSignatureException", text);
        }
        Trouble::Forbidden => (403, "AccessDeniedException", "You don't have access to the model."),
        Trouble::NoModel => (404, "ResourceNotFoundException", "This model version has reached the end of its life."),
        Trouble::Throttled(_) => (429, "ThrottlingException", "Too many requests, please wait before trying again."),
        Trouble::Overloaded => (503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
        Trouble::Failed => (500, "InternalServerException", "The system encountered an unexpected error."),
    };
    (status, name, message.to_owned())
}
