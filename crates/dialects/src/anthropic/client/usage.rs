//! Counts as Anthropic tells them: what was read from the cache and written to it stands beside `input_tokens`, not
//! within it, which is Converse's way too.

use outcrop_api::bedrock_runtime::{CacheDetail, TokenUsage};
use serde_json::{Map, Value};

pub(super) fn usage(said: &Map<String, Value>) -> TokenUsage {
    let count = |value: Option<&Value>| value.and_then(Value::as_u64).map(|n| i32::try_from(n).unwrap_or(i32::MAX));
    let input = count(said.get("input_tokens")).unwrap_or_default();
    let output = count(said.get("output_tokens")).unwrap_or_default();
    let read = count(said.get("cache_read_input_tokens"));
    let by_time = |key: &str| count(said.get("cache_creation").and_then(|c| c.get(key))).unwrap_or_default();
    // The longer time first, as the model of Converse demands.
    let times = [("1h", by_time("ephemeral_1h_input_tokens")), ("5m", by_time("ephemeral_5m_input_tokens"))];
    let written = times.iter().fold(0, |sum: i32, (_, n)| sum.saturating_add(*n));
    let write = count(said.get("cache_creation_input_tokens")).or((written > 0).then_some(written));
    let details: Vec<CacheDetail> = times
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(ttl, n)| CacheDetail { ttl: (*ttl).into(), input_tokens: *n })
        .collect();
    let all = [input, output, read.unwrap_or_default(), write.unwrap_or_default()];
    TokenUsage {
        input_tokens: input,
        output_tokens: output,
        total_tokens: all.into_iter().fold(0, i32::saturating_add),
        cache_read_input_tokens: read,
        cache_write_input_tokens: write,
        cache_details: (!details.is_empty()).then_some(details),
    }
}

/// The counts of `event` over those before it. They are sums, and what an event leaves out has not changed.
pub(super) fn overlay(usage: &mut Map<String, Value>, event: Value) {
    let Value::Object(event) = event else { return };
    for (key, value) in event.into_iter().filter(|(_, value)| !value.is_null()) {
        usage.insert(key, value);
    }
}
