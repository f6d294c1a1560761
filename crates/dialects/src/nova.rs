//! Amazon Nova: `nova`, schema `messages-v1`. Body, answer and chunks are Converse's own shapes, with three
//! differences: a cache point may stand inside a text block, `topK` and `reasoningConfig` stand in `inferenceConfig`
//! (Converse callers put them into `additionalModelRequestFields`), and the cache counts have names of their own.

mod decode;
mod encode;
mod shape;

use crate::request::{self, no_block, no_place, put};
use crate::{ChatDialect, DialectError, Head, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use outcrop_wire::shape::Structure;
use serde_json::{Map, Value, json};

/// The dialect.
pub struct Nova;

impl ChatDialect for Nova {
    fn name(&self) -> &'static str {
        "nova"
    }

    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        decode::request(body)
    }

    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        let places = ["messages", "system", "inferenceConfig", "toolConfig", "additionalModelRequestFields"];
        request::only(request, &places)?;
        speakable(request)?;
        let Value::Object(mut said) = written(request) else { return Err(no_place("messages")) };
        let mut body = Map::new();
        put(&mut body, "schemaVersion", Some("messages-v1"));
        for key in ["system", "messages", "inferenceConfig", "toolConfig"] {
            put(&mut body, key, said.remove(key));
        }
        for message in body.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
            cache_points(&mut message["content"]);
        }
        cache_points(body.get_mut("system").unwrap_or(&mut Value::Null));
        let mut fields = said.remove("additionalModelRequestFields").unwrap_or_else(|| json!({}));
        if let Some(reasoning) = fields.as_object_mut().and_then(|fields| fields.remove("reasoningConfig")) {
            request::merge(&mut body, Some(&json!({"inferenceConfig": {"reasoningConfig": reasoning}})))?;
        }
        request::merge(&mut body, Some(&fields))?;
        Ok(Value::Object(body))
    }

    fn encode(&self, _: &Head, answer: &ConverseResponse) -> Value {
        encode::answer(answer)
    }

    fn stream(&self, _: Head) -> Box<dyn StreamEncoder> {
        Box::new(encode::Encoder::default())
    }
}

/// A shape as its JSON.
fn written(shape: &dyn Structure) -> Value {
    crate::body::parse(&outcrop_wire::encode::body(shape, Vec::new())).unwrap_or_default()
}

/// Content blocks of Converse that the format does not have.
const ABSENT: &[&str] = &["guardContent", "citationsContent", "searchResult", "toolAddition", "toolRemoval"];

fn speakable(request: &ConverseRequest) -> Result<(), DialectError> {
    for (i, block) in request.system.iter().flatten().enumerate() {
        if matches!(block, SystemContentBlock::GuardContent(_)) {
            return Err(no_block(&format!("system.{i}"), block));
        }
    }
    for (i, message) in request.messages.iter().flatten().enumerate() {
        if message.role == ConversationRole::System {
            return Err(no_place(format!("messages.{i}.role")));
        }
        for (n, block) in message.content.iter().enumerate() {
            if written(block).as_object().is_none_or(|b| b.keys().any(|key| ABSENT.contains(&key.as_str()))) {
                return Err(no_block(&format!("messages.{i}.content.{n}"), block));
            }
        }
    }
    Ok(())
}

/// Moves every cache point into the text block before it.
fn cache_points(content: &mut Value) {
    let Some(blocks) = content.as_array_mut() else { return };
    let mut out: Vec<Value> = Vec::with_capacity(blocks.len());
    for mut block in std::mem::take(blocks) {
        match (out.last_mut(), block.get_mut("cachePoint")) {
            (Some(Value::Object(last)), Some(point)) if last.contains_key("text") && last.len() == 1 => {
                last.insert("cachePoint".to_owned(), point.take());
            }
            _ => out.push(block),
        }
    }
    *blocks = out;
}
