//! AWS's errors, taken over as they are: their names are ours.

use ::http::{HeaderMap, StatusCode};
use outcrop_api::{Fault, Kind, Original};
use outcrop_signing::Signed;
use serde_json::Value;

use crate::http::Http;
use crate::{Cause, Failure};

/// A refusal with its status. The caller reads the upstream's own words, but for what is about this server's identity.
pub(super) fn failure(http: &Http, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let named = headers.get("x-amzn-errortype").and_then(|name| name.to_str().ok());
    let name = named.or_else(|| said["__type"].as_str()).unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default();
    let message = said["message"].as_str().or_else(|| said["Message"].as_str()).unwrap_or_default();
    let (provider, name, message) = (http.name(), &*http.hide(name), &*http.hide(message));
    tracing::warn!(provider, status = status.as_u16(), name, "a Bedrock refuses a call");
    let mut failure = named_failure(provider, name, message).unwrap_or_else(|| by_status(provider, status, message));
    failure.fault.original = original(http, &failure, &said);
    failure.retry_after = crate::http::retry_after(headers);
    failure
}

/// What was sent beside the signature, and what it was made with, stays here.
pub(super) fn without(signed: &Signed, mut failure: Failure) -> Failure {
    let fault = &mut failure.fault;
    for text in std::iter::once(&mut fault.message).chain(fault.original.as_mut().map(|o| &mut o.message)) {
        *text = signed.hide(text);
    }
    failure
}

/// An exception within a stream, by the name of its member: `throttlingException`.
pub(super) fn in_stream(http: &Http, name: &str, said: &Value, message: &str) -> Failure {
    let mut upper = name.to_owned();
    if let Some(first) = upper.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let message = &*http.hide(message);
    let failure = named_failure(http.name(), &upper, message);
    let mut failure =
        failure.unwrap_or_else(|| Failure::new(Cause::Broken, Fault::new(Kind::ModelStreamError, message)));
    failure.fault.original = original(http, &failure, said);
    failure
}

/// What the model's own server answered the Bedrock.
fn original(http: &Http, failure: &Failure, said: &Value) -> Option<Box<Original>> {
    if failure.cause == Cause::Credentials {
        return None;
    }
    let status = said["originalStatusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let message = said["originalMessage"].as_str().map(|message| http.hide(message));
    (status.is_some() || message.is_some()).then(|| Box::new(Original { status, message: message.unwrap_or_default() }))
}

/// No credentials were found; the reason is for the log.
pub(super) fn no_credentials(provider: &str, error: &dyn std::fmt::Display) -> Failure {
    tracing::error!(provider, %error, "no AWS credentials for a provider");
    let text = format!("The provider {provider} cannot be called: this server found no AWS credentials for it.");
    Failure::new(Cause::Credentials, Fault::new(Kind::ModelError, text))
}

fn credentials(provider: &str) -> Failure {
    let text = format!("The provider {provider} refuses the credentials that this server has for it.");
    Failure::new(Cause::Credentials, Fault::new(Kind::ModelError, text))
}

fn named_failure(provider: &str, name: &str, message: &str) -> Option<Failure> {
    let (cause, kind) = match name {
        "ValidationException" => (Cause::Request, Kind::Validation),
        "ServiceQuotaExceededException" => (Cause::Throttled, Kind::ServiceQuotaExceeded),
        "ThrottlingException" => (Cause::Throttled, Kind::Throttling),
        "ResourceNotFoundException" => (Cause::NoModel, Kind::ResourceNotFound),
        "ModelNotReadyException" => (Cause::Unavailable, Kind::ModelNotReady),
        "ModelTimeoutException" => (Cause::TimedOut, Kind::ModelTimeout),
        "ModelErrorException" => (Cause::Broken, Kind::ModelError),
        "ModelStreamErrorException" => (Cause::Broken, Kind::ModelStreamError),
        "ServiceUnavailableException" => (Cause::Unavailable, Kind::ServiceUnavailable),
        "InternalServerException" | "InternalFailure" => (Cause::Unavailable, Kind::ServiceUnavailable),
        "NotImplementedException" => (Cause::Unmappable, Kind::NotImplemented),
        // Whatever these say, it is about this server, not about its caller.
        "AccessDeniedException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "ExpiredTokenException"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignatureException" => return Some(credentials(provider)),
        _ => return None,
    };
    let message = match kind {
        Kind::ServiceUnavailable if message.is_empty() => "The provider of this model is not able to answer now.",
        _ => message,
    };
    Some(Failure::new(cause, Fault::new(kind, message)))
}

fn by_status(provider: &str, status: StatusCode, message: &str) -> Failure {
    let (cause, kind) = match status.as_u16() {
        400 | 413 => (Cause::Request, Kind::Validation),
        401 | 403 => return credentials(provider),
        404 => (Cause::NoModel, Kind::ResourceNotFound),
        408 => (Cause::TimedOut, Kind::ModelTimeout),
        429 => (Cause::Throttled, Kind::Throttling),
        424 => (Cause::Broken, Kind::ModelError),
        _ => (Cause::Unavailable, Kind::ServiceUnavailable),
    };
    let message =
        if message.is_empty() { "The provider of this model refuses the call without a reason." } else { message };
    Failure::new(cause, Fault::new(kind, message))
}
