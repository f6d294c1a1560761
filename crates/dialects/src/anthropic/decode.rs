use super::{blocks, tools};
use crate::DialectError;
use crate::body::{Node, parse};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value};

/// The members that Converse has a place for.
const READ: &[&str] = &[
    "anthropic_version",
    "max_tokens",
    "messages",
    "system",
    "temperature",
    "top_p",
    "stop_sequences",
    "tools",
    "tool_choice",
    "output_config",
    "output_format",
    "cache_control",
];

/// The members that travel in `additionalModelRequestFields`.
const PASSED: &[&str] = &[
    "anthropic_beta",
    "container",
    "context_management",
    "inference_geo",
    "mcp_servers",
    "metadata",
    "service_tier",
    "speed",
    "thinking",
    "top_k",
];

/// What Bedrock carries.
pub(super) fn request(body: &[u8]) -> Result<ConverseRequest, DialectError> {
    let value = parse(body)?;
    let body = Node::root(&value);
    body.only(&[READ, PASSED].concat())?;
    version(&body.required("anthropic_version")?)?;
    read(&body, limit(&body.required("max_tokens")?)?)
}

/// What Anthropic's own API carries. `model` and `stream` are read by whoever takes the call.
pub(super) fn api(body: &[u8]) -> Result<ConverseRequest, DialectError> {
    let value = parse(body)?;
    let body = own(&value)?;
    read(&body, limit(&body.required("max_tokens")?)?).map(joined)
}

/// The body of its `count_tokens`, which has no limit.
pub(super) fn counted(body: &[u8]) -> Result<ConverseRequest, DialectError> {
    let value = parse(body)?;
    read(&own(&value)?, None).map(joined)
}

/// "Consecutive `user` or `assistant` turns in your request will be combined into a single turn" (reference of the
/// Messages API).
fn joined(mut request: ConverseRequest) -> ConverseRequest {
    let mut turns: Vec<Message> = Vec::new();
    for message in request.messages.take().unwrap_or_default() {
        match turns.last_mut() {
            Some(last) if last.role == message.role && last.role != ConversationRole::System => {
                last.content.extend(message.content);
            }
            _ => turns.push(message),
        }
    }
    request.messages = Some(turns);
    request
}

fn own(value: &Value) -> Result<Node<'_>, DialectError> {
    let body = Node::root(value);
    let theirs = READ.iter().filter(|key| **key != "anthropic_version").copied();
    let known: Vec<&str> = theirs.chain(PASSED.iter().copied()).chain(["model", "stream"]).collect();
    body.only(&known)?;
    body.get("model")?.map(|m| m.string()).transpose()?;
    body.get("stream")?.map(|s| s.boolean()).transpose()?;
    Ok(body)
}

fn limit(max_tokens: &Node) -> Result<Option<i32>, DialectError> {
    Ok(i32::try_from(max_tokens.integer(1, i64::from(i32::MAX))?).ok())
}

fn read(body: &Node, max_tokens: Option<i32>) -> Result<ConverseRequest, DialectError> {
    let mut fields = passed(body)?;
    let mut request = ConverseRequest {
        messages: Some(messages(&body.required("messages")?)?),
        system: body.get("system")?.map(|s| system(&s)).transpose()?.filter(|s| !s.is_empty()),
        inference_config: Some(InferenceConfiguration {
            max_tokens,
            temperature: body.get("temperature")?.map(|t| t.number(0.0, 1.0)).transpose()?,
            top_p: body.get("top_p")?.map(|p| p.number(0.0, 1.0)).transpose()?,
            stop_sequences: stop_sequences(body)?,
        }),
        tool_config: tools::read(body, &mut fields)?,
        output_config: output(body)?,
        ..ConverseRequest::default()
    };
    if let Some(point) = blocks::checkpoint(body)? {
        // Automatic caching: the checkpoint stands at the end of the conversation.
        if let Some(last) = request.messages.as_mut().and_then(|m| m.last_mut()) {
            last.content.push(ContentBlock::CachePoint(point));
        }
    }
    if !fields.is_empty() {
        request.additional_model_request_fields = Some(Value::Object(fields));
    }
    Ok(request)
}

fn version(version: &Node) -> Result<(), DialectError> {
    // The user guide names bedrock-2023-05-31; newer versions of Anthropic's own client send a date of their own.
    version.text(1, 64).map(drop)
}

