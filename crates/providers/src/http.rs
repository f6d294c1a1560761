//! What providers behind HTTP share: one address, one key, statuses sorted into failures, answers read within bounds.
//!
//! Start at [`converse`], which is all that a provider needs whose format has a [`ClientDialect`].

mod body;
mod chunks;
mod events;
mod refused;
mod tape;

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use bytes::Bytes;
use outcrop_api::{Fault, Kind as FaultKind};
use outcrop_dialects::client::{Ask, ClientDialect, Refusal};
use outcrop_outbound::{Endpoint, Outbound, OutboundError, collect};

pub use body::Body;
pub use chunks::{Judge, Passing, chunks};
pub(crate) use events::in_stream;
pub(crate) use refused::retry_after;
use tape::Tape;

use std::sync::Arc;

use crate::ids::tool_use_id;
use crate::{Answer, Call, Cause, Failure, ProviderSettings, SettingsError};

/// More than the images of one answer take.
const MOST_BYTES: usize = 64 << 20;
/// A refusal is read no further.
const MOST_REFUSAL_BYTES: usize = 64 << 10;
/// One event of a stream: an image in base64 is the largest.
const MOST_EVENT_BYTES: usize = 8 << 20;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// How a provider knows who asks.
#[derive(Debug, Clone, Copy)]
pub enum Auth {
    /// `Authorization: Bearer`.
    Bearer,
    /// A header of its own.
    Header(&'static str),
}

/// Where requests go.
#[derive(Clone)]
enum Way {
    Live(Endpoint),
    /// The gate refuses the address; whoever falls back on others may start all the same.
    Blocked(Arc<OutboundError>),
    /// Into recordings only.
    Nowhere,
}

/// One provider behind HTTP. Cheap to clone: each stream holds one.
#[derive(Clone)]
pub struct Http {
    name: Arc<str>,
    way: Way,
    tape: Option<Arc<Tape>>,
    headers: Arc<HeaderMap>,
    /// What may never be repeated to a caller, the longest first: one may stand within another.
    secrets: Arc<[crate::Secret]>,
}

impl Http {
    /// The provider of `settings`, at `default_url` where they name no URL.
    pub fn new(
        settings: &ProviderSettings,
        outbound: &Outbound,
        default_url: Option<&str>,
        auth: Auth,
    ) -> Result<Self, SettingsError> {
        let wrong = |why: &dyn std::fmt::Display| SettingsError::new(settings, why);
        let url = settings.url.as_deref().or(default_url).ok_or_else(|| wrong(&"it needs a url"))?;
        let tape = Tape::open(settings)?;
        let way = match outbound.endpoint(url) {
            _ if tape.as_ref().is_some_and(|tape| tape.replays_only()) => Way::Nowhere,
            Ok(endpoint) => Way::Live(endpoint),
            Err(error @ OutboundError::Offline { .. }) => {
                tracing::warn!(provider = settings.name, %error, "a provider will not be called");
                Way::Blocked(Arc::new(error))
            }
            Err(error) => return Err(wrong(&error)),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, JSON);
        for (name, value) in &settings.headers {
            let header = HeaderName::try_from(name).map_err(|_| wrong(&format!("`{name}` is no name of a header")))?;
            let value = HeaderValue::try_from(value.expose());
            let mut value = value.map_err(|_| wrong(&format!("the header {name} has a value that none can have")))?;
            // Nobody knows which of them are secrets.
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        if let Some(key) = &settings.api_key {
            let (header, value) = match auth {
                Auth::Bearer => (AUTHORIZATION, format!("Bearer {}", key.expose())),
                Auth::Header(name) => (HeaderName::from_static(name), key.expose().to_owned()),
            };
            let value = HeaderValue::try_from(value);
            let mut value = value.map_err(|_| wrong(&"its api_key has characters that no header can carry"))?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        Ok(Self {
            name: settings.name.as_str().into(),
            way,
            tape,
            headers: Arc::new(headers),
            secrets: secrets(settings).into(),
        })
    }

    /// The provider's name here.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where `path` is.
    pub fn uri(&self, path: &str) -> Uri {
        match &self.way {
            Way::Live(endpoint) => endpoint.uri(path),
            Way::Blocked(_) | Way::Nowhere => Uri::default(),
        }
    }

    /// The host, as its header names it.
    pub fn host(&self) -> &str {
        match &self.way {
            Way::Live(endpoint) => endpoint.host(),
            Way::Blocked(_) | Way::Nowhere => "",
        }
    }

    /// Whether a request could be sent: what is neither recorded nor allowed needs no credentials.
    pub fn calls(&self) -> bool {
        matches!(self.way, Way::Live(_))
    }

    /// Sends `body` to `path`; the answer is one of success. `dialect` reads refusals.
    pub async fn post(
        &self,
        dialect: &dyn ClientDialect,
        path: &str,
        body: Vec<u8>,
        extra: HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        self.send(dialect, Method::POST, path, Bytes::from(body), extra).await
    }

    /// Fetches `path` whole.
    pub async fn get(&self, dialect: &dyn ClientDialect, path: &str) -> Result<Bytes, Failure> {
        let response = self.send(dialect, Method::GET, path, Bytes::new(), HeaderMap::new()).await?;
        self.whole(response).await
    }

    /// Sends `body` to `path` and reads the answer whole.
    pub async fn call(
        &self,
        dialect: &dyn ClientDialect,
        path: &str,
        body: Vec<u8>,
        extra: HeaderMap,
    ) -> Result<Bytes, Failure> {
        let response = self.post(dialect, path, body, extra).await?;
        self.whole(response).await
    }

    /// All of an answer.
    pub async fn whole(&self, response: Response<Body>) -> Result<Bytes, Failure> {
        collect(response.into_body(), MOST_BYTES).await.map_err(|error| self.broken(&error))
    }

    async fn send(
        &self,
        dialect: &dyn ClientDialect,
        method: Method,
        path: &str,
        body: Bytes,
        extra: HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        let response = self.exchange(method, path, body, extra).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let said = self.refusal(body).await;
        let refusal = self.scrub(dialect.refusal(parts.status.as_u16(), &said));
        tracing::warn!(
            provider = &*self.name,
            status = parts.status.as_u16(),
            code = refusal.code,
            "a provider refuses a call"
        );
        Err(refused::failure(&self.name, parts.status, &parts.headers, &refusal))
    }

    /// Sends `body` to `path`, whatever the answer's status is.
    pub async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        extra: HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        if let Some(tape) = &self.tape
            && let Some(kept) = tape.find(&method, path, &body).await
        {
            return Ok(kept);
        }
        let endpoint = match (&self.way, &self.tape) {
            (Way::Live(endpoint), _) => endpoint,
            (Way::Blocked(error), _) => return Err(self.unsent(error)),
            (Way::Nowhere, Some(tape)) => return Err(tape.missed(&self.name, &method, path, &body)),
            (Way::Nowhere, None) => return Err(self.broken(&"no recordings")),
        };
        let taped = self.tape.as_ref().map(|tape| (tape, method.clone(), body.clone()));
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = endpoint.uri(path);
        *request.headers_mut() = HeaderMap::clone(&self.headers);
        request.headers_mut().extend(extra);
        trace(endpoint, request.headers_mut());
        let response = endpoint.send(request).await.map_err(|error| self.unsent(&error))?;
        Ok(match taped {
            Some((tape, method, body)) => tape.record(&method, path, &body, response),
            None => response.map(Body::Live),
        })
    }

    /// The body of a refusal, as much of it as anybody would read.
    pub async fn refusal(&self, body: Body) -> Bytes {
        collect(body, MOST_REFUSAL_BYTES).await.unwrap_or_default()
    }

    /// Some providers repeat a key that they do not know.
    fn scrub(&self, refusal: Refusal) -> Refusal {
        Refusal { message: self.hide(&refusal.message), code: refusal.code.map(|code| self.hide(&code)) }
    }

    /// `text` without the secrets of the settings.
    pub fn hide(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "<the key>"))
    }

