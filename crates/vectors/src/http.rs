//! Engines that are asked with JSON over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use outcrop_outbound::{Endpoint, Outbound, collect};
use outcrop_signing::{Identity, Signed};
use serde_json::Value as Json;

use crate::{Result, VectorError};

/// The longest answer.
const MOST: usize = 256 << 20;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a request is sent that did not leave.
const TRIES: usize = 3;

/// An engine's address, and what it knows this server by.
pub(crate) struct Http {
    endpoint: Endpoint,
    key: Key,
}

/// What an engine knows this server by.
pub(crate) enum Key {
    Nothing,
    /// A header that each request has.
    Header(HeaderName, HeaderValue),
    /// A signature for AWS.
    Signature(Box<Identity>),
}

impl Key {
    pub fn header(name: HeaderName, value: &str) -> Result<Self> {
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| VectorError::Invalid("the password holds what no header can".to_owned()))?;
        value.set_sensitive(true);
        Ok(Self::Header(name, value))
    }
}

impl Http {
    pub fn new(url: &str, key: Key, outbound: &Outbound) -> Result<Self> {
        let endpoint = outbound.endpoint(url).map_err(|error| VectorError::Invalid(error.to_string()))?;
        Ok(Self { endpoint, key })
    }

    /// What is answered; an error where it is one, unless it is that nothing is there.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Option<Json>> {
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.send(method, path, "application/json", body).await
    }

    /// The same where nothing being there is an error too.
    pub async fn must(&self, method: Method, path: &str, body: &Json) -> Result<Json> {
        let found = self.ask(method, path, Some(body)).await?;
        found.ok_or_else(|| VectorError::Failed("the index is not there any more".to_owned()))
    }

    pub async fn send(&self, method: Method, path: &str, kind: &'static str, body: Bytes) -> Result<Option<Json>> {
        let mut tries = 0;
        let (status, bytes, signed) = loop {
            tries += 1;
            let mut request = Request::new(body.clone());
            *request.method_mut() = method.clone();
            *request.uri_mut() = self.endpoint.uri(path);
            if !body.is_empty() {
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            }
            let signed = self.show_key(&mut request).await?;
            let answered = tokio::time::timeout(PATIENCE, async {
                let answer = self.endpoint.send(request).await?;
                let status = answer.status();
                Ok::<_, outcrop_outbound::OutboundError>((status, collect(answer.into_body(), MOST).await?))
            });
            match answered.await {
                Ok(Ok((status, bytes))) => break (status, bytes, signed),
                Ok(Err(error)) if error.before_sent() && tries < TRIES => {}
                Ok(Err(error)) => {
                    // Where it is, is the operator's to know.
                    tracing::warn!(%error, at = self.endpoint.host(), "a vector engine cannot be reached");
                    return Err(VectorError::Failed("the engine cannot be reached".to_owned()));
                }
                Err(_) => return Err(VectorError::Failed("the engine does not answer".to_owned())),
            }
        };
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let json: Json = serde_json::from_slice(&bytes).unwrap_or_default();
        if let Some(signed) = signed.filter(|_| matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) {
            // What AWS says of credentials is about the operator's, and may repeat all that was signed.
            let said = signed.hide(&said(&json));
            tracing::warn!(
                status = status.as_u16(),
                said,
                at = self.endpoint.host(),
                "AWS refuses a vector engine's call"
            );
            return Err(VectorError::Failed(format!(
                "{} the engine refuses this server's credentials",
                status.as_u16()
            )));
        }
        if !status.is_success() {
            return Err(VectorError::Failed(format!("{} {}", status.as_u16(), said(&json))));
        }
        Ok(Some(json))
    }

    async fn show_key(&self, request: &mut Request<Bytes>) -> Result<Option<Signed>> {
        let identity = match &self.key {
            Key::Nothing => return Ok(None),
            Key::Header(name, value) => {
                request.headers_mut().insert(name, value.clone());
                return Ok(None);
            }
            Key::Signature(identity) => identity,
        };
        let (method, uri, body) = (request.method().clone(), request.uri().clone(), request.body().clone());
        let signed = identity.sign(&method, &uri, self.endpoint.host(), &body, request.headers_mut()).await;
        signed.map(Some).map_err(|error| {
            tracing::error!(%error, at = self.endpoint.host(), "no AWS credentials for a vector engine");
            VectorError::Failed("this server found no AWS credentials for the engine".to_owned())
        })
    }
}

/// Why, in an engine's own words: Qdrant's, OpenSearch's.
fn said(json: &Json) -> String {
    let places = ["/status/error", "/error/root_cause/0/reason", "/error/reason", "/error", "/message", "/Message"];
    let text = places.iter().find_map(|place| json.pointer(place)?.as_str()).unwrap_or("without a reason");
    text.chars().take(500).collect()
}
