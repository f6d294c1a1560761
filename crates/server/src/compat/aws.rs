//! Parts of other AWS services on the same port, each a [`Slice`]: CloudWatch, Service Quotas, CloudTrail.
//!
//! Three protocols of AWS lead to them. JSON names the operation in `X-Amz-Target`, CBOR in the path, Query in the
//! form; the last two only where the service itself speaks them. A slice sees none of this: values in, values out.
//! Start at [`Slices::aim`], which finds what a request means, and [`Slices::run`], which answers it.

mod cbor;
mod error;
mod query;
#[cfg(test)]
mod tests;
mod xml;

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header, request};
use outcrop_access::Context;
use outcrop_api::{Fault, Kind};
use outcrop_telemetry::{Slice, SliceError};
use serde_json::Value;

use super::sts;
use crate::doors::Door;
use crate::listen::Body;

/// In which protocol a request came, and so in which its answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    /// A form in, XML out: STS and CloudWatch.
    Query,
    /// JSON; the target as `X-Amz-Target` has it, and the version of the protocol.
    Json {
        /// `GraniteServiceVersion20100801.ListMetrics`.
        target: String,
        /// The content type of both sides.
        content_type: &'static str,
    },
    /// CBOR; what stands behind `/service/`.
    Cbor(String),
}

impl Wire {
    /// The protocol of a request to one of the two doors of AWS's own protocols.
    pub fn of(door: Door, id: &str, parts: &request::Parts) -> Self {
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if door == Door::AwsCbor {
            return Self::Cbor(id.to_owned());
        }
        if !parts.headers.contains_key("x-amz-target") {
            return Self::Query;
        }
        let eleven = text("content-type").starts_with("application/x-amz-json-1.1");
        let content_type = if eleven { "application/x-amz-json-1.1" } else { "application/x-amz-json-1.0" };
        Self::Json { target: text("x-amz-target").to_owned(), content_type }
    }

    /// The service's target prefix and the operation, where the head names them.
    fn target(&self) -> Option<(&str, &str)> {
        match self {
            Self::Query => None,
            // A prefix may have dots of its own.
            Self::Json { target, .. } => target.rsplit_once('.'),
            Self::Cbor(path) => path.split_once("/operation/"),
        }
    }

    /// A refusal of the layers before the slices.
    pub fn refusal(&self, fault: &Fault, request_id: &str) -> Response<Body> {
        if *self == Self::Query {
            return sts::refusal(fault.kind, &fault.message, request_id);
        }
        // An access denied by a slice itself is 400; a caller who is nobody is refused like everywhere on this port.
        let refused =
            SliceError { code: fault.kind.name(), message: fault.message.clone(), status: fault.kind.default_status() };
        let service = self.target().map_or("", |(prefix, _)| prefix);
        error::answer(self, query::compatible(service), &refused, request_id)
    }
}

/// What a request means: a slice, an operation that it has, and its input.
pub struct Aimed {
    slice: Arc<dyn Slice>,
    wire: Wire,
    /// One of [`Slice::operations`].
    pub operation: &'static str,
    input: Value,
}

impl Aimed {
    /// The service, as a credential's scope names it.
    pub fn service(&self) -> &'static str {
        self.slice.signing_name()
    }
}

/// All slices that this server speaks. Cheap to clone.
#[derive(Clone, Default)]
pub struct Slices(Arc<[Arc<dyn Slice>]>);

impl Slices {
    /// These.
    pub fn new(slices: Vec<Arc<dyn Slice>>) -> Self {
        Self(slices.into())
    }

    /// These, and one more.
    #[must_use]
    pub fn and(&self, slice: Arc<dyn Slice>) -> Self {
        Self(self.0.iter().cloned().chain([slice]).collect())
    }

    /// Whether a form whose credential is scoped to `service` is for a slice, and not for STS.
    pub fn speak_query(&self, service: &str) -> bool {
        query::namespace(service).is_some() && self.0.iter().any(|slice| slice.signing_name() == service)
    }