    fn unsent(&self, error: &OutboundError) -> Failure {
        tracing::warn!(provider = &*self.name, %error, "a provider cannot be called");
        let text = "The provider of this model cannot be reached. Try again later.";
        let unavailable = |cause| Failure::new(cause, Fault::new(FaultKind::ServiceUnavailable, text));
        match error {
            OutboundError::Offline { .. }
            | OutboundError::NotAllowed { .. }
            | OutboundError::Rebound { .. }
            | OutboundError::PlainHttp { .. } => unavailable(Cause::Blocked),
            OutboundError::ConnectTimeout { .. } => unavailable(Cause::TimedOut),
            error if error.before_sent() => unavailable(Cause::Unreachable),
            _ => unavailable(Cause::Broken),
        }
    }

    /// An answer that cannot be used.
    pub fn broken(&self, error: &dyn std::fmt::Display) -> Failure {
        tracing::warn!(provider = &*self.name, %error, "a provider's answer cannot be used");
        let text = "The provider of this model sent an answer that cannot be read.";
        Failure::new(Cause::Broken, Fault::new(FaultKind::ModelError, text))
    }
}

/// Tells the attempt's span who is called, and whoever is called of the span, where the configuration wants that.
fn trace(endpoint: &Endpoint, headers: &mut HeaderMap) {
    let Some(span) = outcrop_telemetry::trace::current() else { return };
    if let Ok(authority) = endpoint.host().parse::<http::uri::Authority>() {
        span.set("server.address", authority.host().to_owned());
        if let Some(port) = authority.port_u16() {
            span.set("server.port", u32::from(port));
        }
    }
    let Some((parent, state)) = span.carried() else { return };
    for (name, value) in [("traceparent", Some(&*parent)), ("tracestate", state)] {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            headers.insert(name, value);
        }
    }
}

/// The key and the values of headers, which may be keys too; what is shorter than any secret would hide plain words.
pub(crate) fn secrets(settings: &ProviderSettings) -> Vec<crate::Secret> {
    let all = settings.api_key.iter().chain(settings.headers.values());
    let mut secrets: Vec<crate::Secret> = all.filter(|secret| secret.expose().len() >= 6).cloned().collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    secrets
}

/// A conversation over `dialect` at `path`.
pub async fn converse(
    http: &Http,
    dialect: &'static dyn ClientDialect,
    path: &str,
    extra: HeaderMap,
    call: &Call,
) -> Result<Answer, Failure> {
    let ask = Ask { request: &call.request, model: &call.model, stream: call.stream };
    let body = dialect.request(&ask).map_err(|error| unmappable(&call.model, &error))?;
    let mut headers = extra;
    headers.insert(ACCEPT, if call.stream { EVENT_STREAM } else { JSON });
    let response = http.post(dialect, path, body, headers).await?;
    if call.stream && is_stream(&response) {
        return events::begin(http, dialect, response).await;
    }
    let body = http.whole(response).await?;
    let answer = dialect.answer(&body, tool_use_id).map_err(|error| events::unread(http, &error))?;
    Ok(Answer::Whole(Box::new(answer)))
}

/// What a format has no place for, another target's may have.
pub fn unmappable(model: &str, error: &outcrop_dialects::DialectError) -> Failure {
    let text = format!("{error} The model is {model} of its provider.");
    Failure::new(Cause::Unmappable, Fault::validation(text))
}

fn is_stream<B>(response: &Response<B>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}
