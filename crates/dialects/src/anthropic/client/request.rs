//! The body of a request, written in one pass.

use std::borrow::Cow;

use outcrop_api::bedrock_runtime::*;
use outcrop_wire::json::Writer;
use serde_json::{Map, Value};

use super::MAX_TOKENS;
use super::blocks::{Part, parts};
use crate::DialectError;
use crate::client::Ask;
use crate::request::{self, no_block, no_place};

type Result<T> = std::result::Result<T, DialectError>;

/// What a body is for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum For {
    Answer,
    /// `/v1/messages/count_tokens`, which refuses what does not change the prompt.
    Count,
}

const PLACES: &[&str] =
    &["messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "additionalModelRequestFields"];

/// The members of `additionalModelRequestFields` that change the prompt.
const COUNTED: &[&str] = &["cache_control", "context_management", "mcp_servers", "output_format", "speed", "thinking"];

/// What is said elsewhere than in the body: version and betas are headers, the model is the target's.
const NOT_FIELDS: &[&str] = &["anthropic_beta", "anthropic_version"];

pub(super) fn body(ask: &Ask<'_>, what: For) -> Result<Vec<u8>> {
    let request = ask.request;
    request::only(request, PLACES)?;
    let none = Map::new();
    let fields = match &request.additional_model_request_fields {
        None | Some(Value::Null) => &none,
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(no_place("additionalModelRequestFields")),
    };
    let mut body = Body { out: Writer::new(Vec::with_capacity(1024)), written: Vec::new(), short_lived: false };
    body.out.begin_object();
    body.key("model");
    body.out.string(ask.model);
    if what == For::Answer {
        body.inference(request.inference_config.as_ref(), fields)?;
        body.key("stream");
        body.out.boolean(ask.stream);
    }
    // In the order in which prompts are cached, which is that in which the rule of their times is checked.
    body.tools(request.tool_config.as_ref(), fields)?;
    body.conversation(request)?;
    body.output(request.output_config.as_ref(), fields.get("output_config"))?;
    body.rest(fields, what)?;
    body.out.end_object();
    Ok(body.out.into_bytes())
}

/// A body in the making.
pub(super) struct Body {
    pub(super) out: Writer,
    /// The members so far.
    written: Vec<&'static str>,
    /// A checkpoint of five minutes has been written.
    short_lived: bool,
}

impl Body {
    fn key(&mut self, key: &'static str) {
        self.written.push(key);
        self.out.key(key);
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.out.key(key);
        self.out.string(text);
    }

    /// A member `cache_control`. A checkpoint that lasts an hour may not follow one that lasts five minutes.
    pub(super) fn cache_control(&mut self, point: &CachePointBlock, at: &str) -> Result<()> {
        let ttl = point.ttl.as_ref().map_or("5m", CacheTTL::as_str);
        if ttl == "1h" && self.short_lived {
            return Err(DialectError::Rule(format!(
                "{at}.cachePoint.ttl: a cachePoint with a ttl of 1h must not come after one with a ttl of 5m. \
                 Cache points are processed in the order of toolConfig, system, messages."
            )));
        }
        self.short_lived |= ttl == "5m";
        self.out.key("cache_control");
        self.out.begin_object();
        self.text("type", "ephemeral");
        if let Some(ttl) = &point.ttl {
            self.text("ttl", ttl.as_str());
        }
        self.out.end_object();
        Ok(())
    }

    fn inference(&mut self, config: Option<&InferenceConfiguration>, fields: &Map<String, Value>) -> Result<()> {
        let none = InferenceConfiguration::default();
        let config = config.unwrap_or(&none);
        // Thinking counts as output, so what stands in for the caller's word comes on top of it.
        let budget = thinking(fields).and_then(|t| t.get("budget_tokens")).and_then(Value::as_i64).unwrap_or(0);
        let stand_in = i64::from(MAX_TOKENS).saturating_add(budget.max(0));
        let max_tokens = match (config.max_tokens, fields.contains_key("max_tokens")) {
            (Some(given), _) => Some(i64::from(given)),
            (None, true) => None,
            (None, false) => Some(stand_in),
        };
        if let Some(n) = max_tokens {
            self.key("max_tokens");
            self.out.whole(n);
        }
        if let Some(temperature) = config.temperature {
            self.key("temperature");
            self.out.single(temperature);
        }
        if let Some(top_p) = config.top_p {
            self.key("top_p");
            self.out.single(top_p);
        }
        if let Some(stops) = config.stop_sequences.as_ref().filter(|s| !s.is_empty()) {
            self.key("stop_sequences");
            self.out.begin_array();
            stops.iter().for_each(|stop| self.out.string(stop));
            self.out.end_array();
        }
        Ok(())
    }

    /// `tools` and `tool_choice`. What only Anthropic's own words can say of them stands in `fields`: tools that it
    /// defines, `disable_parallel_tool_use`, a choice of `none`.
    fn tools(&mut self, config: Option<&ToolConfiguration>, fields: &Map<String, Value>) -> Result<()> {
        let given = config.map(|c| c.tools.as_slice()).unwrap_or_default();
        let own = fields.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if !given.is_empty() || !own.is_empty() {
            self.key("tools");
            self.out.begin_array();
            for (i, tool) in given.iter().enumerate() {
                let at = format!("toolConfig.tools.{i}");
                match tool {
                    Tool::ToolSpec(spec) => {
                        let point = match given.get(i + 1) {
                            Some(Tool::CachePoint(point)) => Some(point),
                            _ => None,
                        };
                        self.tool(spec, point, &at)?;
                    }
                    // Written with the tool before it.
                    Tool::CachePoint(_) if i > 0 => {}
                    other => return Err(no_block(&at, other)),
                }
            }
            own.iter().for_each(|tool| self.out.document(tool));
            self.out.end_array();
        }
        let choice = config.and_then(|c| c.tool_choice.as_ref());
        if let Some(own) = fields.get("tool_choice") {
            self.key("tool_choice");
            self.out.document(own);
        } else if let Some(choice) = choice {
            let (kind, name) = match choice {
                ToolChoice::Auto(_) => ("auto", None),
                ToolChoice::Any(_) => ("any", None),
                ToolChoice::Tool(tool) => ("tool", Some(&tool.name)),
                ToolChoice::Unset => return Ok(()),
            };
            self.key("tool_choice");
            self.out.begin_object();
            self.text("type", kind);
            if let Some(name) = name {
                self.text("name", name);
            }
            self.out.end_object();
        }
        Ok(())
    }

    fn tool(&mut self, spec: &ToolSpecification, point: Option<&CachePointBlock>, at: &str) -> Result<()> {
        let ToolInputSchema::Json(schema) = &spec.input_schema else {
            return Err(no_place(format!("{at}.toolSpec.inputSchema")));
        };
        self.out.begin_object();
        self.text("name", &spec.name);
        if let Some(description) = &spec.description {
            self.text("description", description);
        }
        self.out.key("input_schema");
        self.out.document(schema);
        if let Some(strict) = spec.strict {
            self.out.key("strict");
            self.out.boolean(strict);
        }
        if let Some(point) = point {
            self.cache_control(point, at)?;
        }
        self.out.end_object();
        Ok(())
    }

    fn conversation(&mut self, request: &ConverseRequest) -> Result<()> {
        let given = request.messages.as_deref().unwrap_or_default();
        let led = given.iter().take_while(|m| m.role == ConversationRole::System).count();
        let (leading, rest) = given.split_at(led);

        let mut system = parts("system", request.system.iter().flatten().map(said))?;
        for (i, message) in leading.iter().enumerate() {
            system.extend(parts(&format!("messages.{i}.content"), message.content.iter().map(Cow::Borrowed))?);
        }
        if !system.is_empty() {
            self.key("system");
            self.out.begin_array();
            for part in &system {
                if !matches!(*part.block, ContentBlock::Text(_) | ContentBlock::GuardContent(_)) {
                    return Err(no_block(&part.at, &*part.block));
                }
                self.part(part, false)?;
            }
            self.out.end_array();
        }

        let (turns, whole) = turns(led, rest)?;
        self.key("messages");
        self.out.begin_array();
        for (i, (role, parts)) in turns.iter().enumerate() {
            self.out.begin_object();
            self.text("role", role.as_str());
            self.out.key("content");
            self.out.begin_array();
            let begun = i + 1 == turns.len() && **role == ConversationRole::Assistant;
            for (i, part) in parts.iter().enumerate() {
                self.part(part, begun && i + 1 == parts.len())?;
            }
            self.out.end_array();
            self.out.end_object();
        }
        self.out.end_array();
        if let Some(point) = whole {
            self.written.push("cache_control");
            self.cache_control(point, "messages")?;
        }
        Ok(())
    }

    /// `output_config`: effort and the schema of the answer, beside what the caller says there in Anthropic's words.
    fn output(&mut self, config: Option<&OutputConfig>, own: Option<&Value>) -> Result<()> {
        if config.is_none() && own.is_none() {
            return Ok(());
        }
        let mut out = Map::new();
        if let Some(effort) = config.and_then(|c| c.effort.as_deref()) {
            out.insert("effort".to_owned(), effort.into());
        }
        if let Some(format) = config.and_then(|c| c.text_format.as_ref()) {
            out.insert("format".to_owned(), schema(format)?);
        }
        if let Some(own) = own {
            let mut around = Map::new();
            around.insert("output_config".to_owned(), Value::Object(out));
            let mut fields = Map::new();
            fields.insert("output_config".to_owned(), own.clone());
            request::merge(&mut around, Some(&Value::Object(fields)))?;
            self.key("output_config");
            self.out.document(around.get("output_config").unwrap_or(&Value::Null));
        } else if !out.is_empty() {
            self.key("output_config");
            self.out.document(&Value::Object(out));
        }
        Ok(())
    }

    /// The fields that are members of the body as they are.
    fn rest(&mut self, fields: &Map<String, Value>, what: For) -> Result<()> {
        for (key, value) in fields {
            let merged = ["tools", "tool_choice", "output_config"].contains(&key.as_str());
            if merged || NOT_FIELDS.contains(&key.as_str()) {
                continue;
            }
            // What the documentation of agents calls it.
            let key = if key == "reasoning_config" { "thinking" } else { key };
            let reserved = ["model", "stream"].contains(&key);
            if reserved || self.written.contains(&key) {
                return Err(no_place(format!("additionalModelRequestFields.{key}")));
            }
            if what == For::Answer || COUNTED.contains(&key) {
                self.out.key(key);
                self.out.document(value);
            }
        }
        Ok(())
    }
}

fn thinking(fields: &Map<String, Value>) -> Option<&Value> {
    fields.get("thinking").or_else(|| fields.get("reasoning_config"))
}

type Turn<'a> = (&'a ConversationRole, Vec<Part<'a>>);

/// The messages as turns, several of one side in a row as one, and the checkpoint of the whole body: a second one at
/// the very end. `led` messages stand before these.
fn turns(led: usize, messages: &[Message]) -> Result<(Vec<Turn<'_>>, Option<&CachePointBlock>)> {
    let mut out: Vec<Turn<'_>> = Vec::with_capacity(messages.len());
    let mut whole = None;
    for (i, message) in messages.iter().enumerate() {
        let mut content = message.content.as_slice();
        let last = i + 1 == messages.len();
        if let (true, [.., ContentBlock::CachePoint(_), ContentBlock::CachePoint(point)]) = (last, content) {
            whole = Some(point);
            content = &content[..content.len() - 1];
        }
        let parts = parts(&format!("messages.{}.content", led + i), content.iter().map(Cow::Borrowed))?;
        match out.last_mut() {
            Some((role, before)) if **role == message.role => before.extend(parts),
            _ if parts.is_empty() => {}
            _ => out.push((&message.role, parts)),
        }
    }
    for (role, parts) in &mut out {
        if **role == ConversationRole::User {
            // The API demands that the results of tools come first.
            parts.sort_by_key(|part| !matches!(*part.block, ContentBlock::ToolResult(_)));
        }
    }
    Ok((out, whole))
}

/// A block of the system prompt as a block of a message, for which there are rules already.
fn said(block: &SystemContentBlock) -> Cow<'_, ContentBlock> {
    Cow::Owned(match block {
        SystemContentBlock::Text(text) => ContentBlock::Text(text.clone()),
        SystemContentBlock::GuardContent(guarded) => ContentBlock::GuardContent(guarded.clone()),
        SystemContentBlock::CachePoint(point) => ContentBlock::CachePoint(point.clone()),
        SystemContentBlock::Unset => ContentBlock::Unset,
    })
}

fn schema(format: &OutputFormat) -> Result<Value> {
    let at = "outputConfig.textFormat.structure.jsonSchema";
    let OutputFormatStructure::JsonSchema(definition) = &format.structure else { return Err(no_place(at)) };
    let wrong = || DialectError::Rule(format!("The schema at {at} is not a JSON object."));
    let mut schema: Map<String, Value> = serde_json::from_str(&definition.schema).map_err(|_| wrong())?;
    if let Some(description) = &definition.description {
        schema.entry("description").or_insert_with(|| description.as_str().into());
    }
    let mut out = Map::new();
    out.insert("type".to_owned(), "json_schema".into());
    out.insert("schema".to_owned(), Value::Object(schema));
    Ok(Value::Object(out))
}
