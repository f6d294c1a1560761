//! The operator's AWS credentials, by the chain of the AWS SDKs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use aws_config::BehaviorVersion;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use outcrop_outbound::{Outbound, OutboundError, collect};
use tokio::sync::Mutex;

/// Credentials that end sooner are fetched anew.
const EARLY: Duration = Duration::from_secs(300);
/// What the chain finds without an end may still change: files are edited.
const LONGEST: Duration = Duration::from_secs(900);
const MOST_BYTES: usize = 1 << 20;

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoCredentials(String);

/// Found at the first call and kept until shortly before their end.
pub(super) struct Credentials {
    outbound: Outbound,
    region: String,
    profile: Option<String>,
    now: ArcSwapOption<Kept>,
    chain: Mutex<Option<SharedCredentialsProvider>>,
}

struct Kept {
    identity: Arc<aws_credential_types::Credentials>,
    until: SystemTime,
}

impl Credentials {
    pub(super) fn new(outbound: Outbound, region: String, profile: Option<String>) -> Self {
        Self { outbound, region, profile, now: ArcSwapOption::empty(), chain: Mutex::new(None) }
    }

    /// Of a source that a test controls.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn of(source: SharedCredentialsProvider, outbound: Outbound) -> Self {
        Self { chain: Mutex::new(Some(source)), ..Self::new(outbound, "us-east-1".into(), None) }
    }

    /// Those to sign with now. One caller fetches, the others wait for it.
    pub(super) async fn now(&self) -> Result<Arc<aws_credential_types::Credentials>, NoCredentials> {
        if let Some(identity) = self.kept() {
            return Ok(identity);
        }
        let mut chain = self.chain.lock().await;
        if let Some(identity) = self.kept() {
            return Ok(identity);
        }
        let provider = match &*chain {
            Some(provider) => provider.clone(),
            None => chain.insert(self.open().await?).clone(),
        };
        let found = match provider.provide_credentials().await {
            Ok(found) => found,
            Err(error) => {
                let error = NoCredentials(deepest(&error));
                let holds = |kept: &Arc<Kept>| kept.identity.expiry().is_none_or(|end| SystemTime::now() < end);
                let Some(kept) = self.now.load_full().filter(holds) else { return Err(error) };
                tracing::warn!(%error, "AWS credentials cannot be renewed; those at hand hold until their end");
                return Ok(Arc::clone(&kept.identity));
            }
        };
        let longest = SystemTime::now() + LONGEST;
        let until = found.expiry().map_or(longest, |end| end.checked_sub(EARLY).unwrap_or(end).min(longest));
        let identity = Arc::new(found);
        self.now.store(Some(Arc::new(Kept { identity: Arc::clone(&identity), until })));
        Ok(identity)
    }

    fn kept(&self) -> Option<Arc<aws_credential_types::Credentials>> {
        let kept = self.now.load();
        kept.as_ref().filter(|kept| SystemTime::now() < kept.until).map(|kept| Arc::clone(&kept.identity))
    }

    async fn open(&self) -> Result<SharedCredentialsProvider, NoCredentials> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(through(self.outbound.clone()))
            .region(aws_config::Region::new(self.region.clone()));
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        let provider = loader.load().await.credentials_provider();
        provider.ok_or_else(|| NoCredentials("the AWS SDK's chain knows no source of credentials".into()))
    }
}

/// The SDK's errors say what happened in their sources only.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut deeper = error.source();
    while let Some(cause) = deeper {
        text = format!("{text}: {cause}");
        deeper = cause.source();
    }
    text
}

/// The SDK's way to the services that hand out credentials: the one that everything takes.
fn through(outbound: Outbound) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Way(outbound));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Way(Outbound);

impl HttpConnector for Way {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let outbound = self.0.clone();
        HttpConnectorFuture::new(async move { fetch(&outbound, request).await })
    }
}

async fn fetch(outbound: &Outbound, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let user = |error: String| ConnectorError::user(error.into());
    let request = request.try_into_http1x().map_err(|error| user(error.to_string()))?;
    let (mut parts, body) = request.into_parts();
    let body = body.bytes().map(Bytes::copy_from_slice).ok_or_else(|| user("a body that streams".into()))?;
    let uri = &parts.uri;
    let authority = uri.authority().ok_or_else(|| user("no host".into()))?;
    let base = format!("{}://{authority}", uri.scheme_str().unwrap_or("https"));
    let endpoint = outbound.endpoint(&base).map_err(failed)?;
    parts.uri = endpoint.uri(uri.path_and_query().map_or("/", |path| path.as_str()));
    let answer = endpoint.send(::http::Request::from_parts(parts, body)).await.map_err(failed)?;
    let (parts, body) = answer.into_parts();
    let body = collect(body, MOST_BYTES).await.map_err(failed)?;
    let answer = ::http::Response::from_parts(parts, SdkBody::from(body));
    HttpResponse::try_from(answer).map_err(|error| user(error.to_string()))
}

fn failed(error: OutboundError) -> ConnectorError {
    match error {
        error @ OutboundError::ConnectTimeout { .. } => ConnectorError::timeout(error.into()),
        error => ConnectorError::io(error.into()),
    }
}
