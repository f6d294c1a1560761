//! Members of a model's own format that would go behind what this server decides.

#[cfg(test)]
mod tests;

use outcrop_api::Fault;
use outcrop_models::data_retention::Retention;
use outcrop_wire::json::{Error, Reader};
use serde_json::Value;

/// What makes a provider, or somebody behind it, keep what it is sent.
const KEEPING: [&str; 5] = ["store", "background", "prompt_cache_retention", "mcp_servers", "container"];
/// Under its own name in Converse, where policies see it.
const TIER: &str = "service_tier";
/// The words for it that buy nothing.
const USUAL: [&str; 4] = ["auto", "default", "standard", "standard_only"];

/// Refuses fields that a policy or the account's data retention mode would not let through by their proper names.
pub fn check(fields: Option<&Value>, retention: Retention) -> Result<(), Fault> {
    let Some(Value::Object(fields)) = fields else { return Ok(()) };
    if let Some(tier) = fields.get(TIER)
        && !tier.as_str().is_some_and(|tier| USUAL.contains(&tier))
    {
        let text = format!("additionalModelRequestFields.{TIER} can't be set. Use serviceTier and try again.");
        return Err(Fault::validation(text));
    }
    if retention > Retention::None {
        return Ok(());
    }
    let harmless = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
    match KEEPING.into_iter().find(|key| fields.get(*key).is_some_and(|value| !harmless(value))) {
        None => Ok(()),
        Some(key) => Err(Fault::validation(format!(
            "additionalModelRequestFields.{key} can't be set: the data retention mode of this account lets nobody keep \
             prompts or answers."
        ))),
    }
}

/// Whether a body in a model's own format has such members, so that somebody has to look inside. One that cannot be
/// read is refused by whoever does.
pub fn suspicious(body: &[u8], retention: Retention) -> bool {
    look(body, retention).unwrap_or(true)
}

fn look(body: &[u8], retention: Retention) -> Result<bool, Error> {
    let mut reader = Reader::new(body)?;
    reader.begin_object()?;
    let mut first = true;
    while let Some(key) = reader.next_key(first)? {
        if key == TIER || (retention == Retention::None && KEEPING.contains(&&*key)) {
            return Ok(true);
        }
        reader.skip()?;
        first = false;
    }
    Ok(false)
}
