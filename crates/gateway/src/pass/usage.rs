//! What an answer took, read from the bytes that pass.

#[cfg(test)]
mod tests;

use std::time::Instant;

use bytes::Bytes;
use outcrop_api::bedrock_runtime::TokenUsage;
use outcrop_dialects::{METRICS, Metrics};
use serde_json::{Value, json};

use crate::timed::milliseconds;

/// The usage of a whole body: `usage` as Anthropic, OpenAI and Nova name its members.
pub fn of_body(body: &[u8]) -> TokenUsage {
    let mut usage = TokenUsage::default();
    if let Ok(body) = serde_json::from_slice::<Value>(body) {
        take(&body, &mut usage);
    }
    usage
}

/// What the chunks of one stream have told.
pub struct Seen {
    pub usage: TokenUsage,
    bare: bool,
    first_byte: Option<i64>,
}

impl Seen {
    /// Of a format whose own events do not carry Bedrock's metrics where `bare`.
    pub fn new(bare: bool) -> Self {
        Self { usage: TokenUsage::default(), bare, first_byte: None }
    }

    /// Takes note of `text`. It stays as it is, but that a last chunk without metrics gets them: clients of Bedrock read
    /// what a stream took there.
    pub fn chunk(&mut self, text: Bytes, began: Instant) -> Bytes {
        let elapsed = milliseconds(began);
        let first_byte_ms = *self.first_byte.get_or_insert(elapsed);
        let contains = |what: &str| memchr::memmem::find(&text, what.as_bytes()).is_some();
        let told = contains(METRICS);
        // Most chunks are a few words of the answer, and are not read.
        if (told || contains("\"usage\""))
            && let Ok(chunk) = serde_json::from_slice::<Value>(&text)
        {
            take(&chunk, &mut self.usage);
        }
        if told || !self.bare || !contains("\"message_stop\"") {
            return text;
        }
        let Ok(Value::Object(mut last)) = serde_json::from_slice::<Value>(&text) else { return text };
        if last.get("type") != Some(&json!("message_stop")) {
            return text;
        }
        let metrics = Metrics::new(&self.usage, elapsed, first_byte_ms);
        last.insert(METRICS.to_owned(), metrics.value());
        Value::Object(last).to_string().into()
    }
}

/// Counts as they are known by now: later ones replace earlier ones.
fn take(said: &Value, usage: &mut TokenUsage) {
    let places =
        [said.get(METRICS), said.get("usage"), said.pointer("/message/usage"), said.pointer("/metadata/usage")];
    for place in places.into_iter().flatten() {
        let count = |names: &[&str]| {
            let found = names.iter().find_map(|name| place.get(name)?.as_i64());
            found.and_then(|n| i32::try_from(n).ok())
        };
        let read = count(&["cacheReadInputTokenCount", "cache_read_input_tokens", "cacheReadInputTokens"]);
        let written = count(&["cacheWriteInputTokenCount", "cache_creation_input_tokens", "cacheWriteInputTokens"]);
        let input = count(&["inputTokenCount", "input_tokens", "prompt_tokens", "inputTokens"]);
        let output = count(&["outputTokenCount", "output_tokens", "completion_tokens", "outputTokens"]);
        usage.input_tokens = input.unwrap_or(usage.input_tokens);
        usage.output_tokens = output.unwrap_or(usage.output_tokens);
        usage.cache_read_input_tokens = read.or(usage.cache_read_input_tokens);
        usage.cache_write_input_tokens = written.or(usage.cache_write_input_tokens);
    }
    let cached = [usage.cache_read_input_tokens, usage.cache_write_input_tokens].into_iter().flatten();
    let cached = cached.fold(0, i32::saturating_add);
    usage.total_tokens = usage.input_tokens.saturating_add(usage.output_tokens).saturating_add(cached);
}