    /// Finds what a proven request means. `service` is the one that its credential is scoped to.
    pub fn aim(
        &self,
        wire: Wire,
        service: &str,
        headers: &HeaderMap,
        body: &[u8],
        limit: usize,
    ) -> Result<Aimed, Fault> {
        let body = inflated(headers, body, limit)?;
        let form;
        let (slice, operation) = match wire.target() {
            Some((prefix, operation)) => {
                let slice = self.0.iter().find(|slice| slice.target_prefix() == prefix);
                (slice.ok_or_else(|| self.nobody(prefix))?, operation)
            }
            None if wire == Wire::Query => {
                form = query::Form::read(&body)?;
                let slice = self.0.iter().find(|slice| slice.signing_name() == service);
                (slice.ok_or_else(|| self.nobody(service))?, form.action(service)?)
            }
            None => return Err(self.nobody("")),
        };
        if slice.signing_name() != service {
            let name = slice.signing_name();
            let text = format!("Credential should be scoped to correct service: '{name}', not '{service}'.");
            return Err(Fault::new(Kind::InvalidSignature, text));
        }
        let cbor = matches!(wire, Wire::Cbor(_));
        if cbor && headers.get("smithy-protocol").is_none_or(|value| value != "rpc-v2-cbor") {
            let text = "The header smithy-protocol must be rpc-v2-cbor at this path.";
            return Err(Fault::new(Kind::Serialization, text));
        }
        let Some(operation) = slice.operations().iter().copied().find(|known| *known == operation) else {
            let (name, cut) = (slice.signing_name(), operation.chars().take(64).collect::<String>());
            let text = format!(
                "The operation {cut} of {name} is not built in this version of Outcrop. These are: {}.",
                slice.operations().join(", ")
            );
            return Err(Fault::new(Kind::NotImplemented, text));
        };
        let input = match &wire {
            Wire::Query => query::Form::read(&body)?.input(slice.timestamps()),
            Wire::Json { .. } => json(&body)?,
            Wire::Cbor(_) => cbor::read(&body)?,
        };
        if !input.is_object() {
            return Err(Fault::new(Kind::Serialization, "The input must be a structure."));
        }
        Ok(Aimed { slice: Arc::clone(slice), wire, operation, input })
    }

    fn nobody(&self, asked: &str) -> Fault {
        let known: Vec<_> = self.0.iter().map(|slice| slice.target_prefix()).collect();
        let asked: String = asked.chars().take(64).collect();
        let text = format!("No service of the target '{asked}' is spoken here. There are: {}.", known.join(", "));
        Fault::new(Kind::UnknownOperation, text)
    }

    /// Answers what [`Slices::aim`] found.
    pub async fn run(aimed: Aimed, cx: &Context) -> Response<Body> {
        let Aimed { slice, wire, operation, input } = aimed;
        let id = &cx.request_id;
        match slice.call(cx, operation, input).await {
            Ok(output) => success(&wire, &*slice, operation, &output, id),
            Err(refused) => {
                if refused.status >= 500 {
                    tracing::error!(request_id = id, operation, error = %refused, "failed");
                }
                error::answer(&wire, query::compatible(slice.target_prefix()), &refused, id)
            }
        }
    }
}

fn success(wire: &Wire, slice: &dyn Slice, operation: &str, output: &Value, id: &str) -> Response<Body> {
    match wire {
        Wire::Query => {
            let namespace = query::namespace(slice.signing_name()).map_or("", |(_, namespace)| namespace);
            let xml = xml::success(namespace, operation, output, slice.timestamps(), id);
            answer(200, "text/xml", xml.into_bytes(), id)
        }
        Wire::Json { content_type, .. } => {
            let text = if output.is_null() { "{}".to_owned() } else { output.to_string() };
            answer(200, content_type, text.into_bytes(), id)
        }
        Wire::Cbor(_) => {
            // What has no output has no body, and then no content type either.
            let body = if output.is_null() { Vec::new() } else { cbor::write(output, slice.timestamps()) };
            let mut response = answer(200, "application/cbor", body, id);
            response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
            if output.is_null() {
                response.headers_mut().remove(header::CONTENT_TYPE);
            }
            response
        }
    }
}

fn answer(status: u16, content_type: &'static str, body: Vec<u8>, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::full(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

fn json(body: &[u8]) -> Result<Value, Fault> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(body).map_err(|_| Fault::new(Kind::Serialization, "The body is not JSON."))
}

/// CloudWatch's model asks clients to compress `PutMetricData`, so they do from 10 KB on.
fn inflated<'b>(headers: &HeaderMap, body: &'b [u8], limit: usize) -> Result<std::borrow::Cow<'b, [u8]>, Fault> {
    if headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| encoding != "gzip") {
        return Ok(body.into());
    }
    let mut text = Vec::new();
    let read = flate2::read::GzDecoder::new(body).take(limit as u64 + 1).read_to_end(&mut text);
    read.map_err(|_| Fault::new(Kind::Serialization, "The body is not gzip."))?;
    if text.len() > limit {
        let text = format!("The request body is larger than the {limit} bytes that this server admits.");
        return Err(Fault::new(Kind::RequestTooLarge, text));
    }
    Ok(text.into())
}
