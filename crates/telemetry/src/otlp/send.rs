//! Delivery: one POST, again after a pause where the receiver may take it later, and one line in the log for each
//! time that it begins to fail or recovers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Request, StatusCode};
use outcrop_outbound::{Endpoint, Outbound, OutboundError, collect};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::wire::{Field, fields};

/// More than any answer; what is larger is not read.
const MOST: usize = 64 * 1024;
/// The first pause, and the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// After this long what could not be delivered is given up.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Sender {
    url: String,
    endpoint: RwLock<Result<Endpoint, OutboundError>>,
    headers: HeaderMap,
    timeout: Duration,
    failing: AtomicBool,
    failed: AtomicU64,
}

/// Why something was not delivered.
struct Failed {
    why: String,
    /// It may be, later; not before this long.
    again: Option<Duration>,
}

impl Sender {
    pub fn new(url: &str, outbound: &Outbound, headers: HeaderMap, timeout: Duration) -> Result<Self, OutboundError> {
        let endpoint = outbound.endpoint(url);
        if let Err(error) = &endpoint
            && !matches!(error, OutboundError::Offline { .. })
        {
            return Err(error.clone());
        }
        let endpoint = RwLock::new(endpoint);
        let (failing, failed) = (AtomicBool::new(false), AtomicU64::new(0));
        Ok(Self { url: url.to_owned(), endpoint, headers, timeout, failing, failed })
    }

    /// Goes out by another way from now on.
    pub fn follow(&self, outbound: &Outbound) {
        *self.endpoint.write().unwrap_or_else(PoisonError::into_inner) = outbound.endpoint(&self.url);
    }

    /// Deliveries that were given up.
    pub fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    /// Delivers `body`; false where that was given up. Once `stop` is cancelled there is one try.
    pub async fn deliver(&self, path: &'static str, body: Vec<u8>, stop: &CancellationToken) -> bool {
        let body = Bytes::from(body);
        let end = Instant::now() + PATIENCE;
        let mut pause = PAUSE;
        loop {
            let last = stop.is_cancelled();
            let failed = match self.once(path, body.clone()).await {
                Ok(()) => {
                    if self.failing.swap(false, Relaxed) {
                        tracing::info!("the OTLP receiver takes what it is sent again");
                    }
                    return true;
                }
                Err(failed) => failed,
            };
            if !self.failing.swap(true, Relaxed) {
                tracing::warn!(why = failed.why, path, "the OTLP receiver does not take what it is sent");
            } else {
                tracing::debug!(why = failed.why, path, "the OTLP receiver still does not take what it is sent");
            }
            let wait = failed.again.map(|least| least.max(jittered(pause)));
            let Some(wait) = wait.filter(|wait| !last && Instant::now() + *wait < end) else {
                self.failed.fetch_add(1, Relaxed);
                return false;
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = stop.cancelled() => {}
            }
            pause = (pause * 2).min(LONGEST);
        }
    }

    async fn once(&self, path: &str, body: Bytes) -> Result<(), Failed> {
        let again = |why: String| Failed { why, again: Some(Duration::ZERO) };
        let endpoint = self.endpoint.read().unwrap_or_else(PoisonError::into_inner).clone();
        let endpoint = endpoint.map_err(|error| again(error.to_string()))?;
        let mut request = Request::post(endpoint.uri(path)).body(body).map_err(|error| again(error.to_string()))?;
        request.headers_mut().clone_from(&self.headers);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        let exchange = async {
            let answer = endpoint.send(request).await?;
            let (parts, body) = answer.into_parts();
            Ok::<_, OutboundError>((parts, collect(body, MOST).await?))
        };
        let exchange = timeout(self.timeout, exchange).await.map_err(|_| again("no answer in time".into()))?;
        let (parts, body) = exchange.map_err(|error| again(error.to_string()))?;
        if parts.status.is_success() {
            refused(&body);
            return Ok(());
        }
        let why = format!("it answers {}", parts.status);
        // The four that the protocol lets one repeat.
        let may_pass = matches!(
            parts.status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        let seconds = parts.headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        let wait = Duration::from_secs(seconds.unwrap_or_default());
        Err(Failed { why, again: may_pass.then_some(wait) })
    }
}

/// A receiver may take a part. What it refused it would refuse again.
fn refused(body: &[u8]) {
    // `partial_success`, and in it how many and why.
    for partial in fields(body).filter_map(|found| match found {
        (1, Field::Bytes(partial)) => Some(partial),
        _ => None,
    }) {
        let (mut refused, mut why) = (0, "");
        for field in fields(partial) {
            match field {
                (1, Field::Number(count)) => refused = count,
                (2, Field::Bytes(text)) => why = std::str::from_utf8(text).unwrap_or_default(),
                _ => {}
            }
        }
        if refused > 0 {
            tracing::warn!(refused, why, "the OTLP receiver took a part only");
        }
    }
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}
