use super::written;
use crate::{METRICS, Metrics, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Value, json};

pub(super) fn answer(answer: &ConverseResponse) -> Value {
    json!({
        "output": written(&answer.output),
        "stopReason": answer.stop_reason.as_str(),
        "usage": usage(&answer.usage),
    })
}

/// The counts. Those of the cache are always there and zero where nothing was cached.
fn usage(usage: &TokenUsage) -> Value {
    json!({
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
        "cacheReadInputTokenCount": usage.cache_read_input_tokens.unwrap_or_default(),
        "cacheWriteInputTokenCount": usage.cache_write_input_tokens.unwrap_or_default(),
    })
}

/// The events themselves; `metadata`, the last, waits for the metrics.
#[derive(Default)]
pub(super) struct Encoder {
    usage: Option<Value>,
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        match event {
            ConverseStreamOutput::Metadata(metadata) => self.usage = Some(usage(&metadata.usage)),
            ConverseStreamOutput::MessageStop(stop) => {
                out.push(json!({"messageStop": {"stopReason": stop.stop_reason.as_str()}}));
            }
            ConverseStreamOutput::Unset => {}
            event => out.push(written(event)),
        }
    }

    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        let usage = self.usage.take().unwrap_or_else(|| {
            let all = [metrics.input_tokens, metrics.output_tokens]
                .into_iter()
                .chain(metrics.cache_read)
                .chain(metrics.cache_write);
            usage(&TokenUsage {
                input_tokens: metrics.input_tokens,
                output_tokens: metrics.output_tokens,
                total_tokens: all.fold(0, i32::saturating_add),
                cache_read_input_tokens: metrics.cache_read,
                cache_write_input_tokens: metrics.cache_write,
                ..TokenUsage::default()
            })
        });
        out.push(json!({"metadata": {"usage": usage, "metrics": {}}, METRICS: metrics.value()}));
    }
}
