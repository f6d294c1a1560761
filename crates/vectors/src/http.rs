//! Engines that are asked with JSON over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use outcrop_outbound::{Endpoint, Outbound, collect};
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
    key: Option<(HeaderName, HeaderValue)>,
}

impl Http {
    pub fn new(url: &str, key: Option<(HeaderName, String)>, outbound: &Outbound) -> Result<Self> {
        let endpoint = outbound.endpoint(url).map_err(|error| VectorError::Invalid(error.to_string()))?;
        let hidden = |(name, value): (HeaderName, String)| {
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| VectorError::Invalid("the password holds what no header can".to_owned()))?;
            value.set_sensitive(true);
            Ok((name, value))
        };
        Ok(Self { endpoint, key: key.map(hidden).transpose()? })
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
        let (status, bytes) = loop {
            tries += 1;
            let mut request = Request::builder().method(method.clone()).uri(self.endpoint.uri(path));
            if !body.is_empty() {
                request = request.header(CONTENT_TYPE, kind);
            }
            if let Some((name, value)) = &self.key {
                request = request.header(name, value);
            }
            let request = request.body(body.clone()).map_err(|error| VectorError::failed("the engine", error))?;
            let answered = tokio::time::timeout(PATIENCE, async {
                let answer = self.endpoint.send(request).await?;
                let status = answer.status();
                Ok::<_, outcrop_outbound::OutboundError>((status, collect(answer.into_body(), MOST).await?))
            });
            match answered.await {
                Ok(Ok(answer)) => break answer,
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
        if !status.is_success() {
            return Err(VectorError::Failed(format!("{} {}", status.as_u16(), said(&json))));
        }
        Ok(Some(json))
    }
}

/// Why, in an engine's own words: Qdrant's, OpenSearch's.
fn said(json: &Json) -> String {
    let places = ["/status/error", "/error/root_cause/0/reason", "/error/reason", "/error", "/message"];
    let text = places.iter().find_map(|place| json.pointer(place)?.as_str()).unwrap_or("without a reason");
    text.chars().take(500).collect()
}
