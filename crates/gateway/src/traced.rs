//! What a call's span says of it, by OpenTelemetry's conventions for generative AI. Never content.

use outcrop_api::bedrock_runtime::ConverseRequest;
use outcrop_models::Model;
use outcrop_telemetry::entry::Kind;
use outcrop_telemetry::trace::{self, Span};

use crate::meter::{Outcome, Record};

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
pub(crate) fn begins(span: &Span, record: &Record) {
    if !span.recorded() {
        return;
    }
    let operation = record.kind.operation_name();
    span.rename(format!("{operation} {}", record.model));
    span.set("gen_ai.operation.name", operation);
    // To callers this is a Bedrock; who really answers stands in the spans below.
    span.set("gen_ai.provider.name", "aws.bedrock");
    span.set("gen_ai.request.model", record.model.clone());
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
pub(crate) fn over(span: &Span, record: &Record) {
    if !span.recorded() {
        return;
    }
    span.set("gen_ai.response.model", record.model_id.clone());
    span.set("gen_ai.request.stream", record.streamed);
    let usage = &record.usage;
    let (read, written) = (usage.cache_read_input_tokens, usage.cache_write_input_tokens);
    if record.outcome == Outcome::Answered || usage.total_tokens > 0 {
        // The conventions count prompts from a cache among the input, Bedrock does not.
        let input = usage.input_tokens.saturating_add(read.unwrap_or(0)).saturating_add(written.unwrap_or(0));
        span.set("gen_ai.usage.input_tokens", input);
        span.set("gen_ai.usage.output_tokens", usage.output_tokens);
    }
    if let Some(read) = read {
        span.set("gen_ai.usage.cache_read.input_tokens", read);
    }
    if let Some(written) = written {
        span.set("gen_ai.usage.cache_creation.input_tokens", written);
    }
    if let Some(first) = record.first_event.filter(|_| record.streamed) {
        span.set("gen_ai.response.time_to_first_chunk", first.as_secs_f64());
    }
    span.set("outcrop.attempts", record.attempts);
    span.set("outcrop.cached", record.cached);
    if let Some(target) = &record.target {
        span.set("outcrop.target", target.name.to_string());
    }
    match record.outcome {
        Outcome::Answered => {}
        Outcome::Failed(kind) => span.fail(kind.name()),
        Outcome::Gone => span.fail("cancelled"),
    }
}
