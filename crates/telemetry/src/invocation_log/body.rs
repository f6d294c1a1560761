//! Bodies as records show them: streams as the array of their chunks, without what is not to be delivered, and what
//! they say of tokens.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outcrop_wire::eventstream::Decoder;
use serde_json::{Map, Value};

use super::operations::Config;

/// The member of a stream's last chunk that has its counts.
const METRICS: &str = "amazon-bedrock-invocationMetrics";
/// Where answers hold vectors.
const EMBEDDINGS: [&str; 3] = ["embedding", "embeddings", "embeddingsByType"];
/// Where answers hold images, and nothing else.
const IMAGES: [&str; 2] = ["images", "artifacts"];
/// No body is deeper that was accepted; what is does not have to be read.
const DEEPEST: usize = 128;

/// A body.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    /// Empty, or not to be delivered.
    None,
    Json(Value),
    /// Not JSON.
    Bytes(Vec<u8>),
}

/// An answer, and the exception that ended it, if one did.
pub(super) fn output(kind: Option<&str>, pieces: &[Bytes]) -> (Body, Option<String>) {
    let kind = kind.unwrap_or_default();
    if kind.starts_with("application/vnd.amazon.eventstream") {
        let (chunks, error) = frames(pieces);
        return (Body::Json(chunks.into()), error);
    }
    let whole = pieces.concat();
    if kind.starts_with("text/event-stream") {
        return (Body::Json(events(&whole).into()), None);
    }
    (read(whole), None)
}

/// JSON where it is, else bytes.
pub(super) fn read(bytes: Vec<u8>) -> Body {
    match serde_json::from_slice(&bytes) {
        _ if bytes.is_empty() => Body::None,
        Ok(value) => Body::Json(value),
        Err(_) => Body::Bytes(bytes),
    }
}

/// The chunks of an event stream: of Converse, each event under its name; of InvokeModel, what its bytes hold.
fn frames(pieces: &[Bytes]) -> (Vec<Value>, Option<String>) {
    let mut decoder = Decoder::new();
    let (mut chunks, mut error) = (Vec::new(), None);
    for piece in pieces {
        decoder.feed(piece);
        while let Ok(Some(message)) = decoder.next() {
            let Some(name) = message.text(":event-type").or(message.text(":exception-type")) else { continue };
            let payload: Value = serde_json::from_slice(message.payload).unwrap_or_default();
            if message.text(":message-type") == Some("exception") {
                let mut letters = name.chars();
                let first = letters.next().map(|first| first.to_ascii_uppercase());
                error = Some(first.into_iter().chain(letters).collect());
            }
            let inner = payload["bytes"].as_str().and_then(|bytes| STANDARD.decode(bytes).ok());
            chunks.push(match inner.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                Some(chunk) if name == "chunk" => chunk,
                _ => Value::Object(Map::from_iter([(name.to_owned(), payload)])),
            });
        }
    }
    (chunks, error)
}

/// The chunks of server-sent events.
fn events(bytes: &[u8]) -> Vec<Value> {
    let lines = bytes.split(|b| *b == b'\n').filter_map(|line| line.strip_prefix(b"data: "));
    lines.filter_map(|data| serde_json::from_slice(data).ok()).collect()
}

/// Input, output, cache read and cache written, as far as an answer says them. Later chunks of a stream know better.
pub(super) fn counts(body: &Body) -> [Option<u64>; 4] {
    let Body::Json(value) = body else { return [None; 4] };
    let mut counts = [None; 4];
    let one = std::slice::from_ref(value);
    for chunk in value.as_array().map_or(one, Vec::as_slice) {
        let usages = [
            &chunk["usage"],
            &chunk["metadata"]["usage"],
            &chunk["message"]["usage"],
            &chunk["response"]["usage"],
            &chunk[METRICS],
        ];
        for usage in usages.into_iter().filter(|usage| usage.is_object()) {
            let names: [&[&str]; 4] = [
                &["inputTokens", "inputTokenCount", "input_tokens", "prompt_tokens"],
                &["outputTokens", "outputTokenCount", "output_tokens", "completion_tokens"],
                &["cacheReadInputTokens", "cacheReadInputTokenCount", "cache_read_input_tokens"],
                &["cacheWriteInputTokens", "cacheWriteInputTokenCount", "cache_creation_input_tokens"],
            ];
            for (count, names) in counts.iter_mut().zip(names) {
                *count = names.iter().find_map(|name| usage[*name].as_u64()).or(*count);
            }
        }
    }
    counts
}

/// Takes out of a call's bodies what its account does not want delivered.
pub(super) fn withhold(config: &Config, input: &mut Body, output: &mut Body) {
    let off = |flag: Option<bool>| flag == Some(false);
    let vectors = is(output, &EMBEDDINGS) || holds_vectors(output);
    let images = is(output, &IMAGES);
    if off(config.text) {
        *input = Body::None;
        if !vectors && !images {
            *output = Body::None;
        }
    }
    if vectors && off(config.embedding) || images && off(config.image) {
        *output = Body::None;
    }
    let media: Vec<&str> = [("image", config.image), ("video", config.video), ("audio", config.audio)]
        .into_iter()
        .filter(|(_, flag)| off(*flag))
        .map(|(name, _)| name)
        .collect();
    if media.is_empty() {
        return;
    }
    for body in [input, output] {
        if let Body::Json(value) = body {
            strip(value, &media, 0);
        }
    }
}

fn is(body: &Body, members: &[&str]) -> bool {
    matches!(body, Body::Json(Value::Object(map)) if members.iter().any(|member| map.contains_key(*member)))
}

/// As OpenAI's door answers.
fn holds_vectors(body: &Body) -> bool {
    matches!(body, Body::Json(value) if value["data"][0]["object"] == "embedding")
}

/// Takes the data out of every image, video or sound: Converse's blocks are named by what they are (`image`), those of
/// other protocols say it in their `type` (`image`, `image_url`, `input_image`), Titan's and Nova's members end in it
/// (`inputImage`). What remains says that there was one.
fn strip(value: &mut Value, media: &[&str], depth: usize) {
    if depth > DEEPEST {
        *value = Value::Null;
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, media, depth + 1)),
        Value::Object(map) => {
            let kind = map.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            let typed = media.iter().any(|medium| kind.contains(medium));
            for (name, member) in map.iter_mut() {
                let lower = name.to_ascii_lowercase();
                let named =
                    media.iter().any(|medium| lower.ends_with(medium) || lower.ends_with(&format!("{medium}_url")));
                let data = matches!(lower.as_str(), "source" | "data" | "bytes" | "url");
                match member {
                    Value::String(_) if named && !lower.eq("type") || typed && data => *member = Value::Null,
                    Value::Object(inner) if named => {
                        for data in ["source", "data", "bytes", "url", "uri"] {
                            if let Some(data) = inner.get_mut(data) {
                                *data = Value::Null;
                            }
                        }
                    }
                    Value::Object(_) if typed && data => *member = Value::Null,
                    _ => strip(member, media, depth + 1),
                }
            }
        }
        _ => {}
    }
}
