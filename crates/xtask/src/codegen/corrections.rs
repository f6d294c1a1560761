//! Where the service models are wrong, and what Outcrop's answers have beside them. One commented entry each; an entry
//! that no longer fits is an error, so that the list can only describe the pinned models.

use serde_json::{Value, json};

use super::model::Model;

/// A shape's member to replace: (module, shape, key, what the model says, what it becomes).
fn all() -> Vec<(&'static str, &'static str, &'static str, Value, Value)> {
    vec![
        // `/d{12}` is a typing error for `\d{12}`: no real ARN matches it, and TagResource would refuse every agent,
        // flow, knowledge base and prompt.
        ("bedrock_agent", "TaggableResourcesArn", "pattern", json!("/d{12}"), json!(r"\d{12}")),
        // Look-ahead, which a linear-time engine refuses: the name must not begin with one of `-_+.`, and its first
        // character class says so already.
        ("bedrock_agent", "OpenSearchManagedClusterIndexName", "pattern", json!(r"(?![\-_+.])"), json!("")),
        // Look-ahead again: "not blank, on one line".
        (
            "bedrock_agent_runtime",
            "QueryGenerationInputTextString",
            "pattern",
            json!(r"^(?!\s*$).+"),
            json!(r"^.*\S.*"),
        ),
        // The user guide admits 1,000 characters for topic definitions of the STANDARD tier; the model says 200.
        ("bedrock", "GuardrailTopicDefinition", "max", json!(200), json!(1000)),
        // The user guide admits 25 documents in a call; the model says 10.
        ("bedrock_agent", "KnowledgeBaseDocuments", "max", json!(10), json!(25)),
        ("bedrock_agent", "DocumentIdentifiers", "max", json!(10), json!(25)),
        // Longer words and expressions have refusals of their own (recorded), so the model's bounds are not checked first.
        ("bedrock", "GuardrailWordConfigTextString", "max", json!(100), json!(10_000)),
        ("bedrock", "GuardrailRegexConfigPatternString", "max", json!(500), json!(10_000)),
        // The model knows default prompt routers only; those that callers create are `prompt-router/…`, as its own
        // TaggableResourcesArn and IAM's list of resource types say.
        ("bedrock", "PromptRouterArn", "pattern", json!("default-prompt-router"), json!("(default-)?prompt-router")),
    ]
}

/// A member that answers have beyond the model: (module, shape, name, the shape of its value). AWS's clients read the
/// members that they know and drop the rest.
const EXTENSIONS: [(&str, &str, &str, &str); 1] = [
    // Why a guardrail judged as it did: what `outcrop guardrail explain` shows.
    ("bedrock_runtime", "GuardrailAssessment", "outcropExplanation", "Document"),
];

/// Applies the entries of `module`.
pub fn apply(module: &str, model: &mut Model) -> Result<(), String> {
    for (of, shape, name, value) in EXTENSIONS {
        if of != module {
            continue;
        }
        let known = model.shapes.contains_key(value);
        let members = model.shapes.get_mut(shape).and_then(|shape| shape.get_mut("members")?.as_object_mut());
        match members {
            Some(members) if known && !members.contains_key(name) => {
                members.insert(name.to_owned(), json!({ "shape": value }))
            }
            _ => return Err(format!("the extension of {module} {shape} by {name} does not fit the model")),
        };
    }
    for (of, shape, key, from, to) in all() {
        if of != module {
            continue;
        }
        let place = model.shapes.get_mut(shape).and_then(|s| s.get_mut(key));
        let stale = || format!("the correction of {module} {shape} {key} does not fit the model");
        let place = place.ok_or_else(stale)?;
        match (place.as_str(), from.as_str(), to.as_str()) {
            (Some(text), Some(from), Some(to)) if text.contains(from) => *place = text.replace(from, to).into(),
            (None, None, None) if *place == from => *place = to,
            _ => return Err(stale()),
        }
    }
    Ok(())
}
