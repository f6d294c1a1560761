//! Speaking with a service: tokens, pages of a listing, a service that has too much to do.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use outcrop_access::Secret;
use outcrop_outbound::{Body, Endpoint, OutboundError, collect};
use serde_json::Value;
use tokio::sync::Mutex;
use url::{Position, Url};

use super::{Opened, encoded};
use crate::ingest::sources::{MAX_FILE, Outside};
use crate::secrets::Secrets;

/// How long a service may take to answer, and for a whole answer.
const PATIENCE: Duration = Duration::from_secs(60);
const WHOLE: Duration = Duration::from_secs(300);
/// How often a request is made that a service has no time for.
const TRIES: u32 = 5;
/// The longest pause that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// An answer that is a page of a listing.
const MOST_JSON: usize = 32 * 1024 * 1024;
/// Redirects to where a file really is.
const MOST_MOVES: u32 = 3;
/// How often a request gets another token: one that another source was given may have run out, too.
const MOST_TOKENS: u32 = 2;

/// The fields of a secret that is renewed.
const ACCESS: &str = "confluenceAccessToken";
const REFRESH: &str = "confluenceRefreshToken";

/// Why something was not got from a service.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It is not there.
    Gone(String),
    /// It may work later.
    Later(String),
    /// It will not work before somebody changes something.
    Never(String),
    /// The same, where it may be this one request that the service refuses, and not whoever asks.
    Refused(String),
    /// It is there, and as it is it cannot be read.
    Bad(String),
}

/// Where a service is, as it is named and as it is called.
pub(super) struct Place {
    named: String,
    called: String,
    endpoint: Endpoint,
}

