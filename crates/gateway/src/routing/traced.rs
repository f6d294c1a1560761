//! The span of one attempt, below its call's.

use std::time::Duration;

use outcrop_providers::Cause;
use outcrop_telemetry::trace::{self, Span};

use super::name::{Naming, OwnName};
use super::target::Target;

/// The `error.type` of an attempt that nobody waited for any more: the caller went, or another was faster.
pub(super) const ABANDONED: &str = "abandoned";

/// A span for an attempt at `target`, where the call has one.
pub(super) fn attempt(target: &Target) -> Option<Span> {
    let call = trace::current()?;
    let span = call.child(String::new);
    if !span.recorded() {
        return Some(span);
    }
    let operation = call.text("gen_ai.operation.name").unwrap_or_else(|| "chat".into());
    let model = match &target.own {
        OwnName::Fixed(name) => name.to_string(),
        OwnName::AsCalled => call.text("gen_ai.request.model").unwrap_or_default(),
    };
    span.rename(format!("{operation} {model}"));
    span.set("gen_ai.operation.name", operation);
    // The conventions' own names where the provider's kind tells; else the one that the configuration gives it.
    match target.source.naming {
        Naming::Anthropic => span.set("gen_ai.provider.name", "anthropic"),
        Naming::Bedrock => span.set("gen_ai.provider.name", "aws.bedrock"),
        Naming::Cohere => span.set("gen_ai.provider.name", "cohere"),
        Naming::Local => span.set("gen_ai.provider.name", "outcrop"),
        Naming::Bare => span.set("gen_ai.provider.name", target.source.name.to_string()),
    }
    span.set("gen_ai.request.model", model);
    span.set("outcrop.provider", target.source.name.to_string());
    span.set("outcrop.target", target.name.to_string());
    if let Some(region) = &target.source.region {
        span.set("cloud.region", region.clone());
    }
    Some(span)
}

/// The answer has begun.
pub(super) fn begun(span: &Span, after: Duration) {
    span.set("gen_ai.response.time_to_first_chunk", after.as_secs_f64());
}

/// A failure's name.
pub(super) fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Request => "request",
        Cause::Unmappable => "unmappable",
        Cause::NoModel => "no_model",
        Cause::Credentials => "credentials",
        Cause::Throttled => "throttled",
        Cause::Unavailable => "unavailable",
        Cause::Unreachable => "unreachable",
        Cause::TimedOut => "timeout",
        Cause::Broken => "broken",
        Cause::Blocked => "blocked",
    }
}
