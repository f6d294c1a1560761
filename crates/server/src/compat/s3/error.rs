//! Refusals in S3's words.

use std::str::FromStr;

use http::{Response, StatusCode, request};
use outcrop_api::{Fault, Kind};
use outcrop_buckets::BucketError;
use s3s::{S3Error, S3ErrorCode};

use super::identify;
use crate::compat::sts::element;
use crate::listen::Body;

/// What is wrong with what was sent, by S3's own code.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(super) struct Refused {
    pub code: &'static str,
    pub text: String,
}

impl Refused {
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl From<Refused> for S3Error {
    fn from(refused: Refused) -> Self {
        coded(refused.code, refused.text)
    }
}

impl From<Refused> for BucketError {
    fn from(refused: Refused) -> Self {
        Self::Sent { code: refused.code, text: refused.text }
    }
}

fn coded(code: &str, text: impl Into<String>) -> S3Error {
    let code = S3ErrorCode::from_str(code).unwrap_or(S3ErrorCode::InvalidRequest);
    let mut error = S3Error::with_message(code.clone(), text.into());
    if code.status_code().is_none() {
        error.set_status_code(StatusCode::BAD_REQUEST);
    }
    error
}

/// A bucket's refusal.
pub(super) fn of(error: BucketError) -> S3Error {
    let code = match &error {
        BucketError::NoSuchBucket(_) => "NoSuchBucket",
        BucketError::NoSuchKey(_) => "NoSuchKey",
        BucketError::NoSuchUpload => "NoSuchUpload",
        BucketError::Invalid(_) => "InvalidArgument",
        BucketError::TooLarge { .. } => "EntityTooLarge",
        BucketError::Range { .. } => "InvalidRange",
        BucketError::NoSuchPart => {
            let mut error = coded("InvalidPartNumber", error.to_string());
            error.set_status_code(StatusCode::RANGE_NOT_SATISFIABLE);
            return error;
        }
        BucketError::Unbuilt(_) => "NotImplemented",
        BucketError::Precondition => "PreconditionFailed",
        BucketError::Exists => "BucketAlreadyExists",
        BucketError::Owned => "BucketAlreadyOwnedByYou",
        BucketError::NotEmpty => "BucketNotEmpty",
        BucketError::Sent { code, .. } => code,
        BucketError::Denied(_) => "AccessDenied",
        BucketError::Failed(_) => {
            tracing::error!(%error, "a bucket failed");
            return coded("InternalError", "We encountered an internal error. Please try again.");
        }
    };
    let text = match &error {
        // Which one is in the request; S3's texts do not repeat it.
        BucketError::NoSuchBucket(_) => "The specified bucket does not exist".to_owned(),
        BucketError::NoSuchKey(_) => "The specified key does not exist.".to_owned(),
        other => other.to_string(),
    };
    coded(code, text)
}

/// A refusal before an operation has begun.
pub(super) fn answer(error: S3Error, parts: &request::Parts, request_id: &str) -> Response<Body> {
    let status = error.status_code().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    xml(status, error.code().as_str(), error.message().unwrap_or_default(), parts.uri.path(), request_id)
}

/// A refusal of the layers before this door, with S3's own name for it.
pub fn refusal(fault: &Fault, resource: &str, request_id: &str) -> Response<Body> {
    let code = match fault.kind {
        Kind::UnrecognizedClient => "InvalidAccessKeyId",
        Kind::InvalidSignature if fault.message.starts_with("Signature expired") => "RequestTimeTooSkewed",
        Kind::InvalidSignature => "SignatureDoesNotMatch",
        Kind::MissingAuthenticationToken | Kind::AccessDenied => "AccessDenied",
        Kind::ExpiredToken => "ExpiredToken",
        Kind::Throttling => "SlowDown",
        Kind::InternalServer => "InternalError",
        Kind::ServiceUnavailable => "ServiceUnavailable",
        Kind::NotImplemented => "NotImplemented",
        Kind::Validation => "InvalidRequest",
        other => other.name(),
    };
    let status = S3ErrorCode::from_str(code).ok().and_then(|code| code.status_code());
    let status = status.or_else(|| StatusCode::from_u16(fault.kind.default_status()).ok());
    xml(status.unwrap_or(StatusCode::BAD_REQUEST), code, &fault.message, resource, request_id)
}

fn xml(status: StatusCode, code: &str, message: &str, resource: &str, request_id: &str) -> Response<Body> {
    let parts = [
        element("Code", code),
        element("Message", message),
        element("Resource", resource),
        element("RequestId", request_id),
    ];
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n{}</Error>\n", parts.concat());
    let mut response = Response::new(Body::full(text));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/xml"));
    identify(response.headers_mut(), request_id);
    response
}