impl Place {
    /// Finds a service. Callers name hosts, so the way is theirs; what the operator has put in its place is called
    /// as the operator's.
    pub(super) fn find(outside: &Outside, url: &str) -> Result<Self, Trouble> {
        let refused = |error: OutboundError| Trouble::Never(error.to_string());
        let url = url.trim_end_matches('/');
        let instead = outside.addresses.iter().find(|(named, _)| {
            let rest = url.strip_prefix(named.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if let Some((named, called)) = instead {
            let called = format!("{}{}", called.trim_end_matches('/'), &url[named.trim_end_matches('/').len()..]);
            let endpoint = outside.outbound.endpoint(&called).map_err(refused)?;
            return Ok(Self { named: url.to_owned(), called, endpoint });
        }
        if !url.starts_with("https://") {
            return Err(Trouble::Never(format!("{url} is not called: what is sent there needs https.")));
        }
        let endpoint = outside.named.endpoint(url).map_err(refused)?;
        Ok(Self { named: url.to_owned(), called: url.to_owned(), endpoint })
    }

    /// As people know it.
    pub(super) fn named(&self) -> &str {
        &self.named
    }

    /// As it is called.
    pub(super) fn called(&self) -> &str {
        &self.called
    }

    /// What of `url` is a path here; none where it leads elsewhere.
    fn path<'a>(&self, url: &'a str) -> Option<&'a str> {
        if url.starts_with('/') && !url.starts_with("//") {
            return Some(url);
        }
        let rest = url.strip_prefix(&self.named).or_else(|| url.strip_prefix(&self.called))?;
        (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
    }
}

/// How one is let in.
pub(super) enum Login {
    /// A user and a password, with every request.
    Basic(HeaderValue),
    /// A token, for the form that is sent to where tokens are given.
    Token { place: Place, form: Vec<(&'static str, Secret)> },
    /// A token that is renewed with another, which holds once.
    Renewed { place: Place, secrets: Secrets, secret: Mutex<Opened> },
}

impl Login {
    pub(super) fn basic(user: &str, password: &str) -> Result<Self, Trouble> {
        let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        Ok(Self::Basic(sensitive(&value)?))
    }
}

/// A service that one is let into.
pub(crate) struct Api {
    place: Place,
    outside: Outside,
    login: Login,
    token: Mutex<Option<HeaderValue>>,
}

impl Api {
    pub(super) fn new(outside: &Outside, place: Place, login: Login) -> Self {
        Self { place, outside: outside.clone(), login, token: Mutex::new(None) }
    }

    /// The same login at another place.
    pub(super) fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// A JSON answer. `url` is a path here, or a link that the service has given.
    pub(super) async fn json(&self, url: &str) -> Result<Value, Trouble> {
        let body = self.body(url, "application/json", MOST_JSON).await?.0;
        serde_json::from_slice(&body).map_err(|error| self.later(&format!("answers no JSON ({error})")))
    }

    /// A file, and what the service says that it is.
    pub(super) async fn file(&self, url: &str) -> Result<(Bytes, Option<String>), Trouble> {
        self.body(url, "*/*", usize::try_from(MAX_FILE).unwrap_or(usize::MAX)).await
    }

    async fn body(&self, url: &str, accept: &str, limit: usize) -> Result<(Bytes, Option<String>), Trouble> {
        let answer = self.get(url, accept).await?;
        let mime = answer.headers().get(CONTENT_TYPE).and_then(|told| told.to_str().ok()).map(str::to_owned);
        match tokio::time::timeout(WHOLE, collect(answer.into_body(), limit)).await {
            Ok(Ok(bytes)) => Ok((bytes, mime)),
            Ok(Err(error @ OutboundError::TooLarge { .. })) => Err(Trouble::Bad(error.to_string())),
            Ok(Err(error)) => Err(Trouble::Later(error.to_string())),
            Err(_) => Err(self.later("sends an answer without an end")),
        }
    }

    async fn get(&self, url: &str, accept: &str) -> Result<Response<Body>, Trouble> {
        let path = self.place.path(url);
        let path = path.ok_or_else(|| self.never("leads to another host, where its token does not go"))?;
        let (mut token, mut renewed) = (self.token(None).await?, 0);
        let mut tried = 0;
        loop {
            tried += 1;
            let asked = Request::get(self.place.endpoint.uri(path)).header(ACCEPT, accept);
            let asked = asked.header(AUTHORIZATION, token.clone()).body(Bytes::new());
            let asked = asked.map_err(|error| Trouble::Never(error.to_string()))?;
            let answer = match send(&self.place.endpoint, asked).await {
                Ok(answer) => answer,
                Err(Sent::Moved(to)) => return self.moved(&to).await,
                Err(Sent::Failed(why)) if tried < 2 => {
                    tracing::info!(why, "a service is asked again");
                    continue;
                }
                Err(Sent::Failed(why)) => return Err(Trouble::Later(why)),
            };
            match answer.status() {
                status if status.is_success() => return Ok(answer),
                StatusCode::UNAUTHORIZED if renewed < MOST_TOKENS => {
                    token = self.token(Some(token)).await?;
                    renewed += 1;
                }
                StatusCode::NOT_FOUND | StatusCode::GONE => {
                    return Err(Trouble::Gone(format!("{} has no {path}.", self.place.named)));
                }
                status if busy(status) && tried < TRIES => self.wait(&answer, tried).await?,
                status if busy(status) || status.is_server_error() => {
                    return Err(self.later(&format!("answers {status}")));
                }
                status => {
                    let why = said(answer).await;
                    let text = format!("{} answers {status}{why}.", self.place.named);
                    let one = matches!(status, StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN);
                    return Err(if one { Trouble::Refused(text) } else { Trouble::Never(text) });
                }
            }
        }
    }

    /// Waits as long as the service asks for, within reason.
    async fn wait(&self, answer: &Response<Body>, tried: u32) -> Result<(), Trouble> {
        let told = answer.headers().get(RETRY_AFTER).and_then(|told| told.to_str().ok());
        let told = told.and_then(|told| told.trim().parse().ok()).map(Duration::from_secs);
        let wait = told.unwrap_or_else(|| Duration::from_millis(500) * 2u32.pow(tried));
        if wait > LONGEST_WAIT {
            return Err(self.later(&format!("asks to be left alone for {} s", wait.as_secs())));
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Files lie where a signed address leads: it is asked without the token, which is nobody's else.
    async fn moved(&self, to: &str) -> Result<Response<Body>, Trouble> {
        let elsewhere = || self.never("leads where nothing can be read");
        let base = Url::parse(&self.place.called).map_err(|_| elsewhere())?;
        let mut url = base.join(to).map_err(|_| elsewhere())?;
        for _ in 0..MOST_MOVES {
            let place = Place::find(&self.outside, &url.origin().ascii_serialization());
            let endpoint = match place {
                // Where the service itself is called, its files may be, too.
                Err(_) if url.origin() == base.origin() => {
                    let own = self.outside.outbound.endpoint(&url.origin().ascii_serialization());
                    own.map_err(|error| Trouble::Never(error.to_string()))?
                }
                place => place?.endpoint,
            };
            let asked = Request::get(endpoint.uri(&url[Position::BeforePath..Position::AfterQuery]));
            let asked = asked.body(Bytes::new()).map_err(|error| Trouble::Never(error.to_string()))?;
            match send(&endpoint, asked).await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => return Err(self.later(&format!("leads to a file that answers {}", answer.status()))),
                Err(Sent::Moved(to)) => url = url.join(&to).map_err(|_| elsewhere())?,
                Err(Sent::Failed(why)) => return Err(Trouble::Later(why)),
            }
        }
        Err(self.never("redirects too often"))
    }

    /// What lets one in; another one than `refused`.
    async fn token(&self, refused: Option<HeaderValue>) -> Result<HeaderValue, Trouble> {
        if let Login::Basic(value) = &self.login {
            return match refused {
                Some(_) => Err(self.never("does not take the user and password of the secret (401)")),
                None => Ok(value.clone()),
            };
        }
        let mut kept = self.token.lock().await;
        if let Some(token) = &*kept
            && Some(token) != refused.as_ref()
        {
            return Ok(token.clone());
        }
        let token = self.new_token().await?;
        *kept = Some(token.clone());
        Ok(token)
    }

    async fn new_token(&self) -> Result<HeaderValue, Trouble> {
        let answered = match &self.login {
            Login::Basic(value) => return Ok(value.clone()),
            Login::Token { place, form } => {
                let form: Vec<_> =
                    form.iter().map(|(key, value)| format!("{key}={}", encoded(value.reveal()))).collect();
                posted(place, "application/x-www-form-urlencoded", form.join("&")).await?
            }
            Login::Renewed { place, secrets, secret } => {
                let mut secret = secret.lock().await;
                let (_turn, renewed) = secrets.turn(&secret.arn).await;
                if let Some(fields) = renewed {
                    let had = secret.field(REFRESH)?.to_owned();
                    secret.fields = fields;
                    // Another source has renewed it since: what it was given lets this one in, too.
                    if secret.field(REFRESH)? != had {
                        return sensitive(&format!("Bearer {}", secret.field(ACCESS)?));
                    }
                }
                let asked = serde_json::json!({
                    "grant_type": "refresh_token",
                    "client_id": secret.field("confluenceAppKey")?,
                    "client_secret": secret.field("confluenceAppSecret")?,
                    "refresh_token": secret.field(REFRESH)?,
                });
                let answered = posted(place, "application/json", asked.to_string()).await?;
                for (key, member) in [(ACCESS, "access_token"), (REFRESH, "refresh_token")] {
                    if let Some(value) = super::text(&answered, member) {
                        secret.fields.insert(key.to_owned(), Secret::new(value));
                    }
                }
                secrets.renew(&secret.arn, &secret.fields);
                answered
            }
        };
        let token = super::text(&answered, "access_token").ok_or_else(|| self.never("gives no token"))?;
        sensitive(&format!("Bearer {token}"))
    }

    fn later(&self, what: &str) -> Trouble {
        Trouble::Later(format!("{} {what}.", self.place.named))
    }

    fn never(&self, what: &str) -> Trouble {
        Trouble::Never(format!("{} {what}.", self.place.named))
    }
}

/// Asks for a token. What a service says of why it gives none is told; what it was sent never is.
async fn posted(place: &Place, kind: &str, body: String) -> Result<Value, Trouble> {
    let named = &place.named;
    let asked = Request::builder().method(Method::POST).uri(place.endpoint.uri("")).header(CONTENT_TYPE, kind);
    let asked = asked.header(ACCEPT, "application/json").body(Bytes::from(body));
    let answer = match send(&place.endpoint, asked.map_err(|error| Trouble::Never(error.to_string()))?).await {
        Ok(answer) => answer,
        Err(Sent::Failed(why)) => return Err(Trouble::Later(why)),
        Err(Sent::Moved(_)) => return Err(Trouble::Never(format!("{named} redirects, and gives no token."))),
    };
    let status = answer.status();
    if !status.is_success() {
        let why = said(answer).await;
        let text = format!("{named} gives no token: it answers {status}{why}.");
        return Err(if busy(status) || status.is_server_error() { Trouble::Later(text) } else { Trouble::Never(text) });
    }
    let bytes = tokio::time::timeout(PATIENCE, collect(answer.into_body(), MOST_JSON)).await;
    let bytes = bytes.ok().and_then(Result::ok).unwrap_or_default();
    serde_json::from_slice(&bytes).map_err(|_| Trouble::Later(format!("{named} answers no JSON.")))
}

enum Sent {
    Moved(String),
    Failed(String),
}

async fn send(endpoint: &Endpoint, request: Request<Bytes>) -> Result<Response<Body>, Sent> {
    match tokio::time::timeout(PATIENCE, endpoint.send(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(OutboundError::Redirect { to, .. })) if !to.expose().is_empty() => {
            Err(Sent::Moved(to.expose().to_owned()))
        }
        Ok(Err(error)) => Err(Sent::Failed(error.to_string())),
        Err(_) => Err(Sent::Failed(format!("{} did not answer within {} s", endpoint.host(), PATIENCE.as_secs()))),
    }
}

fn busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// The code of an error, in the forms that these services have: OAuth's, Graph's, Salesforce's.
async fn said(answer: Response<Body>) -> String {
    let body = tokio::time::timeout(PATIENCE, collect(answer.into_body(), 64 * 1024)).await;
    let body: Value =
        body.ok().and_then(Result::ok).and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let code = body.pointer("/error/code").or_else(|| body.get("error")).or_else(|| body.pointer("/0/errorCode"));
    match code.and_then(Value::as_str) {
        Some(code) => format!(" ({})", code.chars().take(100).collect::<String>()),
        None => String::new(),
    }
}

fn sensitive(value: &str) -> Result<HeaderValue, Trouble> {
    let bad = |_| Trouble::Never("the credentials have characters that no HTTP header may have".to_owned());
    let mut value = HeaderValue::from_str(value).map_err(bad)?;
    value.set_sensitive(true);
    Ok(value)
}
