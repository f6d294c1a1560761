//! `additionalModelRequestFields`: what callers of other families say in their own words is said in this one's; the
//! rest travels as it is.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};

use super::{Quirks, Thinking};
use crate::DialectError;
use crate::request::no_place;

/// What the fields ask for.
#[derive(Default)]
pub(super) struct Fields<'a> {
    /// No tool is to be called.
    pub no_tool: bool,
    /// One tool at most is to be called.
    pub one_tool: bool,
    /// How much the model may think.
    pub effort: Option<&'a str>,
    /// What the answer must look like.
    pub schema: Option<&'a Value>,
    /// Everything else.
    pub rest: Rest<'a>,
}

/// Members of the body under their own names.
#[derive(Default)]
pub(super) struct Rest<'a>(pub Vec<(&'a str, Cow<'a, Value>)>);

impl Serialize for Rest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// What only Anthropic's service does.
const ANTHROPICS: &[&str] = &["container", "context_management", "inference_geo", "mcp_servers", "speed"];
/// What only servers with samplers of their own have.
const SAMPLERS: &[&str] = &["top_k", "min_p", "repetition_penalty", "chat_template_kwargs"];

pub(super) fn read<'a>(quirks: &Quirks, fields: Option<&'a Value>) -> Result<Fields<'a>, DialectError> {
    let mut out = Fields::default();
    let fields = match fields {
        None | Some(Value::Null) => return Ok(out),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(no_place("additionalModelRequestFields")),
    };
    for (key, value) in fields {
        let nowhere = || no_place(format!("additionalModelRequestFields.{key}"));
        let mut keep = |key, value| out.rest.0.push((key, value));
        match (key.as_str(), value) {
            // They turn on what this format has in any case, or has no word for.
            ("anthropic_beta" | "anthropic_version", _) => {}
            ("thinking" | "reasoningConfig", Value::Object(thinking)) => match quirks.thinking {
                Thinking::Switch => {
                    let kind = thinking.get("type").and_then(Value::as_str);
                    let kind = if kind == Some("disabled") { "disabled" } else { "enabled" };
                    keep("thinking", Cow::Owned(json!({"type": kind})));
                }
                Thinking::Effort => out.effort = out.effort.or_else(|| effort(thinking)),
            },
            ("reasoning_effort", Value::String(effort)) => out.effort = Some(effort),
            ("output_config", Value::Object(config)) => {
                out.effort = out.effort.or_else(|| config.get("effort")?.as_str());
                out.schema = config.get("format").and_then(|format| format.get("schema"));
            }
            ("tool_choice", Value::Object(choice)) if !choice.contains_key("function") => {
                out.no_tool = choice.get("type").is_some_and(|kind| kind == "none");
                out.one_tool = choice.get("disable_parallel_tool_use") == Some(&Value::Bool(true));
            }
            ("tool_choice", Value::String(word)) if word == "none" => out.no_tool = true,
            ("metadata", Value::Object(metadata)) if metadata.len() == 1 && metadata.contains_key("user_id") => {
                keep("user", Cow::Borrowed(&metadata["user_id"]));
            }
            ("service_tier", Value::String(tier)) if tier == "standard_only" => {
                keep(key, Cow::Owned(Value::from("default")));
            }
            ("seed", value) => keep(quirks.seed, Cow::Borrowed(value)),
            ("topK" | "k", value) if quirks.samplers => keep("top_k", Cow::Borrowed(value)),
            ("inferenceConfig", Value::Object(config))
                if quirks.samplers && config.len() == 1 && config.contains_key("topK") =>
            {
                keep("top_k", Cow::Borrowed(&config["topK"]));
            }
            ("topK" | "k" | "inferenceConfig", _) => return Err(nowhere()),
            (key, _) if ANTHROPICS.contains(&key) => return Err(nowhere()),
            (key, _) if !quirks.samplers && SAMPLERS.contains(&key) => return Err(nowhere()),
            (key, value) => keep(key, Cow::Borrowed(value)),
        }
    }
    Ok(out)
}

/// Anthropic's budget of tokens (Nova's `maxReasoningEffort`) as one of three words. Its smallest budget, 1,024, is
/// little thought, and what its guide calls a large one, above 8,192, much. Thinking that is off, or left to the
/// model, is not spoken of.
fn effort(thinking: &serde_json::Map<String, Value>) -> Option<&str> {
    if thinking.get("type").is_some_and(|kind| kind == "disabled") {
        return None;
    }
    if let Some(word) = thinking.get("maxReasoningEffort").and_then(Value::as_str) {
        return Some(word);
    }
    Some(match thinking.get("budget_tokens")?.as_u64()? {
        0..=2048 => "low",
        2049..=8192 => "medium",
        _ => "high",
    })
}
