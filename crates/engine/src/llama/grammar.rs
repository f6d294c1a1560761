//! Grammars for forced tool calls and for JSON by schema, enforced by llguidance.

use std::sync::{Mutex, PoisonError};

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::sampling::LlamaSampler;
use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::SimpleVob;
use llguidance::{Matcher, ParserFactory};
use serde_json::{Map, Value, json};

use super::model::Loaded;
use crate::chat::{Chat, Tool, ToolChoice};
use crate::error::EngineError;
use crate::generate::{Generate, OutputShape};
use crate::output::{CALL_CLOSE, Expect, call_header};

/// Compiled grammars that are kept: an agent sends the same tools with every turn.
const KEPT: usize = 32;

/// Makes grammars for one vocabulary.
pub(crate) struct Grammars {
    factory: ParserFactory,
    /// The latest last.
    compiled: Mutex<Vec<(String, Matcher)>>,
}

/// What an answer may be: the reader of its text, and the grammar if one is enforced.
pub(super) struct Constraint {
    pub(super) expect: Expect,
    pub(super) grammar: Option<Grammar>,
}

/// A grammar on its way through one answer.
pub(super) struct Grammar(Matcher);

impl Grammar {
    /// The tokens allowed next.
    pub(super) fn mask(&mut self) -> Result<SimpleVob, EngineError> {
        self.0.compute_mask_or_eos().map_err(|error| EngineError::Internal(format!("grammar: {error}")))
    }

    /// Takes a token. Answers whether the text is complete and nothing can follow.
    pub(super) fn take(&mut self, token: u32) -> Result<bool, EngineError> {
        self.0.consume_token(token).map_err(|error| EngineError::Internal(format!("grammar: {error}")))?;
        Ok(self.0.is_stopped())
    }
}

impl Loaded {
    /// The constraint that a request asks for.
    pub(super) fn constraint(&self, request: &Generate) -> Result<Constraint, EngineError> {
        let chat = &request.chat;
        let forced: Vec<&Tool> = match &chat.tool_choice {
            ToolChoice::Auto => Vec::new(),
            ToolChoice::Any => chat.tools.iter().collect(),
            ToolChoice::Named(name) => chat.tools.iter().filter(|tool| tool.name == *name).collect(),
        };
        if forced.is_empty() && chat.tool_choice != ToolChoice::Auto {
            return Err(EngineError::InvalidSchema("the tool choice names no tool of the request".into()));
        }
        let names = |chat: &Chat| chat.tools.iter().map(|tool| tool.name.clone()).collect();
        let (expect, text) = match &request.output {
            _ if !forced.is_empty() => (Expect::Call, grammar_text(None, &forced)?),
            OutputShape::Free if chat.tools.is_empty() => {
                return Ok(Constraint { expect: Expect::Text, grammar: None });
            }
            OutputShape::Free => {
                let expect = Expect::TextAndCalls(names(chat), self.template.calls());
                return Ok(Constraint { expect, grammar: None });
            }
            OutputShape::JsonSchema(schema) if chat.tools.is_empty() => {
                (Expect::Text, grammar_text(Some(schema), &[])?)
            }
            OutputShape::JsonSchema(schema) => {
                let tools: Vec<&Tool> = chat.tools.iter().collect();
                (Expect::JsonOrCall, grammar_text(Some(schema), &tools)?)
            }
        };
        let grammars = self.grammars.get_or_init(|| Grammars::new(&self.model));
        let grammars = grammars.as_ref().map_err(|error| EngineError::Internal(error.clone()))?;
        Ok(Constraint { expect, grammar: Some(grammars.compile(text)?) })
    }
}

impl Grammars {
    fn new(model: &LlamaModel) -> Result<Self, String> {
        let vocabulary = LlamaSampler::llguidance_tok_env(model);
        let mut factory = ParserFactory::new_simple(&vocabulary).map_err(|error| error.to_string())?;
        factory.quiet();
        Ok(Self { factory, compiled: Mutex::default() })
    }

    fn compile(&self, text: String) -> Result<Grammar, EngineError> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.iter().position(|(known, _)| *known == text) {
            let entry = compiled.remove(known);
            let matcher = entry.1.deep_clone();
            compiled.push(entry);
            return Ok(Grammar(matcher));
        }
        drop(compiled);
        // Schemas are the caller's, and the compiler of this version indexes into strings by bytes.
        let compile = || Matcher::new(self.factory.create_parser(TopLevelGrammar::from_lark(text.clone())));
        let matcher = std::panic::catch_unwind(std::panic::AssertUnwindSafe(compile))
            .map_err(|_| EngineError::InvalidSchema("it cannot be compiled".into()))?;
        if let Some(error) = matcher.get_error() {
            return Err(EngineError::InvalidSchema(error.lines().next().unwrap_or_default().to_owned()));
        }
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() >= KEPT {
            compiled.remove(0);
        }
        compiled.push((text, matcher.deep_clone()));
        Ok(Grammar(matcher))
    }
}

/// The grammar of an answer that is JSON by `schema`, if one is given, or a call of one of `tools`.
fn grammar_text(schema: Option<&Value>, tools: &[&Tool]) -> Result<String, EngineError> {
    let mut choices = Vec::new();
    let mut rules = String::new();
    if let Some(schema) = schema {
        let Value::Object(schema) = schema else {
            return Err(EngineError::InvalidSchema("it must be an object".into()));
        };
        choices.push("json".to_owned());
        rules.push_str(&format!("json: %json {}\n", with_options(schema.clone(), false)));
    }
    for (index, tool) in tools.iter().enumerate() {
        let mut arguments = tool.schema.as_object().cloned().unwrap_or_default();
        // Arguments are an object to every client, whatever the schema forgets to say.
        arguments.entry("type").or_insert("object".into());
        let arguments = with_options(arguments, true);
        let open = Value::from(call_header(&tool.name));
        let close = Value::from(format!("}}\n{CALL_CLOSE}"));
        choices.push(format!("call{index}"));
        rules.push_str(&format!("call{index}: {open} args{index} {close}\nargs{index}: %json {arguments}\n"));
    }
    Ok(format!("start: {}\n{rules}", choices.join(" | ")))
}

/// A schema as llguidance wants it. `lenient` passes over keywords that it does not know: a tool's schema is
/// help for the model first, an output schema is a promise to the caller.
fn with_options(mut schema: Map<String, Value>, lenient: bool) -> Value {
    // An annotation here; there it selects a draft, and unknown addresses are refused.
    schema.remove("$schema");
    let mut schema = Value::Object(schema);
    if !schema.to_string().contains("\"allOf\"") {
        close_objects(&mut schema);
    }
    // Free white space lets small models loop in it; the separators are those they were trained on.
    schema["x-guidance"] = json!({
        "whitespace_flexible": false, "item_separator": ", ", "key_separator": ": ", "coerce_one_of": true, "lenient": lenient
    });
    schema
}

/// Where an object's properties are listed and others not mentioned, none is invented: still valid by the
/// schema, and small models never stop inventing.
fn close_objects(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    let open = ["additionalProperties", "patternProperties", "anyOf", "oneOf", "$ref", "unevaluatedProperties"];
    if fields.contains_key("properties") && !open.iter().any(|key| fields.contains_key(*key)) {
        fields.insert("additionalProperties".into(), false.into());
    }
    for (key, value) in fields.iter_mut() {
        match (key.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(schemas)) => {
                schemas.values_mut().for_each(close_objects)
            }
            ("items", schema) => close_objects(schema),
            ("anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => schemas.iter_mut().for_each(close_objects),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
