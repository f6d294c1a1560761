//! Shared by the golden and the property tests.
#![allow(dead_code, reason = "each test crate uses its part")]

pub mod says;

use outcrop_api::bedrock_runtime::{ConverseStreamOutput, TokenUsage};
use outcrop_dialects::{
    ChatDialect, Dialect, EmbeddingDialect, Head, ImageDialect, Metrics, NAMES, RerankDialect, StreamEncoder, by_name,
};
use outcrop_wire::decode::{self, Problems};
use outcrop_wire::encode;
use outcrop_wire::shape::Structure;
use serde_json::Value;

pub fn chat(name: &str) -> &'static dyn ChatDialect {
    match by_name(name) {
        Some(Dialect::Chat(chat)) => chat,
        _ => panic!("{name} is no chat dialect"),
    }
}

pub fn embedding(name: &str) -> &'static dyn EmbeddingDialect {
    match by_name(name) {
        Some(Dialect::Embedding(embedding)) => embedding,
        _ => panic!("{name} is no embedding dialect"),
    }
}

/// Every chat dialect.
pub fn chats() -> Vec<&'static dyn ChatDialect> {
    let known = |name: &&str| if let Some(Dialect::Chat(it)) = by_name(name) { Some(it) } else { None };
    NAMES.iter().filter_map(known).collect()
}

/// Every embedding dialect.
pub fn embeddings() -> Vec<&'static dyn EmbeddingDialect> {
    let known = |name: &&str| if let Some(Dialect::Embedding(it)) = by_name(name) { Some(it) } else { None };
    NAMES.iter().filter_map(known).collect()
}

/// Every dialect that ranks.
pub fn rerankers() -> Vec<&'static dyn RerankDialect> {
    let known = |name: &&str| if let Some(Dialect::Rerank(it)) = by_name(name) { Some(it) } else { None };
    NAMES.iter().filter_map(known).collect()
}

/// Every dialect that draws.
pub fn images() -> Vec<&'static dyn ImageDialect> {
    let known = |name: &&str| if let Some(Dialect::Image(it)) = by_name(name) { Some(it) } else { None };
    NAMES.iter().filter_map(known).collect()
}

/// The files of a dialect whose names begin with `kind`.
pub fn files(dialect: &str, kind: &str) -> Vec<(String, Value)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(dialect);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with(kind) {
            found.push((name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()));
        }
    }
    assert!(!found.is_empty(), "{dialect} has no {kind} files");
    found
}

/// The cases of a file: one or a list.
pub fn cases(file: &Value) -> Vec<Value> {
    file.as_array().cloned().unwrap_or_else(|| vec![file.clone()])
}

/// The bytes of a case's body.
pub fn body(case: &Value) -> Vec<u8> {
    match case.get("raw") {
        Some(raw) => raw.as_str().unwrap().as_bytes().to_vec(),
        None => case["body"].to_string().into_bytes(),
    }
}

/// A shape out of its JSON.
pub fn read<T: Structure + Default>(value: &Value) -> T {
    let mut shape = T::default();
    let mut problems = Problems::default();
    decode::body(value.to_string().as_bytes(), &mut shape, &mut problems).unwrap();
    assert_eq!(problems.message(), None, "in {value}");
    shape
}

/// A shape as JSON.
pub fn written(shape: &dyn Structure) -> Value {
    serde_json::from_slice(&encode::body(shape, Vec::new())).unwrap()
}

pub fn head(value: &Value) -> Head {
    Head {
        model_id: value["model"].as_str().unwrap().to_owned(),
        message_id: value["id"].as_str().unwrap().to_owned(),
        created: value["created"].as_i64().unwrap_or_default(),
        prompt: read::<TokenUsage>(&value["prompt"]),
        repeated: value["repeated"].clone(),
    }
}

pub fn metrics(value: &Value) -> Metrics {
    let count = |key: &str| value[key].as_i64().map(|n| i32::try_from(n).unwrap());
    Metrics {
        input_tokens: count("inputTokens").unwrap(),
        output_tokens: count("outputTokens").unwrap(),
        cache_read: count("cacheRead"),
        cache_write: count("cacheWrite"),
        latency_ms: value["latency"].as_i64().unwrap(),
        first_byte_ms: value["firstByte"].as_i64().unwrap(),
    }
}

pub fn chunks(mut encoder: Box<dyn StreamEncoder>, events: &[ConverseStreamOutput], metrics: &Metrics) -> Vec<Value> {
    let mut out = Vec::new();
    for event in events {
        encoder.event(event, &mut out);
    }
    encoder.finish(metrics, &mut out);
    out
}

/// Adds Anthropic chunks up to a message, as Anthropic's own client does.
pub fn accumulated(chunks: &[Value]) -> Value {
    let mut message = Value::Null;
    let mut fragments = String::new();
    for chunk in chunks {
        match chunk["type"].as_str().unwrap() {
            "message_start" => message = chunk["message"].clone(),
            "content_block_start" => {
                let content = message["content"].as_array_mut().unwrap();
                assert_eq!(chunk["index"], content.len(), "blocks come in order");
                content.push(chunk["content_block"].clone());
                fragments.clear();
            }
            "content_block_delta" => {
                let index = usize::try_from(chunk["index"].as_u64().unwrap()).unwrap();
                let block = &mut message["content"][index];
                let delta = &chunk["delta"];
                match delta["type"].as_str().unwrap() {
                    "text_delta" => append(&mut block["text"], &delta["text"]),
                    "thinking_delta" => append(&mut block["thinking"], &delta["thinking"]),
                    "signature_delta" => append(&mut block["signature"], &delta["signature"]),
                    "input_json_delta" => fragments.push_str(delta["partial_json"].as_str().unwrap()),
                    "citations_delta" => {
                        if block["citations"].is_null() {
                            block["citations"] = Value::Array(Vec::new());
                        }
                        block["citations"].as_array_mut().unwrap().push(delta["citation"].clone());
                    }
                    other => panic!("{other}"),
                }
            }
            "content_block_stop" => {
                let index = usize::try_from(chunk["index"].as_u64().unwrap()).unwrap();
                if !fragments.is_empty() {
                    message["content"][index]["input"] = serde_json::from_str(&fragments).unwrap();
                }
            }
            "message_delta" => {
                message["stop_reason"] = chunk["delta"]["stop_reason"].clone();
                message["stop_sequence"] = chunk["delta"]["stop_sequence"].clone();
                for (key, count) in chunk["usage"].as_object().unwrap() {
                    message["usage"][key] = count.clone();
                }
            }
            "message_stop" => assert!(chunk["amazon-bedrock-invocationMetrics"].is_object()),
            other => panic!("{other}"),
        }
    }
    message
}

fn append(text: &mut Value, more: &Value) {
    *text = Value::String(format!("{}{}", text.as_str().unwrap(), more.as_str().unwrap()));
}
