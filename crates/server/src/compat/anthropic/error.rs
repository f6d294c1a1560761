//! Errors in Anthropic's shape.

use http::Response;
use outcrop_api::{Fault, Kind};
use outcrop_dialects::DialectError;
use outcrop_models::ModelsError;
use serde_json::{Value, json};

use crate::compat::refused;
use crate::compat::request::place;
use crate::listen::Body;

/// The answer to a call that is refused.
pub fn refusal(fault: &Fault, request_id: &str) -> Response<Body> {
    let mut body = body(fault);
    body["request_id"] = request_id.into();
    super::identify(refused(class(fault).0, &body, fault), request_id)
}

/// `{"type": "error", …}`, as a body or as the last event of a stream.
pub(super) fn body(fault: &Fault) -> Value {
    json!({"type": "error", "error": {"type": class(fault).1, "message": fault.message}})
}

/// Anthropic names the member that is wrong in front of what is wrong with it: `messages.0.content: …`.
pub(super) fn told(error: &DialectError) -> Fault {
    let (place, why) = place(error);
    Fault::validation(if place.is_empty() { why } else { format!("{}: {why}", place.join(".")) })
}

/// Status and type, as Anthropic's reference of errors pairs them; its clients choose their exception by the status.
fn class(fault: &Fault) -> (u16, &'static str) {
    const INVALID: &str = "invalid_request_error";
    // The gateway has reduced it to a fault by then; Anthropic tells it apart by status.
    let unknown_model = *fault == Fault::of(&ModelsError::InvalidIdentifier);
    match fault.kind {
        Kind::Validation if unknown_model => (404, "not_found_error"),
        Kind::ResourceNotFound | Kind::UnknownOperation => (404, "not_found_error"),
        Kind::MethodNotAllowed => (405, INVALID),
        Kind::MissingAuthenticationToken | Kind::UnrecognizedClient | Kind::InvalidSignature | Kind::ExpiredToken => {
            (401, "authentication_error")
        }
        Kind::AccessDenied => (403, "permission_error"),
        Kind::Throttling | Kind::ModelNotReady | Kind::ServiceQuotaExceeded => (429, "rate_limit_error"),
        Kind::RequestTooLarge => (413, "request_too_large"),
        Kind::Conflict | Kind::ResourceInUse => (409, INVALID),
        Kind::NotImplemented => (501, INVALID),
        Kind::ModelTimeout => (504, "timeout_error"),
        Kind::ServiceUnavailable => (529, "overloaded_error"),
        Kind::ModelError | Kind::ModelStreamError | Kind::DependencyFailed | Kind::BadGateway => (502, "api_error"),
        Kind::InternalServer => (500, "api_error"),
        Kind::Validation | Kind::Serialization | Kind::TooManyTags => (400, INVALID),
    }
}
