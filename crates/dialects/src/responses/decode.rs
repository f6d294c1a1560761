//! The members of a body.

use super::{items, tools};
use crate::body::{Node, parse};
use crate::openai::{effort, envelope};
use crate::{DialectError, converse};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, DialectError>;

const READ: &[&str] = &[
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "metadata",
    "model",
    "previous_response_id",
    "reasoning",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
];

/// The members that travel in `additionalModelRequestFields`.
const PASSED: &[&str] = &["prompt_cache_key", "safety_identifier", "user"];

/// The members that an answer repeats, where they were given.
const REPEATED: &[&str] = &[
    "instructions",
    "max_output_tokens",
    "metadata",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "user",
];

/// What a body asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What this call adds to the conversation.
    pub items: Vec<Value>,
    /// For [`crate::Head::repeated`].
    pub repeated: Value,
    request: ConverseRequest,
}

impl Asked {
    /// The conversation of earlier items and those of this call. Earlier ones were decoded or encoded here.
    pub fn converse(&self, earlier: &[Value]) -> Result<ConverseRequest> {
        let mut request = self.request.clone();
        let (system, messages) = items::read(earlier, &self.items)?;
        if messages.is_empty() {
            return Err(DialectError::Rule("input: there is no message to answer.".to_owned()));
        }
        let mut all = request.system.take().unwrap_or_default();
        all.extend(system);
        request.system = Some(all).filter(|all| !all.is_empty());
        request.messages = Some(messages);
        Ok(request)
    }
}

/// Reads a body. `model`, `stream`, `store`, `previous_response_id`, `metadata` and `service_tier` are judged here and
/// read by whoever takes the call.
pub fn decode(body: &[u8]) -> Result<Asked> {
    let value = parse(body)?;
    let body = Node::root(&value);
    body.only(&[READ, PASSED, &["parallel_tool_calls"]].concat())?;
    beside(&body)?;
    let mut fields = Map::new();
    for key in PASSED {
        if let Some(node) = body.get(key)? {
            fields.insert((*key).to_owned(), node.string()?.into());
        }
    }
    if let Some(node) = body.get("parallel_tool_calls")? {
        fields.insert("parallel_tool_calls".to_owned(), node.boolean()?.into());
    }
    let mut output_config = text(&body, &mut fields)?;
    if let Some(reasoning) = body.get("reasoning")? {
        reasoning.only(&["effort", "summary", "generate_summary"])?;
        effort(&reasoning, "effort", &mut output_config, &mut fields)?;
        for key in ["summary", "generate_summary"] {
            // Reasoning is told whole, so there is nothing to sum up.
            reasoning.get(key)?.map(|s| s.one_of(&["auto", "concise", "detailed"])).transpose()?;
        }
    }
    let instructions = body.get("instructions")?.map(|i| i.string()).transpose()?.filter(|text| !text.is_empty());
    let tool_config = tools::read(&body, &mut fields)?;
    let request = ConverseRequest {
        system: instructions.map(|text| vec![SystemContentBlock::Text(text.to_owned())]),
        inference_config: inference(&body)?,
        tool_config,
        output_config,
        additional_model_request_fields: (!fields.is_empty()).then_some(Value::Object(fields)),
        ..ConverseRequest::default()
    };
    let input = body.required("input")?;
    let items = match input.value.as_str() {
        Some(text) => {
            vec![json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})]
        }
        None => input.array()?.iter().map(|item| item.value.clone()).collect(),
    };
    let asked = Asked { items, repeated: repeated(&body)?, request };
    // The pointers of errors are those of this body.
    items::check(&input)?;
    Ok(asked)
}

fn repeated(body: &Node) -> Result<Value> {
    let mut out = Map::new();
    for key in REPEATED {
        if let Some(node) = body.get(key)? {
            out.insert((*key).to_owned(), node.value.clone());
        }
    }
    Ok(Value::Object(out))
}

/// What whoever takes the call reads, and what there is not.
fn beside(body: &Node) -> Result<()> {
    envelope(body)?;
    for key in ["model", "previous_response_id"] {
        body.get(key)?.map(|node| node.string()).transpose()?;
    }
    for key in ["stream", "store"] {
        body.get(key)?.map(|node| node.boolean()).transpose()?;
    }
    if let Some(background) = body.get("background")?
        && background.boolean()?
    {
        return Err(background.refuse("responses are not made in the background, leave background out"));
    }
    if let Some(conversation) = body.get("conversation")? {
        return Err(conversation.refuse("conversations are not kept by themselves, use previous_response_id"));
    }
    if let Some(count) = body.get("top_logprobs")?
        && count.integer(0, 20)? > 0
    {
        return Err(count.refuse("log probabilities are not available, leave top_logprobs out"));
    }
    if let Some(truncation) = body.get("truncation")?
        && truncation.one_of(&["auto", "disabled"])? == "auto"
    {
        return Err(truncation.refuse("a conversation is never cut, leave truncation out or set it to disabled"));
    }
    if let Some(include) = body.get("include")? {
        for item in include.array()? {
            item.one_of(&["reasoning.encrypted_content"])?;
        }
    }
    if let Some(options) = body.get("stream_options")? {
        options.only(&["include_obfuscation"])?;
        options.get("include_obfuscation")?.map(|o| o.boolean()).transpose()?;
    }
    Ok(())
}

fn inference(body: &Node) -> Result<Option<InferenceConfiguration>> {
    let most = body.get("max_output_tokens")?.map(|n| n.integer(1, i64::from(i32::MAX))).transpose()?;
    let config = InferenceConfiguration {
        max_tokens: most.and_then(|n| i32::try_from(n).ok()),
        temperature: body.get("temperature")?.map(|t| t.number(0.0, 2.0)).transpose()?,
        top_p: body.get("top_p")?.map(|p| p.number(0.0, 1.0)).transpose()?,
        stop_sequences: None,
    };
    let empty = config.max_tokens.is_none() && config.temperature.is_none() && config.top_p.is_none();
    Ok((!empty).then_some(config))
}

/// `text`: the form of the answer. Converse has a place for a schema; the rest travels beside it.
fn text(body: &Node, fields: &mut Map<String, Value>) -> Result<Option<OutputConfig>> {
    let Some(text) = body.get("text")? else { return Ok(None) };
    text.only(&["format", "verbosity"])?;
    if let Some(verbosity) = text.get("verbosity")? {
        fields.insert("verbosity".to_owned(), verbosity.one_of(&["low", "medium", "high"])?.into());
    }
    let Some(format) = text.get("format")? else { return Ok(None) };
    match format.required("type")?.one_of(&["text", "json_object", "json_schema"])? {
        "json_schema" => {}
        kind => {
            format.only(&["type"])?;
            if kind == "json_object" {
                fields.insert("response_format".to_owned(), json!({"type": "json_object"}));
            }
            return Ok(None);
        }
    }
    format.only(&["type", "name", "description", "schema", "strict"])?;
    // The grammar holds every answer to its schema, so `strict` changes nothing.
    format.get("strict")?.map(|s| s.boolean()).transpose()?;
    let schema = format.required("schema")?;
    schema.object()?;
    let words = |key: &str| -> Result<Option<String>> {
        Ok(format.get(key)?.map(|t| t.string()).transpose()?.map(str::to_owned))
    };
    Ok(Some(converse::schema(schema.value, words("name")?, words("description")?)))
}
