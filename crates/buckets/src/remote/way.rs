//! How requests to object stores leave: by the gate for all connections.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use outcrop_outbound::{Outbound, OutboundError};

/// How long an answer may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// The way out.
#[derive(Debug, Clone)]
pub(super) struct Way(pub Outbound);

impl HttpConnector for Way {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Way {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        // The addresses are those of the configuration: the endpoint, or where its service account's key has it fetch
        // tokens.
        let scheme = parts.uri.scheme_str().unwrap_or("https");
        let authority = parts.uri.authority().map_or("", |authority| authority.as_str());
        let endpoint = self.0.endpoint(&format!("{scheme}://{authority}")).map_err(failed)?;
        let body = body.collect().await?.to_bytes();
        let sent = tokio::time::timeout(PATIENCE, endpoint.send(http::Request::from_parts(parts, body))).await;
        let answer = sent.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?.map_err(failed)?;
        Ok(answer
            .map(|body| HttpResponseBody::new(body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error)))))
    }
}

fn failed(error: OutboundError) -> HttpError {
    let kind = match &error {
        OutboundError::Closed { .. } | OutboundError::Io { .. } => HttpErrorKind::Interrupted,
        OutboundError::Connect { .. } | OutboundError::ConnectTimeout { .. } | OutboundError::Dns { .. } => {
            HttpErrorKind::Connect
        }
        // What is not allowed will not be a moment later.
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
