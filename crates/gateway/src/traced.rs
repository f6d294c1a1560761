//! What a call's span says of it, by OpenTelemetry's conventions for generative AI. Never content.

use outcrop_api::bedrock_runtime::ConverseRequest;
use outcrop_models::Model;
use outcrop_telemetry::entry::Kind;
use outcrop_telemetry::trace::{self, Span};
use outcrop_telemetry::{Entry, Outcome};

use crate::routing::Target;

/// What a model does.
pub(crate) fn kind(model: &Model) -> Kind {
    match model {
        model if model.embeds() => Kind::Embeddings,
        model if model.ranks() => Kind::Rerank,
        model if model.writes_text() => Kind::Chat,
        _ => Kind::Images,
    }
}

/// Which model is called.
pub(crate) fn begins(span: &Span, entry: &Entry) {
    if !span.recorded() {
        return;
    }
    let operation = entry.kind.operation_name();
    span.rename(format!("{operation} {}", entry.model));
    span.set("gen_ai.operation.name", operation);
    // To callers this is a Bedrock; who really answers stands in the spans below.
    span.set("gen_ai.provider.name", "aws.bedrock");
    span.set("gen_ai.request.model", entry.model.clone());
}

/// What is asked of it.
pub(crate) fn asked(request: &ConverseRequest) {
    let Some(span) = trace::current().filter(Span::recorded) else { return };
    let Some(config) = &request.inference_config else { return };
    if let Some(tokens) = config.max_tokens {
        span.set("gen_ai.request.max_tokens", tokens);
    }
    if let Some(temperature) = config.temperature {
        span.set("gen_ai.request.temperature", plain(temperature));
    }
    if let Some(top_p) = config.top_p {
        span.set("gen_ai.request.top_p", plain(top_p));
    }
}

/// The number as the caller wrote it: 0.7, and not 0.699999988079071.
fn plain(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| number.into())
}

/// What it took, and how it ended.
pub(crate) fn over(span: &Span, entry: &Entry, target: Option<&Target>) {
    if !span.recorded() {
        return;
    }
    span.set("gen_ai.response.model", entry.model_id.clone());
    span.set("gen_ai.request.stream", entry.streamed);
    let tokens = &entry.tokens;
    // The conventions count prompts from a cache among the input, Bedrock does not.
    let input = tokens.input + tokens.cache_read + tokens.cache_write;
    if entry.outcome == Outcome::Answered || input + tokens.output > 0 {
        span.set("gen_ai.usage.input_tokens", whole(input));
        span.set("gen_ai.usage.output_tokens", whole(tokens.output));
    }
    if tokens.cache_read > 0 {
        span.set("gen_ai.usage.cache_read.input_tokens", whole(tokens.cache_read));
    }
    if tokens.cache_write > 0 {
        span.set("gen_ai.usage.cache_creation.input_tokens", whole(tokens.cache_write));
    }
    if let Some(first) = entry.first_event_ms.filter(|_| entry.streamed) {
        span.set("gen_ai.response.time_to_first_chunk", first / 1e3);
    }
    span.set("outcrop.attempts", entry.attempts);
    span.set("outcrop.cached", entry.cached);
    if let Some(target) = target {
        span.set("outcrop.target", target.name.to_string());
    }
    match (entry.outcome, &entry.error) {
        (Outcome::Answered, _) => {}
        (_, Some(error)) => span.fail(error.clone()),
        (_, None) => span.fail("cancelled"),
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
