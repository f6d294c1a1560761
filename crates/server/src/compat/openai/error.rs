//! Errors in OpenAI's shape.

#[cfg(test)]
mod tests;

use http::Response;
use outcrop_api::{Fault, Kind};
use outcrop_dialects::DialectError;
use outcrop_models::ModelsError;
use serde_json::{Value, json};

use crate::compat::request::place;
use crate::compat::{refused, told};
use crate::listen::Body;

/// A refusal, and the member of the body that it is about.
#[derive(Debug)]
pub struct Refused {
    fault: Fault,
    param: Option<String>,
    code: Option<&'static str>,
}

impl Refused {
    /// The same, after what the operator should know of it went to the log.
    pub(in crate::compat) fn logged(self, request_id: &str) -> Self {
        Self { fault: told(self.fault, request_id), ..self }
    }

    /// A refusal of the member `param`.
    pub(super) fn of(param: &str, message: impl Into<String>) -> Self {
        Self { fault: Fault::validation(message), param: Some(param.to_owned()), code: None }
    }

    /// The same with a code that says more than its kind does.
    pub(super) fn coded(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// The kind of error.
    pub(super) fn kind(&self) -> Kind {
        self.fault.kind
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { fault, param: None, code: None }
    }
}

impl From<DialectError> for Refused {
    fn from(error: DialectError) -> Self {
        let (place, why) = place(&error);
        let mut param = String::new();
        for step in place {
            if step.bytes().all(|b| b.is_ascii_digit()) {
                param += &format!("[{step}]");
            } else {
                param += if param.is_empty() { "" } else { "." };
                param += &step;
            }
        }
        if param.is_empty() {
            return Fault::validation(why).into();
        }
        Self::of(&param, format!("{param}: {why}"))
    }
}

/// The answer to a call that is refused.
pub fn refusal(why: &Refused, request_id: &str) -> Response<Body> {
    let (status, _, _) = class(&why.fault);
    let mut body = body(&why.fault, why.param.as_deref());
    if let Some(code) = why.code {
        body["error"]["code"] = code.into();
    }
    super::identify(refused(status, &body, &why.fault), request_id)
}

/// `{"error": …}`, as a body or as the last event of a stream.
pub(super) fn body(fault: &Fault, param: Option<&str>) -> Value {
    let (_, kind, code) = class(fault);
    json!({"error": {"message": fault.message, "type": kind, "param": param, "code": code}})
}

/// Status, type and code. OpenAI's guide to errors names the statuses; its clients choose their exception by them.
pub(super) fn class(fault: &Fault) -> (u16, &'static str, Option<&'static str>) {
    const INVALID: &str = "invalid_request_error";
    // The gateway has reduced it to a fault by then; OpenAI tells it apart by status.
    let unknown_model = *fault == Fault::of(&ModelsError::InvalidIdentifier);
    match fault.kind {
        Kind::Validation if unknown_model => (404, INVALID, Some("model_not_found")),
        Kind::ResourceNotFound => (404, INVALID, Some("not_found")),
        Kind::UnknownOperation => (404, INVALID, Some("unknown_url")),
        Kind::MethodNotAllowed => (405, INVALID, Some("method_not_allowed")),
        Kind::MissingAuthenticationToken | Kind::UnrecognizedClient | Kind::InvalidSignature | Kind::ExpiredToken => {
            (401, INVALID, Some("invalid_api_key"))
        }
        Kind::AccessDenied => (403, INVALID, Some("permission_denied")),
        Kind::Throttling | Kind::ModelNotReady => (429, "rate_limit_error", Some("rate_limit_exceeded")),
        Kind::ServiceQuotaExceeded => (429, "insufficient_quota", Some("insufficient_quota")),
        Kind::RequestTooLarge => (413, INVALID, Some("request_too_large")),
        Kind::Conflict | Kind::ResourceInUse => (409, INVALID, Some("conflict")),
        Kind::NotImplemented => (501, INVALID, Some("not_implemented")),
        Kind::ModelTimeout => (408, "server_error", Some("timeout")),
        Kind::ModelError | Kind::ModelStreamError | Kind::DependencyFailed | Kind::BadGateway => {
            (502, "server_error", Some("model_error"))
        }
        Kind::ServiceUnavailable => (503, "server_error", Some("service_unavailable")),
        Kind::InternalServer => (500, "server_error", Some("internal_error")),
        Kind::Validation | Kind::Serialization | Kind::TooManyTags => (400, INVALID, None),
    }
}
