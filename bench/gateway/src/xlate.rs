//! The least that Converse in and chat completions out need: the JSON of both rewritten as `serde_json::Value`.

use crate::Error;
use serde_json::{Map, Value, json};

/// The chat completion that a Converse request asks for.
pub fn request(body: &[u8], streamed: bool) -> Result<Vec<u8>, Error> {
    let mut converse: Value = serde_json::from_slice(body)?;
    let mut messages = Vec::new();
    if let Some(system) = converse.get_mut("system") {
        messages.push(json!({"role": "system", "content": text(system.take())}));
    }
    for mut message in array(converse.get_mut("messages")) {
        messages.push(json!({"role": message["role"].take(), "content": text(message["content"].take())}));
    }
    let mut chat = Map::new();
    chat.insert("model".into(), "bench".into());
    chat.insert("messages".into(), messages.into());
    if let Some(config) = converse.get_mut("inferenceConfig") {
        for (theirs, ours) in
            [("maxTokens", "max_tokens"), ("temperature", "temperature"), ("topP", "top_p"), ("stopSequences", "stop")]
        {
            if let Some(value) = config.get_mut(theirs) {
                chat.insert(ours.into(), value.take());
            }
        }
    }
    if streamed {
        chat.insert("stream".into(), true.into());
        chat.insert("stream_options".into(), json!({"include_usage": true}));
    }
    Ok(serde_json::to_vec(&chat)?)
}

/// The Converse answer that a chat completion is.
pub fn answer(body: &[u8], milliseconds: u64) -> Result<Vec<u8>, Error> {
    let mut chat: Value = serde_json::from_slice(body)?;
    let choice = chat.pointer_mut("/choices/0").ok_or("no choice in the answer")?;
    let stop = stop_reason(choice["finish_reason"].as_str());
    let text = choice["message"]["content"].take();
    Ok(serde_json::to_vec(&json!({
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": stop,
        "usage": usage(&chat["usage"]),
        "metrics": {"latencyMs": milliseconds},
    }))?)
}

/// Bedrock's word for why an answer ended.
pub fn stop_reason(finish: Option<&str>) -> &'static str {
    match finish {
        Some("length") => "max_tokens",
        Some("tool_calls") => "tool_use",
        Some("content_filter") => "content_filtered",
        _ => "end_turn",
    }
}

/// Bedrock's shape of what an answer cost.
pub fn usage(chat: &Value) -> Value {
    let (input, output) = (chat["prompt_tokens"].as_u64(), chat["completion_tokens"].as_u64());
    let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
    json!({"inputTokens": input, "outputTokens": output, "totalTokens": input + output})
}

/// The text of content blocks: a string where there is one, which is the usual case.
fn text(mut blocks: Value) -> Value {
    if let Some([block]) = blocks.as_array_mut().map(Vec::as_mut_slice) {
        return block["text"].take();
    }
    let parts = array(Some(&mut blocks)).map(|mut block| json!({"type": "text", "text": block["text"].take()}));
    Value::Array(parts.collect())
}

fn array(value: Option<&mut Value>) -> impl Iterator<Item = Value> {
    match value.map(Value::take) {
        Some(Value::Array(items)) => items.into_iter(),
        _ => Vec::new().into_iter(),
    }
}
