//! S3 on the same port: path style, told apart by the scope of its signatures.
//!
//! The gate of all requests proves who is calling, and its word alone counts: what `s3s` gets has no credentials any
//! more. `s3s` reads and writes the protocol; `operations` answer from [`Buckets`], which ask the caller's policies.
//! What is not among them answers `NotImplemented` in S3's words, and so does what `known` does not know. `body` holds
//! bodies against what was signed while they go to the disk.

mod body;
mod error;
mod known;
mod operations;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header, request};
use http_body_util::{BodyExt, StreamBody};
use outcrop_access::{Context, Payload};
use outcrop_api::Fault;
use outcrop_buckets::Buckets;
use outcrop_wire::text::percent_decode;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::dto::Range;
use s3s::path::{ParseS3PathError, S3Path, parse_path_style};
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::listen::{Body, BodyError};
use error::Refused;
pub use error::refusal;
use operations::Operations;

/// The most of a body that is XML: a thousand keys to delete.
const XML_BYTES: usize = 4 << 20;

/// The door.
#[derive(Clone)]
pub struct S3 {
    service: S3Service,
}

/// The operation that a request turned out to be, for its record.
#[derive(Clone, Default)]
pub struct Called(Arc<OnceLock<&'static str>>);

impl Called {
    /// Its name, once it is known.
    pub fn name(&self) -> Option<&'static str> {
        self.0.get().copied()
    }
}

impl S3 {
    /// A door to `buckets`.
    pub fn new(buckets: Buckets) -> Self {
        let mut builder = S3ServiceBuilder::new(Operations(buckets));
        let mut config = S3Config::default();
        config.xml_max_body_size = XML_BYTES;
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        Self { service: builder.build() }
    }

    /// Answers one proven request.
    pub async fn answer(
        &self,
        cx: &Context,
        parts: &request::Parts,
        (body, payload): (Body, Payload),
        patience: Duration,
        called: Called,
    ) -> Result<Response<Body>, Fault> {
        let uri = without_signature(&parts.uri);
        let checked = named(&uri)
            .and_then(|place| known::check(&parts.method, &place, uri.query().unwrap_or_default(), &parts.headers))
            .and_then(|()| owner(&parts.headers, &cx.caller.account))
            .and_then(|()| body::checked(&parts.headers, body, payload, patience));
        let checked = match checked {
            Ok(checked) => checked,
            Err(refused) => return Ok(error::answer(refused.into(), parts, &cx.request_id)),
        };
        let mut request = Request::new(s3s::Body::http_body_unsync(StreamBody::new(
            checked.bytes.map(|piece| piece.map(http_body::Frame::data)),
        )));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = without_credentials(&parts.headers, checked.length);
        pass_over_range(request.headers_mut());
        request.extensions_mut().insert(cx.clone());
        request.extensions_mut().insert(called);
        match self.service.call(request).await {
            Ok(response) => Ok(answered(response, &cx.request_id)),
            Err(error) => {
                let error = s3s::StdError::from(error);
                tracing::error!(request_id = cx.request_id, %error, "S3 failed");
                Err(Fault::new(
                    outcrop_api::Kind::InternalServer,
                    "We encountered an internal error. Please try again.",
                ))
            }
        }
    }
}

/// What a target names. Refuses, in S3's words, names of which `s3s` says by a code alone that they cannot be.
fn named(uri: &Uri) -> Result<S3Path, Refused> {
    let path = percent_decode(uri.path()).unwrap_or(Cow::Borrowed(uri.path()));
    match parse_path_style(&path) {
        Err(ParseS3PathError::InvalidBucketName) => {
            Err(Refused::new("InvalidBucketName", "The specified bucket is not valid."))
        }
        Err(ParseS3PathError::KeyTooLong) => Err(Refused::new("KeyTooLongError", "Your key is too long")),
        // `s3s` refuses it.
        Err(ParseS3PathError::InvalidPath) => Ok(S3Path::root()),
        Ok(place) => Ok(place),
    }
}

/// Refuses a bucket of which the caller says that another account owns it. Buckets open to their owners alone, so that
/// the only owner who can be right is the caller's own account.
fn owner(headers: &HeaderMap, account: &str) -> Result<(), Refused> {
    let named = ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];
    if named.iter().flat_map(|name| headers.get_all(*name)).any(|owner| owner.as_bytes() != account.as_bytes()) {
        return Err(Refused::new("AccessDenied", "Access Denied"));
    }
    Ok(())
}

/// The target without what signed it, which is no parameter of S3's.
fn without_signature(uri: &Uri) -> Uri {
    const SIGNATURE: [&str; 7] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
    ];
    let path = uri.path();
    let signs = |pair: &str| SIGNATURE.contains(&pair.split_once('=').map_or(pair, |(name, _)| name));
    let query = uri.query().unwrap_or_default();
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !signs(pair)).collect();
    let target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    // Parts of a target that was one.
    target.parse().unwrap_or_else(|_| uri.clone())
}

fn without_credentials(headers: &HeaderMap, length: Option<u64>) -> HeaderMap {
    let mut kept = headers.clone();
    kept.remove(header::AUTHORIZATION);
    kept.remove("x-amz-security-token");
    kept.remove("x-amz-content-sha256");
    if let Some(length) = length {
        // The framing is gone, and with it its length and its name among the encodings.
        kept.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        kept.remove("x-amz-decoded-content-length");
        kept.remove("x-amz-trailer");
        let encodings = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let rest: Vec<&str> =
            encodings.split(',').map(str::trim).filter(|one| !matches!(*one, "aws-chunked" | "")).collect();
        match HeaderValue::from_str(&rest.join(",")) {
            Ok(rest) if !rest.is_empty() => kept.insert(header::CONTENT_ENCODING, rest),
            _ => kept.remove(header::CONTENT_ENCODING),
        };
    }
    kept
}

/// A range that cannot be read, or that is several, asks for nothing: S3 answers the whole object.
fn pass_over_range(headers: &mut HeaderMap) {
    let one = |range: &HeaderValue| range.to_str().is_ok_and(|range| Range::parse(range).is_ok());
    if headers.get(header::RANGE).is_some_and(|range| !one(range)) {
        headers.remove(header::RANGE);
    }
}

fn answered(response: Response<s3s::Body>, request_id: &str) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let body = match body.bytes() {
        Some(bytes) => Body::full(bytes),
        None => {
            let pieces = body.into_data_stream().map(|piece: Result<Bytes, s3s::StdError>| {
                piece.map_err(|error| {
                    tracing::error!(%error, "an object could not be read to its end");
                    BodyError::Aborted
                })
            });
            Body::stream(pieces)
        }
    };
    if parts.status == StatusCode::OK && parts.headers.contains_key(header::CONTENT_RANGE) {
        // `s3s` says so of GetObject alone.
        parts.status = StatusCode::PARTIAL_CONTENT;
    }
    identify(&mut parts.headers, request_id);
    Response::from_parts(parts, body)
}

/// S3's name for the id by which the log knows a request, beside the name that all answers of this port have.
fn identify(headers: &mut HeaderMap, request_id: &str) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-amz-request-id"), id.clone());
        headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
}
