//! What the pipeline shows of itself: `GET /metrics`, and a span for each call.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Response, request};
use outcrop_access::Context;
use outcrop_api::{Fault, Kind};
use outcrop_telemetry::meters::Meters;
use outcrop_telemetry::prometheus::{self, Format};
use outcrop_telemetry::trace::{Parent, Span, Tracer};
use subtle::ConstantTimeEq;

use crate::config::{Metrics, SecretRef};
use crate::listen::{Body, Peer};

/// What says that somebody else is behind whoever sends a request.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// What is shown, and to whom.
#[derive(Debug, Default)]
pub struct Observe {
    meters: Arc<Meters>,
    token: Option<SecretRef>,
    open_on_loopback: bool,
    tracer: Option<Arc<Tracer>>,
}

impl Observe {
    /// Shows `meters` to whom `config` says, and tells `tracer` of calls.
    pub fn new(meters: Arc<Meters>, config: &Metrics, tracer: Option<Arc<Tracer>>) -> Self {
        Self { meters, token: config.token.clone(), open_on_loopback: config.open_on_loopback, tracer }
    }

    /// Whether whoever sent `parts` may read the metrics. They are those of all accounts, so that no account's
    /// credentials open them: the token does, and where that is wanted a program of this machine is.
    pub fn shows(&self, dev: bool, parts: &request::Parts) -> bool {
        let here = || {
            let peer = parts.extensions.get::<Peer>();
            // A reverse proxy of this machine brings strangers.
            peer.is_some_and(|peer| peer.address.is_some_and(|address| address.ip().to_canonical().is_loopback()))
                && !FORWARDED.iter().any(|name| parts.headers.contains_key(*name))
        };
        dev || self.told(&parts.headers) || (self.open_on_loopback && here())
    }

    fn told(&self, headers: &HeaderMap) -> bool {
        let given = headers.get("authorization").and_then(|value| value.as_bytes().split_at_checked(7));
        match (&self.token, given) {
            (Some(token), Some((scheme, given))) => {
                scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(token.expose().as_bytes().ct_eq(given))
            }
            _ => false,
        }
    }

    /// The metrics, as they are now.
    pub fn metrics(&self, headers: &HeaderMap) -> Response<Body> {
        let format = Format::accepted(headers.get("accept").and_then(|accept| accept.to_str().ok()));
        let text = prometheus::write(&self.meters.gather(), format);
        let mut response = Response::new(Body::full(text));
        response.headers_mut().insert("content-type", HeaderValue::from_static(format.content_type()));
        response
    }

    /// The span of a call, where somebody wants to know of it.
    pub fn call(&self, cx: &Context, headers: &HeaderMap) -> Option<Span> {
        let tracer = self.tracer.as_ref()?;
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let parent = header("traceparent").and_then(|parent| Parent::read(parent, header("tracestate")));
        let span = tracer.server(cx.operation, parent);
        if span.recorded() {
            span.set("rpc.system", "aws-api");
            span.set("rpc.service", cx.service);
            span.set("rpc.method", cx.operation);
            span.set("aws.request_id", cx.request_id.clone());
            span.set("cloud.account.id", cx.caller.account.clone());
            span.set("cloud.region", cx.region.clone());
        }
        Some(span)
    }
}

/// Says in `span` what a call was answered. A stream ends it later.
pub fn answered(span: Option<&Span>, answer: &Result<Response<Body>, Fault>) {
    let Some(span) = span.filter(|span| span.recorded()) else { return };
    match answer {
        Ok(response) => {
            let status = response.status().as_u16();
            span.set("http.response.status_code", u32::from(status));
            if status >= 400 {
                let error = response.headers().get("x-amzn-errortype").and_then(|value| value.to_str().ok());
                span.fail(error.map_or_else(|| status.to_string(), str::to_owned));
            }
        }
        Err(fault) => {
            span.set("http.response.status_code", u32::from(fault.kind.default_status()));
            span.fail(fault.kind.name());
        }
    }
}

/// The refusal of whoever has proven who it is, and asks for what is no account's.
pub fn nobody_s() -> Fault {
    let text = "The metrics are those of all accounts: they are read with metrics.token as the bearer, or on this \
                machine where metrics.open_on_loopback is set.";
    Fault::new(Kind::AccessDenied, text)
}
