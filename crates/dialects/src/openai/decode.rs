use super::format::{Format, Passed};
use super::{beside, messages, tools};
use crate::body::{Node, parse};
use crate::{DialectError, converse};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, DialectError>;

/// The members that every version has.
const READ: &[&str] = &["messages", "max_tokens", "temperature", "top_p", "stop", "tools", "tool_choice"];

pub(super) fn request(format: &Format, body: &[u8]) -> Result<ConverseRequest> {
    let value = parse(body)?;
    let body = Node::root(&value);
    let passing: Vec<&str> = format.passed.iter().map(|(key, _)| *key).collect();
    body.only(&[READ, format.read, &passing].concat())?;
    let mut fields = passed(format, &body)?;
    asks_for_one_answer(format, &body)?;
    let (system, messages) = messages::read(format, &body.required("messages")?)?;
    let tool_config = tools::read(format, &body, &mut fields)?;
    let mut output_config = output(&body, &mut fields)?;
    if format.read.contains(&"reasoning_effort") {
        beside::check(&body)?;
        beside::effort(&body, "reasoning_effort", &mut output_config, &mut fields)?;
    }
    Ok(ConverseRequest {
        messages: Some(messages),
        system: Some(system).filter(|s| !s.is_empty()),
        inference_config: inference(format, &body)?,
        tool_config,
        output_config,
        additional_model_request_fields: (!fields.is_empty()).then_some(Value::Object(fields)),
        ..ConverseRequest::default()
    })
}

fn passed(format: &Format, body: &Node) -> Result<Map<String, Value>> {
    let mut fields = Map::new();
    for (key, check) in format.passed {
        let Some(node) = body.get(key)? else { continue };
        match *check {
            Passed::Boolean => drop(node.boolean()?),
            Passed::Text => drop(node.string()?),
            Passed::Object => drop(node.object()?),
            Passed::Integer(low, high) => drop(node.integer(low, high)?),
            Passed::Number(low, high) => drop(node.number(low, high)?),
            Passed::Words(words) => drop(node.one_of(words)?),
        }
        fields.insert((*key).to_owned(), node.value.clone());
    }
    Ok(fields)
}

/// What would need another kind of answer than one message of text and tool calls.
fn asks_for_one_answer(format: &Format, body: &Node) -> Result<()> {
    if let Some(n) = body.get("n")?
        && n.integer(1, format.answers)? > 1
    {
        return Err(n.refuse("one answer is made for each request, leave n out or set it to 1"));
    }
    if let Some(wanted) = body.get("logprobs")?
        && wanted.boolean()?
    {
        return Err(wanted.refuse("log probabilities are not available, leave logprobs out"));
    }
    if let Some(wanted) = body.get("top_logprobs")?
        && wanted.integer(0, 20)? > 0
    {
        return Err(wanted.refuse("log probabilities are not available, leave top_logprobs out"));
    }
    // Compared with what was called by `agrees`.
    if let Some(model) = body.get("model")? {
        model.string()?;
    }
    if let Some(stream) = body.get("stream")? {
        stream.boolean()?;
    }
    if let Some(options) = body.get("stream_options")? {
        // The last chunk carries the usage in any case.
        options.only(&["include_usage", "include_obfuscation"])?;
        for key in ["include_usage", "include_obfuscation"] {
            options.get(key)?.map(|o| o.boolean()).transpose()?;
        }
    }
    Ok(())
}

fn inference(format: &Format, body: &Node) -> Result<Option<InferenceConfiguration>> {
    let (limit, temperature, top_p) = format.defaults;
    let most = |key: &str| -> Result<Option<i32>> {
        let n = body.get(key)?.map(|n| n.integer(1, format.longest)).transpose()?;
        Ok(n.and_then(|n| i32::try_from(n).ok()))
    };
    let given = match (most("max_tokens")?, most("max_completion_tokens")?) {
        (Some(old), Some(new)) if old != new => {
            return Err(DialectError::Rule(
                "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.".to_owned(),
            ));
        }
        (old, new) => new.or(old),
    };
    let config = InferenceConfiguration {
        max_tokens: given.or(limit),
        temperature: body.get("temperature")?.map(|t| t.number(0.0, format.hottest)).transpose()?.or(temperature),
        top_p: body.get("top_p")?.map(|p| p.number(0.0, 1.0)).transpose()?.or(top_p),
        stop_sequences: stops(format, body)?,
    };
    let empty = config.max_tokens.is_none()
        && config.temperature.is_none()
        && config.top_p.is_none()
        && config.stop_sequences.is_none();
    Ok((!empty).then_some(config))
}

/// One string or a list of them.
fn stops(format: &Format, body: &Node) -> Result<Option<Vec<String>>> {
    let Some(stop) = body.get("stop")? else { return Ok(None) };
    if stop.value.is_string() {
        return Ok(Some(vec![stop.text(1, usize::MAX)?.to_owned()]));
    }
    let mut stops = Vec::new();
    for item in stop.items(0, format.stops)? {
        stops.push(item.text(1, usize::MAX)?.to_owned());
    }
    Ok((!stops.is_empty()).then_some(stops))
}

/// `response_format`. Converse has a place for a schema; "any JSON" travels beside it.
fn output(body: &Node, fields: &mut Map<String, Value>) -> Result<Option<OutputConfig>> {
    let Some(format) = body.get("response_format")? else { return Ok(None) };
    match format.required("type")?.one_of(&["text", "json_object", "json_schema"])? {
        "json_schema" => {}
        "json_object" => {
            format.only(&["type"])?;
            fields.insert("response_format".to_owned(), json!({"type": "json_object"}));
            return Ok(None);
        }
        _ => {
            format.only(&["type"])?;
            return Ok(None);
        }
    }
    format.only(&["type", "json_schema"])?;
    let wanted = format.required("json_schema")?;
    wanted.only(&["name", "description", "schema", "strict"])?;
    // The grammar holds every answer to its schema, so `strict` changes nothing.
    wanted.get("strict")?.map(|s| s.boolean()).transpose()?;
    let schema = wanted.required("schema")?;
    schema.object()?;
    let words = |key: &str| -> Result<Option<String>> {
        Ok(wanted.get(key)?.map(|t| t.string()).transpose()?.map(str::to_owned))
    };
    Ok(Some(converse::schema(schema.value, words("name")?, words("description")?)))
}
