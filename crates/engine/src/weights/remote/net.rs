//! Requests. Redirects are followed here and not by the client, because each step decides anew who may see the token,
//! and each host of them passes the gate.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use outcrop_outbound::{Outbound, OutboundError};

use super::blocking::{Answer, Blocking};
use super::source::without_secrets;
use super::{Remote, RemoteError};

/// How often a file may lead elsewhere.
const REDIRECTS: u32 = 5;
/// How often a request is tried again that fails for reasons that pass.
const ATTEMPTS: u32 = 5;
/// The longest that a server's wish to wait is followed.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The longest answer of the hub's API; a repository with thousands of files stays below.
const JSON_LIMIT: usize = 16 << 20;

/// A secret that prints itself nowhere.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Who asks.
pub(super) struct Client {
    outbound: Outbound,
    blocking: Blocking,
    token: Option<Token>,
    /// Where the token belongs.
    home: Option<Uri>,
    pause: Duration,
}

/// A request that failed.
pub(super) enum Failure {
    /// It makes no sense to try again.
    Final(RemoteError),
    /// It may pass: the reason, how long the server wants one to wait, and whether that is because of too many.
    Passing { why: String, wait: Option<Duration>, too_many: bool },
}

impl Client {
    pub(super) fn new(remote: &Remote) -> Result<Self, RemoteError> {
        let cannot =
            |error: std::io::Error| RemoteError::Failed { what: remote.endpoint.clone(), why: error.to_string() };
        let blocking = Blocking::new().map_err(cannot)?;
        let (outbound, token) = (remote.outbound.clone(), remote.token.clone());
        Ok(Self { outbound, blocking, token, home: remote.endpoint.parse().ok(), pause: remote.pause })
    }

