//! Fetching the documents of configured token issuers.
//!
//! A GET each, bounded in size and time, through the same gate as every other connection; an answer other than 200 is
//! a failure.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use outcrop_access::oidc::{Fetch, FetchError};
use outcrop_outbound::{Outbound, OutboundError, collect};

#[cfg(test)]
mod tests;

/// Ten times what the largest issuers publish.
const MAX_BYTES: usize = 512 * 1024;
/// A caller of STS waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Fetches over the network.
#[derive(Debug)]
pub struct HttpFetch {
    outbound: ArcSwap<Outbound>,
}

impl HttpFetch {
    /// By this way out.
    pub fn new(outbound: Outbound) -> Self {
        Self { outbound: ArcSwap::from_pointee(outbound) }
    }

    /// By another from now on.
    pub fn set(&self, outbound: Outbound) {
        self.outbound.store(Arc::new(outbound));
    }
}

#[async_trait]
impl Fetch for HttpFetch {
    async fn get(&self, url: &str, ca: Option<&Path>) -> Result<Vec<u8>, FetchError> {
        let outbound = Outbound::clone(&self.outbound.load());
        match tokio::time::timeout(PATIENCE, get(outbound, url, ca.map(Path::to_owned))).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::Unreachable(format!("{url} did not answer within {} s", PATIENCE.as_secs()))),
        }
    }
}

async fn get(mut outbound: Outbound, url: &str, ca: Option<PathBuf>) -> Result<Vec<u8>, FetchError> {
    let unusable = |what: String| FetchError::Unusable(format!("{url}: {what}"));
    let failed = |error: OutboundError| match error {
        OutboundError::Dns { .. }
        | OutboundError::Connect { .. }
        | OutboundError::ConnectTimeout { .. }
        | OutboundError::Tls { .. }
        | OutboundError::Proxy { .. }
        | OutboundError::Closed { .. }
        | OutboundError::Io { .. } => FetchError::Unreachable(format!("{url}: {error}")),
        _ => unusable(error.to_string()),
    };
    let uri: Uri = url.parse().map_err(|_| unusable("it is not a URL".into()))?;
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return Err(unusable("it names no host".into()));
    };
    if let Some(ca) = ca {
        // Read for every fetch, which are few: a renewed file counts.
        let trusting = tokio::task::spawn_blocking(move || outbound.trusting(&ca)).await;
        outbound = trusting.map_err(|error| unusable(error.to_string()))?.map_err(failed)?;
    }
    let endpoint = outbound.endpoint(&format!("{scheme}://{authority}")).map_err(failed)?;
    let request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|error| unusable(error.to_string()))?;
    let response = endpoint.send(request).await.map_err(failed)?;
    match response.status() {
        StatusCode::OK => {}
        status if status.is_server_error() => return Err(FetchError::Unreachable(format!("{url} answers {status}"))),
        status => return Err(unusable(format!("it answers {status}"))),
    }
    let body = collect(response.into_body(), MAX_BYTES).await;
    Ok(body.map_err(|error| unusable(format!("its answer cannot be used: {error}")))?.to_vec())
}
