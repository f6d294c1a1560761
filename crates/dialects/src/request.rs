//! Writing a Converse request as the body of a format: what all formats share. Nothing is left out in silence: a
//! member without a place is an error that names it.

use crate::DialectError;
use outcrop_api::bedrock_runtime::*;
use outcrop_wire::shape::{Structure, View};
use serde_json::{Map, Value};

type Result<T> = std::result::Result<T, DialectError>;

/// What does not travel in a body: `InvokeModel` has a path and headers for these, and the paths into the answer are
/// for whoever reads the answer.
const BESIDE: &[&str] = &[
    "modelId",
    "guardrailConfig",
    "additionalModelResponseFieldPaths",
    "requestMetadata",
    "performanceConfig",
    "serviceTier",
];

/// The error for the member at `path`.
pub(crate) fn no_place(path: impl Into<String>) -> DialectError {
    DialectError::NoPlace(path.into())
}

/// Refuses members outside `places`, which are paths such as `system` or `inferenceConfig.topP`.
pub(crate) fn only(request: &ConverseRequest, places: &[&str]) -> Result<()> {
    check("", request, places)
}

fn check(at: &str, structure: &dyn Structure, places: &[&str]) -> Result<()> {
    for (i, member) in structure.shape().members.iter().enumerate() {
        let path = if at.is_empty() { member.name.to_owned() } else { format!("{at}.{}", member.name) };
        if BESIDE.contains(&path.as_str()) || places.contains(&path.as_str()) {
            continue;
        }
        match structure.view(i) {
            View::Absent => {}
            View::List(list) if list.count() == 0 => {}
            View::Structure(below) => check(&path, below, places)?,
            _ => return Err(no_place(path)),
        }
    }
    Ok(())
}

/// The error for a block that the format cannot say: `messages.0.content.1.image`.
pub(crate) fn no_block(at: &str, block: &dyn Structure) -> DialectError {
    let members = block.shape().members;
    let set = (0..members.len()).find(|i| !matches!(block.view(*i), View::Absent));
    no_place(set.map_or_else(|| at.to_owned(), |i| format!("{at}.{}", members[i].name)))
}

/// Adds `additionalModelRequestFields` to a body, objects into objects. What the body has already is not overwritten.
pub(crate) fn merge(body: &mut Map<String, Value>, fields: Option<&Value>) -> Result<()> {
    match fields {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(fields)) => merge_at("additionalModelRequestFields", body, fields),
        Some(_) => Err(no_place("additionalModelRequestFields")),
    }
}

fn merge_at(at: &str, into: &mut Map<String, Value>, from: &Map<String, Value>) -> Result<()> {
    for (key, value) in from {
        let path = format!("{at}.{key}");
        match (into.get_mut(key), value) {
            (None, value) => drop(into.insert(key.clone(), value.clone())),
            (Some(Value::Object(into)), Value::Object(from)) => merge_at(&path, into, from)?,
            (Some(_), _) => return Err(no_place(path)),
        }
    }
    Ok(())
}

/// The one user message of a format without turns.
pub(crate) fn single(request: &ConverseRequest) -> Result<&Message> {
    match request.messages.as_deref().unwrap_or_default() {
        [] => Err(DialectError::Rule("The model's request format needs one user message.".to_owned())),
        [message] if message.role == ConversationRole::User => Ok(message),
        [_] => Err(no_place("messages.0.role")),
        [..] => Err(no_place("messages.1")),
    }
}

/// The text of a message that may hold nothing else; blocks stand on lines of their own.
pub(crate) fn text(at: &str, content: &[ContentBlock]) -> Result<String> {
    let mut out = String::new();
    for (i, block) in content.iter().enumerate() {
        let ContentBlock::Text(text) = block else { return Err(no_block(&format!("{at}.content.{i}"), block)) };
        if i > 0 {
            out.push('\n');
        }
        out.push_str(text);
    }
    Ok(out)
}

/// The number as its shortest decimal: widened to f64, 0.7 would become 0.699999988079071.
pub(crate) fn decimal(x: f32) -> Value {
    x.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// The number of tokens, where the format has no default: only the caller knows the greatest number of the model.
pub(crate) fn max_tokens(config: &InferenceConfiguration) -> Result<i32> {
    config.max_tokens.ok_or_else(|| {
        DialectError::Rule("inferenceConfig.maxTokens is required by the model's request format.".to_owned())
    })
}

/// Inserts `value`, where there is one.
pub(crate) fn put<T: Into<Value>>(body: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        body.insert(key.to_owned(), value.into());
    }
}