    /// What `url` answers, with the statuses that mean a failure sorted out.
    pub(super) fn get(&self, url: &str, headers: &HeaderMap) -> Result<Response<Answer<'_>>, Failure> {
        let what = without_secrets(url);
        let start: Uri = url.parse().map_err(|_| Failure::Final(RemoteError::Source(what.clone())))?;
        let mut at = start.clone();
        for _ in 0..=REDIRECTS {
            let mut headers = headers.clone();
            if let Some(secret) = self.secret_for(&at) {
                headers.insert(AUTHORIZATION, secret);
            }
            let to = match self.ask(&at, headers) {
                Ok(answer) => return sorted(answer, &what),
                Err(OutboundError::Redirect { to, .. }) => to,
                Err(error) => return Err(refused(&at, &error)),
            };
            at = follow(&start, &at, to.expose()).ok_or_else(|| {
                Failure::Final(RemoteError::Redirect { what: what.clone(), to: without_secrets(to.expose()) })
            })?;
        }
        Err(Failure::Final(RemoteError::Failed { what, why: format!("more than {REDIRECTS} redirects") }))
    }

    /// One request, whose answer begins within a minute.
    fn ask(&self, at: &Uri, headers: HeaderMap) -> Result<Response<Answer<'_>>, OutboundError> {
        let (scheme, host) = (at.scheme_str().unwrap_or_default(), at.authority().map_or("", |a| a.as_str()));
        let endpoint = self.outbound.endpoint(&format!("{scheme}://{host}"))?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = at.clone();
        *request.headers_mut() = headers;
        self.blocking.send(endpoint, request)
    }

    /// The JSON that `url` answers with, and its headers.
    pub(super) fn json(&self, url: &str) -> Result<(serde_json::Value, HeaderMap), RemoteError> {
        let what = without_secrets(url);
        self.patiently(&what, || {
            let answer = self.get(url, &HeaderMap::new())?;
            let headers = answer.headers().clone();
            let text = answer.into_body().whole(JSON_LIMIT);
            let text =
                text.map_err(|error| Failure::Passing { why: error.to_string(), wait: None, too_many: false })?;
            let value = serde_json::from_slice(&text).map_err(|error| {
                Failure::Final(RemoteError::Failed {
                    what: what.clone(),
                    why: format!("the answer is not the hub's: {error}"),
                })
            })?;
            Ok((value, headers))
        })
    }

    /// Tries again what may pass.
    pub(super) fn patiently<T>(
        &self,
        what: &str,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, RemoteError> {
        let mut pause = self.pause;
        for left in (0..ATTEMPTS).rev() {
            match attempt() {
                Ok(value) => return Ok(value),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing { why, wait, too_many }) => {
                    tracing::debug!(what, why, left, "a request failed");
                    if left == 0 {
                        let what = what.to_owned();
                        return Err(if too_many {
                            RemoteError::TooMany(what)
                        } else {
                            RemoteError::Failed { what, why }
                        });
                    }
                    std::thread::sleep(wait.map_or(pause, |wait| wait.min(LONGEST_WAIT)));
                    pause *= 2;
                }
            }
        }
        Err(RemoteError::Failed { what: what.to_owned(), why: "it was not tried".into() })
    }

    /// The token goes to the hub, and only where nobody on the way can read it.
    pub(super) fn secret_for(&self, uri: &Uri) -> Option<HeaderValue> {
        let (token, home) = (self.token.as_ref()?, self.home.as_ref()?);
        let same = home.scheme() == uri.scheme() && home.host() == uri.host() && home.port_u16() == uri.port_u16();
        let closed = uri.scheme_str() == Some("https") || uri.host().is_some_and(loopback);
        if !same || !closed {
            return None;
        }
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// What the gate does not let through it never will; anything else may pass.
fn refused(at: &Uri, error: &OutboundError) -> Failure {
    let (what, why) = (without_secrets(&at.to_string()), error.to_string());
    match error {
        OutboundError::Settings(_)
        | OutboundError::Url(_)
        | OutboundError::Offline { .. }
        | OutboundError::NotAllowed { .. }
        | OutboundError::Rebound { .. }
        | OutboundError::PlainHttp { .. } => Failure::Final(RemoteError::Refused { what, why }),
        _ => Failure::Passing { why: format!("{what}: {why}"), wait: None, too_many: false },
    }
}

fn loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Where a redirect leads, unless it would leave HTTPS.
pub(super) fn follow(start: &Uri, at: &Uri, to: &str) -> Option<Uri> {
    let to = if to.starts_with("http://") || to.starts_with("https://") {
        to.to_owned()
    } else if to.starts_with('/') && !to.starts_with("//") {
        format!("{}://{}{to}", at.scheme_str()?, at.authority()?)
    } else {
        return None;
    };
    let to: Uri = to.parse().ok()?;
    let open = to.scheme_str() == Some("http");
    (!open || start.scheme_str() == Some("http")).then_some(to)
}

fn sorted<T>(answer: Response<T>, what: &str) -> Result<Response<T>, Failure> {
    let status = answer.status();
    let passing = |why: String| {
        let wait = answer.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.trim().parse().ok());
        Failure::Passing { why, wait: wait.map(Duration::from_secs), too_many: status == StatusCode::TOO_MANY_REQUESTS }
    };
    let denied =
        |advice| Failure::Final(RemoteError::Denied { what: what.to_owned(), status: status.as_u16(), advice });
    match status.as_u16() {
        200..=299 | 416 => Ok(answer),
        401 => {
            Err(denied("set HF_TOKEN to a token that may read it (a name that does not exist can look like this too)"))
        }
        403 => Err(denied("accept the model's terms on its page, or set HF_TOKEN to a token whose owner has")),
        404 | 410 => Err(Failure::Final(RemoteError::Missing(what.to_owned()))),
        408 | 429 | 500..=599 => Err(passing(format!("the server answers {status}"))),
        _ => {
            let why = format!("the server answers {status}");
            Err(Failure::Final(RemoteError::Failed { what: what.to_owned(), why }))
        }
    }
}
