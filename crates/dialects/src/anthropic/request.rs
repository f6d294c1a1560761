//! A Converse request as a body, the other way round from `decode`.

use super::{citations, encode};
use crate::DialectError;
use crate::request::{self, decimal, no_block, no_place, put};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, DialectError>;

/// `version` is Bedrock's way to say it; in Anthropic's own API it is a header.
pub(super) fn body(request: &ConverseRequest, version: Option<&str>) -> Result<Value> {
    let places =
        ["messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "additionalModelRequestFields"];
    request::only(request, &places)?;
    let mut body = Map::new();
    put(&mut body, "anthropic_version", version);
    let config = request.inference_config.clone().unwrap_or_default();
    put(&mut body, "max_tokens", Some(request::max_tokens(&config)?));
    put(&mut body, "temperature", config.temperature.map(decimal));
    put(&mut body, "top_p", config.top_p.map(decimal));
    put(&mut body, "stop_sequences", config.stop_sequences);
    put(&mut body, "system", system(request.system.as_deref().unwrap_or_default())?);

    let mut messages = Vec::new();
    let given = request.messages.as_deref().unwrap_or_default();
    for (i, message) in given.iter().enumerate() {
        let mut content = message.content.as_slice();
        // A second checkpoint at the very end is the one of the whole body.
        if let (true, [.., ContentBlock::CachePoint(_), ContentBlock::CachePoint(point)]) =
            (i + 1 == given.len(), content)
        {
            put(&mut body, "cache_control", Some(cache_control(point)));
            content = &content[..content.len() - 1];
        }
        messages.push(json!({"role": message.role.as_str(), "content": blocks(&format!("messages.{i}"), content)?}));
    }
    put(&mut body, "messages", Some(messages));
    let mut fields = match &request.additional_model_request_fields {
        None => Map::new(),
        Some(Value::Object(fields)) => fields.clone(),
        Some(_) => return Err(no_place("additionalModelRequestFields")),
    };
    if let Some(config) = &request.tool_config {
        tools(config, &mut fields, &mut body)?;
    }
    put(&mut body, "output_config", request.output_config.as_ref().map(output).transpose()?);
    request::merge(&mut body, Some(&Value::Object(fields)))?;
    Ok(Value::Object(body))
}

fn cache_control(point: &CachePointBlock) -> Value {
    match &point.ttl {
        Some(ttl) => json!({"type": "ephemeral", "ttl": ttl.as_str()}),
        None => json!({"type": "ephemeral"}),
    }
}

/// Puts a checkpoint on the block before it.
fn mark(blocks: &mut [Value], point: &CachePointBlock, at: &str) -> Result<()> {
    match blocks.last_mut() {
        Some(Value::Object(last)) if !last.contains_key("cache_control") => {
            put(last, "cache_control", Some(cache_control(point)));
            Ok(())
        }
        _ => Err(no_place(format!("{at}.cachePoint"))),
    }
}

fn system(given: &[SystemContentBlock]) -> Result<Option<Vec<Value>>> {
    let mut out = Vec::new();
    for (i, block) in given.iter().enumerate() {
        let at = format!("system.{i}");
        match block {
            SystemContentBlock::Text(text) => out.push(json!({"type": "text", "text": text})),
            SystemContentBlock::CachePoint(point) => mark(&mut out, point, &at)?,
            other => return Err(no_block(&at, other)),
        }
    }
    Ok((!out.is_empty()).then_some(out))
}

fn blocks(at: &str, content: &[ContentBlock]) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for (i, block) in content.iter().enumerate() {
        let at = format!("{at}.content.{i}");
        out.push(match block {
            ContentBlock::CachePoint(point) => {
                mark(&mut out, point, &at)?;
                continue;
            }
            ContentBlock::Text(_) | ContentBlock::ToolUse(_) | ContentBlock::ReasoningContent(_) => {
                encode::block(block).ok_or_else(|| no_block(&at, block))?
            }
            ContentBlock::CitationsContent(cited) => cited_text(cited),
            ContentBlock::Image(image) => encode::picture(image).ok_or_else(|| no_block(&at, block))?,
            ContentBlock::Document(given) => document(given).ok_or_else(|| no_block(&at, block))?,
            ContentBlock::SearchResult(result) => search_result(result),
            ContentBlock::ToolResult(result) => tool_result(&at, result)?,
            other => return Err(no_block(&at, other)),
        });
    }
    Ok(out)
}

fn cited_text(cited: &CitationsContentBlock) -> Value {
    let mut text = String::new();
    for part in cited.content.iter().flatten() {
        if let CitationGeneratedContent::Text(part) = part {
            text.push_str(part);
        }
    }
    let mut list = Vec::new();
    for citation in cited.citations.iter().flatten() {
        let mut value = citations::write(citation);
        if let (Some(source), None) = (&citation.source, value.get("source")) {
            value["source"] = source.as_str().into();
        }
        list.push(value);
    }
    json!({"type": "text", "text": text, "citations": list})
}