fn passed(body: &Node) -> Result<Map<String, Value>, DialectError> {
    if let Some(k) = body.get("top_k")? {
        k.integer(0, 500)?;
    }
    if let Some(thinking) = body.get("thinking")? {
        thinking.required("type")?.one_of(&["enabled", "disabled", "adaptive"])?;
    }
    if let Some(beta) = body.get("anthropic_beta")? {
        beta.strings(usize::MAX)?;
    }
    let mut fields = Map::new();
    for key in PASSED {
        if let Some(node) = body.get(key)? {
            fields.insert((*key).to_owned(), node.value.clone());
        }
    }
    Ok(fields)
}

fn stop_sequences(body: &Node) -> Result<Option<Vec<String>>, DialectError> {
    // Their greatest number is that of the model's documentation.
    let Some(stops) = body.get("stop_sequences")? else { return Ok(None) };
    for stop in stops.items(0, 8191)? {
        stop.text(1, usize::MAX)?;
    }
    stops.strings(8191).map(Some)
}

fn system(system: &Node) -> Result<Vec<SystemContentBlock>, DialectError> {
    if let Some(text) = system.value.as_str() {
        return Ok(if text.is_empty() { Vec::new() } else { vec![SystemContentBlock::Text(text.to_owned())] });
    }
    let mut out = Vec::new();
    for block in system.array()? {
        block.required("type")?.one_of(&["text"])?;
        block.only(&["type", "text", "cache_control", "citations"])?;
        let text = block.required("text")?.string()?;
        if text.is_empty() {
            return Err(DialectError::Rule("system: text content blocks must be non-empty".to_owned()));
        }
        out.push(SystemContentBlock::Text(text.to_owned()));
        if let Some(point) = blocks::checkpoint(&block)? {
            out.push(SystemContentBlock::CachePoint(point));
        }
    }
    Ok(out)
}

fn messages(list: &Node) -> Result<Vec<Message>, DialectError> {
    let items = list.items(1, usize::MAX)?;
    let last = items.len() - 1;
    let mut out = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        item.only(&["role", "content"])?;
        let role: ConversationRole = item.required("role")?.one_of(&["user", "assistant", "system"])?.into();
        if i == 0 && role != ConversationRole::User {
            return Err(DialectError::Rule("messages: first message must use the \"user\" role".to_owned()));
        }
        let content = blocks::content(&item.required("content")?)?;
        if content.is_empty() {
            if i == last && role == ConversationRole::Assistant {
                continue; // An answer begun with nothing.
            }
            return Err(DialectError::Rule(format!(
                "messages.{i}: all messages must have non-empty content except for the optional final assistant message"
            )));
        }
        let begun = i == last && role == ConversationRole::Assistant;
        if let (true, Some(ContentBlock::Text(text))) = (begun, content.last())
            && text.ends_with(char::is_whitespace)
        {
            return Err(DialectError::Rule(
                "messages: final assistant content cannot end with trailing whitespace".to_owned(),
            ));
        }
        out.push(Message { role, content });
    }
    Ok(out)
}

/// `output_config` and its older form `output_format`.
fn output(body: &Node) -> Result<Option<OutputConfig>, DialectError> {
    let config = body.get("output_config")?;
    let mut out = OutputConfig::default();
    if let Some(config) = &config {
        config.only(&["format", "effort"])?;
        let efforts = ["low", "medium", "high", "xhigh", "max"];
        out.effort = config.get("effort")?.map(|e| e.one_of(&efforts)).transpose()?.map(str::to_owned);
    }
    let format = match config.map(|c| c.get("format")).transpose()?.flatten() {
        Some(format) => Some(format),
        None => body.get("output_format")?,
    };
    if let Some(format) = format {
        format.required("type")?.one_of(&["json_schema"])?;
        let schema = format.required("schema")?;
        schema.object()?;
        out.text_format = Some(OutputFormat {
            r#type: OutputFormatType::JsonSchema,
            structure: OutputFormatStructure::JsonSchema(JsonSchemaDefinition {
                schema: schema.value.to_string(),
                name: format.get("name")?.map(|n| n.string()).transpose()?.map(str::to_owned),
                description: None,
            }),
        });
    }
    Ok((out.effort.is_some() || out.text_format.is_some()).then_some(out))
}
