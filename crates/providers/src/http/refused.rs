//! A provider's refusals, in AWS's words.

#[cfg(test)]
mod tests;

use std::time::Duration;

use ::http::header::RETRY_AFTER;
use ::http::{HeaderMap, StatusCode};
use outcrop_api::{Fault, Kind, Original};
use outcrop_dialects::client::Refusal;

use crate::{Cause, Failure};

/// Bedrock's words before what a model's provider says.
const PREFIX: &str = "The model returned the following errors: ";

/// A refusal with its status.
pub(super) fn failure(provider: &str, status: StatusCode, headers: &HeaderMap, refusal: &Refusal) -> Failure {
    let mut failure = match status.as_u16() {
        400 | 413 | 415 | 422 => request(refusal),
        401..=403 => credentials(provider),
        404 | 405 | 410 => no_model(refusal),
        408 | 504 => timed_out(),
        429 => throttled(),
        _ => unavailable(),
    };
    failure.retry_after = retry_after(headers);
    failure
}

/// A refusal within an answer that began with success: its name is all there is.
pub(super) fn within(provider: &str, refusal: &Refusal) -> Failure {
    match refusal.code.as_deref().unwrap_or_default() {
        "invalid_request_error" | "invalid_request" | "context_length_exceeded" | "BadRequestError" | "400" => {
            request(refusal)
        }
        "authentication_error" | "permission_error" | "401" | "403" => credentials(provider),
        "not_found_error" | "404" => no_model(refusal),
        "rate_limit_error" | "rate_limit_exceeded" | "429" => throttled(),
        "timeout_error" => timed_out(),
        code => {
            let status = match code {
                // As Anthropic's reference numbers them.
                "overloaded_error" => Some(529),
                "api_error" => Some(500),
                code => code.parse().ok(),
            };
            let mut failure = unavailable();
            failure.fault.original = Some(Box::new(Original { status, message: refusal.message.clone() }));
            failure
        }
    }
}

fn request(refusal: &Refusal) -> Failure {
    let said = if refusal.message.is_empty() { "the request was refused without a reason" } else { &refusal.message };
    // Clients shorten conversations when they find Bedrock's own words for it.
    let long = refusal.code.as_deref() == Some("context_length_exceeded")
        || ["maximum context length", "context window", "exceeds the available context size"]
            .iter()
            .any(|words| said.contains(words));
    let long =
        if long && !said.contains("prompt is too long") { "Input is too long for requested model. " } else { "" };
    Failure::new(Cause::Request, Fault::validation(format!("{PREFIX}{long}{said}")))
}

fn credentials(provider: &str) -> Failure {
    // What providers say here repeats keys, whole or in part.
    let text = format!("The provider {provider} refuses the credentials that this server has for it.");
    Failure::new(Cause::Credentials, Fault::new(Kind::ModelError, text))
}

fn no_model(refusal: &Refusal) -> Failure {
    let text = format!("The provider of this model does not know it. {}", refusal.message);
    Failure::new(Cause::NoModel, Fault::new(Kind::ResourceNotFound, text.trim_end()))
}

fn timed_out() -> Failure {
    let text = "The provider of this model did not answer in time.";
    Failure::new(Cause::TimedOut, Fault::new(Kind::ModelTimeout, text))
}

fn throttled() -> Failure {
    let text = "Too many requests, please wait before trying again. The provider of this model throttles this server.";
    Failure::new(Cause::Throttled, Fault::new(Kind::Throttling, text))
}

fn unavailable() -> Failure {
    let text = "The provider of this model is not able to answer now. Try again later.";
    Failure::new(Cause::Unavailable, Fault::new(Kind::ServiceUnavailable, text))
}

/// Nobody waits longer, and no clock runs over.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `Retry-After` in seconds, or OpenAI's `retry-after-ms`. Dates are not read: clocks differ.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number(RETRY_AFTER.as_str()))?;
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(DAY))
}