fn document(given: &DocumentBlock) -> Option<Value> {
    let source = match (&given.source, &given.format) {
        (DocumentSource::Bytes(bytes), Some(DocumentFormat::Pdf)) => {
            json!({"type": "base64", "media_type": "application/pdf", "data": STANDARD.encode(bytes)})
        }
        (DocumentSource::Text(text), _) => json!({"type": "text", "media_type": "text/plain", "data": text}),
        (DocumentSource::Content(parts), _) => {
            let mut content = Vec::new();
            for part in parts {
                if let DocumentContentBlock::Text(text) = part {
                    content.push(json!({"type": "text", "text": text}));
                }
            }
            json!({"type": "content", "content": content})
        }
        _ => return None,
    };
    let mut out = Map::new();
    put(&mut out, "type", Some("document"));
    put(&mut out, "title", Some(given.name.as_str()));
    put(&mut out, "context", given.context.as_deref());
    put(&mut out, "citations", given.citations.as_ref().map(|c| json!({"enabled": c.enabled})));
    put(&mut out, "source", Some(source));
    Some(Value::Object(out))
}

fn search_result(result: &SearchResultBlock) -> Value {
    let content: Vec<Value> = result.content.iter().map(|c| json!({"type": "text", "text": c.text})).collect();
    let mut value =
        json!({"type": "search_result", "source": result.source, "title": result.title, "content": content});
    if let Some(config) = &result.citations {
        value["citations"] = json!({"enabled": config.enabled});
    }
    value
}

fn tool_result(at: &str, result: &ToolResultBlock) -> Result<Value> {
    if result.r#type.is_some() {
        return Err(no_place(format!("{at}.toolResult.type")));
    }
    let mut content = Vec::new();
    for (i, part) in result.content.iter().enumerate() {
        let value = match part {
            ToolResultContentBlock::Document(given) => document(given),
            ToolResultContentBlock::SearchResult(result) => Some(search_result(result)),
            other => encode::result_part(other),
        };
        content.push(value.ok_or_else(|| no_block(&format!("{at}.toolResult.content.{i}"), part))?);
    }
    let mut out = json!({"type": "tool_result", "tool_use_id": result.tool_use_id, "content": content});
    if let Some(status) = &result.status {
        out["is_error"] = (*status == ToolResultStatus::Error).into();
    }
    Ok(out)
}

/// `tools` and `tool_choice`; what only Anthropic's own words can say of them stands in `fields` and is taken there.
fn tools(config: &ToolConfiguration, fields: &mut Map<String, Value>, body: &mut Map<String, Value>) -> Result<()> {
    let mut list = Vec::new();
    for (i, tool) in config.tools.iter().enumerate() {
        let at = format!("toolConfig.tools.{i}");
        match tool {
            Tool::ToolSpec(spec) => {
                let ToolInputSchema::Json(schema) = &spec.input_schema else { return Err(no_block(&at, tool)) };
                let mut out = Map::new();
                put(&mut out, "name", Some(spec.name.as_str()));
                put(&mut out, "description", spec.description.as_deref());
                put(&mut out, "input_schema", Some(schema.clone()));
                put(&mut out, "strict", spec.strict);
                list.push(Value::Object(out));
            }
            Tool::CachePoint(point) => mark(&mut list, point, &at)?,
            other => return Err(no_block(&at, other)),
        }
    }
    if let Some(Value::Array(defined_by_provider)) = fields.get("tools") {
        list.extend(defined_by_provider.iter().cloned());
        fields.remove("tools");
    }
    put(body, "tools", Some(list));
    if !fields.contains_key("tool_choice") {
        let choice = match &config.tool_choice {
            Some(ToolChoice::Auto(_)) => Some(json!({"type": "auto"})),
            Some(ToolChoice::Any(_)) => Some(json!({"type": "any"})),
            Some(ToolChoice::Tool(tool)) => Some(json!({"type": "tool", "name": tool.name})),
            Some(ToolChoice::Unset) | None => None,
        };
        put(body, "tool_choice", choice);
    }
    Ok(())
}

fn output(config: &OutputConfig) -> Result<Value> {
    let mut out = Map::new();
    put(&mut out, "effort", config.effort.as_deref());
    if let Some(format) = &config.text_format {
        let at = "outputConfig.textFormat.structure.jsonSchema";
        let OutputFormatStructure::JsonSchema(definition) = &format.structure else { return Err(no_place(at)) };
        if definition.description.is_some() {
            return Err(no_place(format!("{at}.description")));
        }
        let schema: Value = serde_json::from_str(&definition.schema)
            .map_err(|_| DialectError::Rule(format!("The schema at {at} is not a JSON object.")))?;
        let mut format = Map::new();
        put(&mut format, "type", Some("json_schema"));
        put(&mut format, "name", definition.name.as_deref());
        put(&mut format, "schema", Some(schema));
        put(&mut out, "format", Some(format));
    }
    Ok(Value::Object(out))
}
