use super::shape;
use crate::DialectError;
use crate::body::{Node, parse};
use outcrop_api::bedrock_runtime::*;
use outcrop_wire::decode::{Problems, body};
use outcrop_wire::shape::Structure;
use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, DialectError>;

pub(super) fn request(bytes: &[u8]) -> Result<ConverseRequest> {
    let value = parse(bytes)?;
    let root = Node::root(&value);
    root.only(&["schemaVersion", "system", "messages", "inferenceConfig", "toolConfig"])?;
    if let Some(version) = root.get("schemaVersion")? {
        version.one_of(&["messages-v1"])?;
    }
    let mut out = Map::new();
    if let Some(system) = root.get("system")? {
        out.insert("system".to_owned(), blocks(&system, 0, &SystemContentBlock::default())?);
    }
    let mut messages = Vec::new();
    for message in root.required("messages")?.items(1, usize::MAX)? {
        message.only(&["role", "content"])?;
        let role = message.required("role")?.one_of(&["user", "assistant"])?;
        let content = blocks(&message.required("content")?, 1, &ContentBlock::default())?;
        messages.push(json!({"role": role, "content": content}));
    }
    out.insert("messages".to_owned(), messages.into());
    if let Some(tools) = root.get("toolConfig")? {
        shape::check(&tools, ToolConfiguration::default().shape(), &[])?;
        out.insert("toolConfig".to_owned(), tools.value.clone());
    }
    let (inference, fields) = inference(root.get("inferenceConfig")?)?;

    let mut request = ConverseRequest::default();
    let mut problems = Problems::default();
    let read = body(Value::Object(out).to_string().as_bytes(), &mut request, &mut problems);
    if let Some(why) = read.err().map(|e| e.to_string()).or_else(|| problems.message()) {
        return Err(root.refuse(why));
    }
    request.inference_config = Some(inference);
    request.additional_model_request_fields = (!fields.is_empty()).then_some(Value::Object(fields));
    Ok(request)
}

/// A list of content blocks as Converse has it: a cache point inside a text block stands after it.
fn blocks(list: &Node, least: usize, block: &dyn Structure) -> Result<Value> {
    let mut out = Vec::new();
    for item in list.items(least, usize::MAX)? {
        let (text, point) = (item.get("text")?, item.get("cachePoint")?);
        if let (Some(text), Some(point)) = (text, point) {
            item.only(&["text", "cachePoint"])?;
            text.string()?;
            shape::check(&point, CachePointBlock::default().shape(), &[])?;
            out.push(json!({"text": text.value}));
            out.push(json!({"cachePoint": point.value}));
        } else {
            shape::check(&item, block.shape(), super::ABSENT)?;
            out.push(item.value.clone());
        }
    }
    Ok(out.into())
}

/// `inferenceConfig`, and of it what Converse has no place for. Early samples write the names in snake case.
fn inference(node: Option<Node>) -> Result<(InferenceConfiguration, Map<String, Value>)> {
    // The documented defaults of the format, not those of the model behind it.
    let mut out = InferenceConfiguration { temperature: Some(0.7), top_p: Some(0.9), ..Default::default() };
    let mut fields = Map::new();
    let Some(node) = node else { return Ok((out, fields)) };
    node.only(&[
        "maxTokens",
        "max_new_tokens",
        "temperature",
        "topP",
        "top_p",
        "topK",
        "top_k",
        "stopSequences",
        "reasoningConfig",
    ])?;
    let either = |one: &str, other: &str| -> Result<Option<Node>> { Ok(node.get(one)?.or(node.get(other)?)) };
    if let Some(config) = node.get("reasoningConfig")? {
        config.only(&["type", "maxReasoningEffort"])?;
        let kind = config.required("type")?.one_of(&["enabled", "disabled"])?;
        if let Some(effort) = config.get("maxReasoningEffort")? {
            effort.one_of(&["low", "medium", "high"])?;
        }
        if kind == "enabled" {
            // A reasoning model refuses both at its highest effort.
            (out.temperature, out.top_p) = (None, None);
        }
        fields.insert("reasoningConfig".to_owned(), config.value.clone());
    }
    if let Some(tokens) = either("maxTokens", "max_new_tokens")? {
        out.max_tokens = i32::try_from(tokens.integer(1, i64::from(i32::MAX))?).ok();
    }
    if let Some(temperature) = node.get("temperature")? {
        out.temperature = Some(temperature.number(0.0, 1.0)?);
    }
    if let Some(p) = either("topP", "top_p")? {
        out.top_p = Some(p.number(0.0, 1.0)?);
    }
    if let Some(k) = either("topK", "top_k")? {
        fields.insert("inferenceConfig".to_owned(), json!({"topK": k.integer(0, 128)?}));
    }
    if let Some(stops) = node.get("stopSequences")? {
        for stop in stops.items(0, 2500)? {
            stop.text(1, usize::MAX)?;
        }
        out.stop_sequences = Some(stops.strings(2500)?);
    }
    Ok((out, fields))
}
