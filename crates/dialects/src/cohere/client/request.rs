//! The body of a request, written in one pass.

use outcrop_api::bedrock_runtime::*;
use outcrop_wire::json::Writer;
use serde_json::{Map, Value};

use super::blocks::{self, Turn};
use crate::DialectError;
use crate::client::Ask;
use crate::request::{self, no_block, no_place};

type Result<T> = std::result::Result<T, DialectError>;

const PLACES: &[&str] =
    &["messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "additionalModelRequestFields"];

pub(super) fn body(ask: &Ask<'_>) -> Result<Vec<u8>> {
    let request = ask.request;
    request::only(request, PLACES)?;
    let none = Map::new();
    let fields = match &request.additional_model_request_fields {
        None | Some(Value::Null) => &none,
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(no_place("additionalModelRequestFields")),
    };
    let conversation = blocks::conversation(request)?;
    let mut body = Body { out: Writer::new(Vec::with_capacity(1024)), written: Vec::new() };
    body.out.begin_object();
    body.text("model", ask.model);
    body.key("stream");
    body.out.boolean(ask.stream);
    body.key("messages");
    body.out.begin_array();
    conversation.turns.iter().for_each(|turn| turn.write(&mut body.out));
    body.out.end_array();
    if !conversation.documents.is_empty() {
        body.key("documents");
        body.out.begin_array();
        conversation.documents.iter().for_each(|document| document.write(&mut body.out));
        body.out.end_array();
        if !conversation.cited && !fields.contains_key("citation_options") {
            body.key("citation_options");
            body.out.begin_object();
            text(&mut body.out, "mode", "OFF");
            body.out.end_object();
        }
    }
    body.inference(request.inference_config.as_ref());
    body.tools(request.tool_config.as_ref(), fields)?;
    body.output(request.output_config.as_ref())?;
    body.rest(fields)?;
    body.out.end_object();
    Ok(body.out.into_bytes())
}

pub(super) fn text(out: &mut Writer, key: &str, value: &str) {
    out.key(key);
    out.string(value);
}

/// A body in the making.
struct Body {
    out: Writer,
    /// The members so far.
    written: Vec<&'static str>,
}

impl Body {
    fn key(&mut self, key: &'static str) {
        self.written.push(key);
        self.out.key(key);
    }

    fn text(&mut self, key: &'static str, text: &str) {
        self.key(key);
        self.out.string(text);
    }

    fn inference(&mut self, config: Option<&InferenceConfiguration>) {
        let Some(config) = config else { return };
        if let Some(n) = config.max_tokens {
            self.key("max_tokens");
            self.out.whole(n.into());
        }
        if let Some(temperature) = config.temperature {
            self.key("temperature");
            self.out.single(temperature);
        }
        if let Some(p) = config.top_p {
            self.key("p");
            self.out.single(p);
        }
        if let Some(stops) = config.stop_sequences.as_ref().filter(|s| !s.is_empty()) {
            self.key("stop_sequences");
            self.out.begin_array();
            stops.iter().for_each(|stop| self.out.string(stop));
            self.out.end_array();
        }
    }

    fn tools(&mut self, config: Option<&ToolConfiguration>, fields: &Map<String, Value>) -> Result<()> {
        let Some(config) = config else { return Ok(()) };
        let forced = match &config.tool_choice {
            Some(ToolChoice::Tool(tool)) => Some(&tool.name),
            _ => None,
        };
        let mut strict = false;
        self.key("tools");
        self.out.begin_array();
        for (i, tool) in config.tools.iter().enumerate() {
            let spec = match tool {
                Tool::ToolSpec(spec) => spec,
                Tool::CachePoint(_) => continue,
                other => return Err(no_block(&format!("toolConfig.tools.{i}"), other)),
            };
            if forced.is_some_and(|name| *name != spec.name) {
                continue;
            }
            strict |= spec.strict == Some(true);
            self.out.begin_object();
            text(&mut self.out, "type", "function");
            self.out.key("function");
            self.out.begin_object();
            text(&mut self.out, "name", &spec.name);
            if let Some(description) = &spec.description {
                text(&mut self.out, "description", description);
            }
            self.out.key("parameters");
            match &spec.input_schema {
                ToolInputSchema::Json(schema) => self.out.document(schema),
                ToolInputSchema::Unset => self.out.document(&Value::Object(Map::new())),
            }
            self.out.end_object();
            self.out.end_object();
        }
        self.out.end_array();
        if strict {
            self.key("strict_tools");
            self.out.boolean(true);
        }
        // Anthropic's word for no tool at all, for which Converse has none.
        let no_tool = fields.get("tool_choice").and_then(|c| c.get("type")).is_some_and(|kind| kind == "none");
        match &config.tool_choice {
            _ if no_tool => self.text("tool_choice", "NONE"),
            Some(ToolChoice::Any(_) | ToolChoice::Tool(_)) => self.text("tool_choice", "REQUIRED"),
            // What the service does by itself.
            _ => {}
        }
        Ok(())
    }

    fn output(&mut self, config: Option<&OutputConfig>) -> Result<()> {
        let Some(config) = config else { return Ok(()) };
        if config.effort.is_some() {
            return Err(no_place("outputConfig.effort"));
        }
        let Some(format) = &config.text_format else { return Ok(()) };
        let at = "outputConfig.textFormat.structure.jsonSchema";
        let OutputFormatStructure::JsonSchema(definition) = &format.structure else { return Err(no_place(at)) };
        let schema: Map<String, Value> = serde_json::from_str(&definition.schema)
            .map_err(|_| DialectError::Rule(format!("The schema at {at} is not a JSON object.")))?;
        self.key("response_format");
        self.out.begin_object();
        text(&mut self.out, "type", "json_object");
        self.out.key("json_schema");
        self.out.document(&Value::Object(schema));
        self.out.end_object();
        Ok(())
    }

    /// The fields that are members of the body as they are: `safety_mode`, `citation_options`, `seed`, `k` …
    fn rest(&mut self, fields: &Map<String, Value>) -> Result<()> {
        for (key, value) in fields {
            let nowhere = || no_place(format!("additionalModelRequestFields.{key}"));
            match (key.as_str(), value) {
                ("anthropic_beta" | "anthropic_version", _) => continue,
                ("tool_choice", Value::Object(choice)) if choice.get("type").is_some_and(|kind| kind == "none") => {
                    continue;
                }
                ("thinking" | "reasoning_config", Value::Object(said)) => {
                    self.key("thinking");
                    self.out.document(&thinking(said));
                    continue;
                }
                _ => {}
            }
            // The names of other families.
            let key = match key.as_str() {
                "top_k" | "topK" => "k",
                "top_p" => "p",
                key => key,
            };
            if self.written.contains(&key) {
                return Err(nowhere());
            }
            self.out.key(key);
            self.out.document(value);
        }
        Ok(())
    }
}

/// Anthropic's `budget_tokens` is `token_budget` here; thinking that is left to the model is on.
fn thinking(said: &Map<String, Value>) -> Value {
    let mut out = said.clone();
    if let Some(budget) = out.remove("budget_tokens") {
        out.insert("token_budget".to_owned(), budget);
    }
    if out.get("type").is_some_and(|kind| kind == "adaptive") {
        out.insert("type".to_owned(), "enabled".into());
    }
    Value::Object(out)
}

impl Turn<'_> {
    fn write(&self, out: &mut Writer) {
        out.begin_object();
        text(out, "role", self.role());
        self.content(out);
        out.end_object();
    }
}
