//! Answers on the wire: a response, an event stream, an error.

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use outcrop_api::{Events, Fault, Kind, Service, Spec};
use outcrop_wire::eventstream;
use outcrop_wire::shape::{Location, Structure, View};

use crate::listen::Body;

/// As many events as are ready at the same moment leave in one piece.
const TOGETHER: usize = 32;

/// One response of `spec`.
pub fn response(
    spec: &Spec,
    output: &dyn Structure,
    extra: &[(&'static str, String)],
    request_id: &str,
) -> Response<Body> {
    let mut json = true;
    let mut body = None;
    for (index, member) in output.shape().members.iter().enumerate() {
        if member.at == Location::Payload {
            body = Some(match output.view(index) {
                View::Blob(bytes) => {
                    json = false;
                    Bytes::copy_from_slice(bytes)
                }
                View::Structure(inner) => outcrop_wire::encode::body(inner, Vec::new()).into(),
                _ => Bytes::new(),
            });
        }
    }
    let body = match body {
        Some(body) => body,
        // 204 has no body at all.
        None if spec.status == 204 => Bytes::new(),
        None => outcrop_wire::encode::body(output, Vec::with_capacity(512)).into(),
    };
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = StatusCode::from_u16(spec.status).unwrap_or(StatusCode::OK);
    if json && spec.status != 204 {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers(&mut response, output, extra, request_id);
    response
}

/// An event stream of `spec`: the head now, each event as it comes. Backpressure is the client's reading; a client
/// that goes away drops `events`, and with it what produces them.
pub fn stream<E: Structure + 'static>(
    spec: &'static Spec,
    head: &dyn Structure,
    extra: &[(&'static str, String)],
    request_id: &str,
    events: Events<E>,
) -> Response<Body> {
    let frames = events.ready_chunks(TOGETHER).map(|events| {
        let mut out = Vec::with_capacity(1024);
        for event in events {
            match event {
                Ok(event) => frame(&event, &mut out),
                Err(fault) => exception(spec, &fault, &mut out),
            }
        }
        Ok(Bytes::from(out))
    });
    let mut response = Response::new(Body::stream(frames));
    *response.status_mut() = StatusCode::from_u16(spec.status).unwrap_or(StatusCode::OK);
    let kind = HeaderValue::from_static("application/vnd.amazon.eventstream");
    headers(&mut response, head, extra, request_id);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The event is named by the union's member and its payload is that member, not wrapped.
fn frame(event: &dyn Structure, out: &mut Vec<u8>) {
    for (index, member) in event.shape().members.iter().enumerate() {
        if let View::Structure(inner) = event.view(index) {
            let payload = outcrop_wire::encode::body(inner, Vec::with_capacity(256));
            if let Err(error) = eventstream::event(out, member.name, "application/json", &payload) {
                tracing::error!(%error, event = member.name, "an event does not fit a frame");
            }
        }
    }
}

/// An error after the head was sent. Clients take a stream that just ends for a complete answer, so it must be told
/// in the stream, by one of the members that its events declare.
fn exception(spec: &Spec, fault: &Fault, out: &mut Vec<u8>) {
    let named = |name: &str| spec.stream_errors.iter().find(|member| member.eq_ignore_ascii_case(name)).copied();
    let Some(member) = named(fault.kind.name()).or_else(|| named(Kind::InternalServer.name())) else {
        tracing::error!(operation = spec.name, "the operation's events have no exception");
        return;
    };
    let payload = body(fault).to_string();
    if let Err(error) = eventstream::exception(out, member, payload.as_bytes()) {
        tracing::error!(%error, "an exception does not fit a frame");
    }
}

/// An AWS error of `service`.
pub fn fault(fault: &Fault, service: Service, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::full(body(fault).to_string()));
    *response.status_mut() =
        StatusCode::from_u16(service.status(fault.kind)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    refusal_headers(&mut response, fault);
    identify(&mut response, request_id);
    response
}

/// The members of an exception. Only those of models say what the model's own server answered.
fn body(fault: &Fault) -> serde_json::Value {
    let mut body = serde_json::json!({ "message": fault.message });
    if let Some(original) = &fault.original
        && matches!(fault.kind, Kind::ModelError | Kind::ModelStreamError)
    {
        if let Some(status) = original.status {
            body["originalStatusCode"] = status.into();
        }
        if fault.kind == Kind::ModelStreamError && !original.message.is_empty() {
            body["originalMessage"] = original.message.as_str().into();
        }
    }
    body
}

/// The headers of a refusal, at every door of this port: AWS's name of the error, when to come again, and the fault's
/// own.
pub fn refusal_headers(response: &mut Response<Body>, fault: &Fault) {
    let headers = response.headers_mut();
    headers.insert("x-amzn-errortype", HeaderValue::from_static(fault.kind.name()));
    if let Some(wait) = fault.retry_after {
        // Whole seconds, rounded up: who comes earlier is refused again.
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil().max(1.0) as u64));
    }
    for (name, value) in &fault.headers {
        insert(response, HeaderName::from_static(name), value);
    }
}

/// Every answer carries the id by which the log knows its request.
pub fn identify(response: &mut Response<Body>, request_id: &str) {
    insert(response, HeaderName::from_static("x-amzn-requestid"), request_id);
}

fn headers(response: &mut Response<Body>, output: &dyn Structure, extra: &[(&'static str, String)], request_id: &str) {
    for (index, member) in output.shape().members.iter().enumerate() {
        if let Location::Header(name) = member.at
            && let (Ok(name), Some(value)) =
                (HeaderName::try_from(name), outcrop_wire::encode::header(&output.view(index)))
        {
            insert(response, name, &value);
        }
    }
    for (name, value) in extra {
        insert(response, HeaderName::from_static(name), value);
    }
    identify(response, request_id);
}

fn insert(response: &mut Response<Body>, name: HeaderName, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(value) => drop(response.headers_mut().insert(name, value)),
        Err(_) => tracing::warn!(%name, "a header value that HTTP cannot carry was left out"),
    }
}
