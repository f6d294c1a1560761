//! The body of a request, written once, out of borrowed parts.

use outcrop_api::bedrock_runtime::*;
use serde::Serialize;
use serde_json::Value;

use super::Quirks;
use super::fields::{self, Fields};
use super::messages::{self, Turn};
use crate::DialectError;
use crate::body::parse;
use crate::client::Ask;
use crate::request::{no_block, no_place};

type Result<T> = std::result::Result<T, DialectError>;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Function<ToolSpec<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(flatten)]
    rest: fields::Rest<'a>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Function<T> {
    r#type: &'static str,
    function: T,
}

impl<T> Function<T> {
    fn of(function: T) -> Self {
        Self { r#type: "function", function }
    }
}

#[derive(Serialize)]
struct ToolSpec<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: Parameters<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// OpenAI refuses the schema of an object that lists no properties.
#[derive(Serialize)]
#[serde(untagged)]
enum Parameters<'a> {
    Given(&'a Value),
    None { r#type: &'static str, properties: Nothing },
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Choice<'a> {
    Word(&'static str),
    Tool(Function<Named<'a>>),
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    r#type: &'static str,
    json_schema: JsonSchema<'a>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    schema: Value,
    strict: bool,
}

pub(super) fn write(quirks: &Quirks, ask: &Ask<'_>) -> Result<Vec<u8>> {
    // Every member is named, so that a new one cannot be forgotten.
    let ConverseRequest {
        messages,
        system,
        inference_config,
        tool_config,
        additional_model_request_fields,
        prompt_variables,
        output_config,
        // These do not travel in a body: see `crate::request`.
        model_id: _,
        guardrail_config: _,
        additional_model_response_field_paths: _,
        request_metadata: _,
        performance_config: _,
        service_tier: _,
    } = ask.request;
    if prompt_variables.as_ref().is_some_and(|variables| !variables.is_empty()) {
        return Err(no_place("promptVariables"));
    }
    let fields = fields::read(quirks, additional_model_request_fields.as_ref())?;
    let (max_tokens, temperature, top_p, stop) = match inference_config {
        Some(c) => (c.max_tokens, c.temperature, c.top_p, c.stop_sequences.as_deref().unwrap_or_default()),
        None => (None, None, None, &[][..]),
    };
    if stop.len() > quirks.stops {
        return Err(no_place(format!("inferenceConfig.stopSequences.{}", quirks.stops)));
    }
    let newer = quirks.limit == "max_completion_tokens";
    let (tools, choice) = tool_config.as_ref().map_or_else(|| Ok((Vec::new(), None)), self::tools)?;
    let mut body = Body {
        model: ask.model,
        messages: messages::write(
            quirks,
            system.as_deref().unwrap_or_default(),
            messages.as_deref().unwrap_or_default(),
        )?,
        max_tokens: max_tokens.filter(|_| !newer),
        max_completion_tokens: max_tokens.filter(|_| newer),
        temperature,
        top_p,
        stop,
        // OpenAI refuses a choice without tools to choose from.
        tool_choice: if fields.no_tool { Some(Choice::Word("none")) } else { choice }.filter(|_| !tools.is_empty()),
        parallel_tool_calls: fields.one_tool.then_some(false).filter(|_| !tools.is_empty()),
        tools,
        response_format: None,
        reasoning_effort: None,
        stream: ask.stream,
        stream_options: (ask.stream && quirks.asks_usage).then_some(StreamOptions { include_usage: true }),
        rest: fields::Rest::default(),
    };
    output(quirks, output_config.as_ref(), &fields, &mut body)?;
    body.rest = fields.rest;
    collisions(&body)?;
    let mut out = Vec::with_capacity(1024);
    serde_json::to_writer(&mut out, &body).map_err(|error| DialectError::Rule(error.to_string()))?;
    Ok(out)
}

fn tools<'a>(config: &'a ToolConfiguration) -> Result<(Vec<Function<ToolSpec<'a>>>, Option<Choice<'a>>)> {
    let mut tools = Vec::with_capacity(config.tools.len());
    for (i, tool) in config.tools.iter().enumerate() {
        match tool {
            Tool::ToolSpec(spec) => tools.push(Function::of(ToolSpec {
                name: &spec.name,
                description: spec.description.as_deref().filter(|d| !d.is_empty()),
                parameters: match &spec.input_schema {
                    ToolInputSchema::Json(schema) if !is_bare(schema) => Parameters::Given(schema),
                    _ => Parameters::None { r#type: "object", properties: Nothing {} },
                },
                strict: spec.strict,
            })),
            // Servers of this format cache by themselves.
            Tool::CachePoint(_) => {}
            other => return Err(no_block(&format!("toolConfig.tools.{i}"), other)),
        }
    }
    let choice = match &config.tool_choice {
        Some(ToolChoice::Auto(_)) => Some(Choice::Word("auto")),
        Some(ToolChoice::Any(_)) => Some(Choice::Word("required")),
        Some(ToolChoice::Tool(tool)) => Some(Choice::Tool(Function::of(Named { name: &tool.name }))),
        Some(other @ ToolChoice::Unset) => return Err(no_block("toolConfig.toolChoice", other)),
        None => None,
    };
    Ok((tools, choice))
}

/// A schema that says no more than "an object".
fn is_bare(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().all(|(key, value)| key == "type" && value == "object"),
        _ => true,
    }
}

/// The shape of the answer and the effort, from `outputConfig` or from the names that other families have for them.
fn output<'a>(
    quirks: &Quirks,
    config: Option<&'a OutputConfig>,
    fields: &Fields<'a>,
    body: &mut Body<'a>,
) -> Result<()> {
    let effort = config.and_then(|c| c.effort.as_deref());
    body.reasoning_effort = effort.or(fields.effort);
    let (name, description, schema) = match (config.and_then(|c| c.text_format.as_ref()), fields.schema) {
        (Some(format), _) => {
            let at = "outputConfig.textFormat.structure.jsonSchema.schema";
            let OutputFormatStructure::JsonSchema(definition) = &format.structure else { return Err(no_place(at)) };
            let Ok(schema @ Value::Object(_)) = parse(definition.schema.as_bytes()) else { return Err(no_place(at)) };
            (definition.name.as_deref(), definition.description.as_deref(), schema)
        }
        (None, Some(schema)) => (None, None, schema.clone()),
        (None, None) => return Ok(()),
    };
    let strict = !quirks.closed_schemas || is_closed(&schema);
    // The name is required, and is not shown to the caller.
    let json_schema = JsonSchema { name: name.unwrap_or("answer"), description, schema, strict };
    body.response_format = Some(ResponseFormat { r#type: "json_schema", json_schema });
    Ok(())
}

/// A member cannot be said twice.
fn collisions(body: &Body<'_>) -> Result<()> {
    for (key, _) in &body.rest.0 {
        let taken = match *key {
            "model" | "messages" | "stream" | "stream_options" => true,
            "max_tokens" | "max_completion_tokens" => body.max_tokens.is_some() || body.max_completion_tokens.is_some(),
            "temperature" => body.temperature.is_some(),
            "top_p" => body.top_p.is_some(),
            "stop" => !body.stop.is_empty(),
            "tools" => !body.tools.is_empty(),
            "tool_choice" => body.tool_choice.is_some(),
            "parallel_tool_calls" => body.parallel_tool_calls.is_some(),
            "response_format" => body.response_format.is_some(),
            "reasoning_effort" => body.reasoning_effort.is_some(),
            _ => false,
        };
        if taken {
            return Err(no_place(format!("additionalModelRequestFields.{key}")));
        }
    }
    Ok(())
}

/// Whether every object of a schema is closed and requires all that it has, without which OpenAI takes no `strict`.
fn is_closed(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            let closed = match members.get("properties") {
                Some(Value::Object(properties)) => {
                    let required = members.get("required").and_then(Value::as_array);
                    members.get("additionalProperties") == Some(&Value::Bool(false))
                        && required.is_some_and(|r| properties.keys().all(|key| r.iter().any(|name| name == key)))
                }
                _ => members.get("type").is_none_or(|kind| kind != "object"),
            };
            closed && members.values().all(is_closed)
        }
        Value::Array(items) => items.iter().all(is_closed),
        _ => true,
    }
}
