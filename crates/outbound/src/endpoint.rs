//! An endpoint: where requests go that configuration names.

use std::error::Error as _;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, LOCATION, PROXY_AUTHORIZATION, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::{Client, Error};

use crate::connect::Connector;
use crate::gate::{Gate, Target};
use crate::{Body, Location, OutboundError};

const AGENT: HeaderValue = HeaderValue::from_static(concat!("outcrop/", env!("CARGO_PKG_VERSION")));

/// A base URL that may be called. Cheap to clone.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    client: Client<Connector, Full<Bytes>>,
    scheme: Scheme,
    authority: Authority,
    /// What paths are put behind; without a slash at its end.
    prefix: String,
    host: HeaderValue,
    /// For an HTTP proxy that reads the requests themselves.
    proxy_credentials: Option<HeaderValue>,
}

impl Endpoint {
    pub(crate) fn new(gate: &Gate, client: Client<Connector, Full<Bytes>>, url: &str) -> Result<Self, OutboundError> {
        // A URL may hold a secret wherever it is wrong: no text here repeats it.
        let bad = |why: &str| OutboundError::Url(format!("the URL {why}; expected https://host[:port][/path]"));
        let uri: Uri = url.trim().parse().map_err(|_| bad("cannot be read"))?;
        let authority = uri.authority().cloned().ok_or_else(|| bad("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("holds a user or a password, which belong elsewhere"));
        }
        if url.contains(['?', '#']) {
            return Err(bad("goes on behind its path"));
        }
        let target = Target::of(&uri).ok_or_else(|| bad("begins with neither https nor http, or names no host"))?;
        gate.judge(&target)?;
        let proxy = if target.secure { None } else { gate.proxy(&target, &uri) };
        let host = match (authority.port_u16(), target.secure) {
            (Some(443), true) | (Some(80), false) => authority.host(),
            _ => authority.as_str(),
        };
        Ok(Self(Arc::new(Inner {
            client,
            scheme: uri.scheme().cloned().unwrap_or(Scheme::HTTPS),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            host: HeaderValue::from_str(host).map_err(|_| bad("names no host"))?,
            proxy_credentials: proxy.and_then(|proxy| proxy.basic_auth().cloned()),
            authority,
        })))
    }

    /// The URL of `path` here, behind the base URL's own path. Made once for a path that is called often, it saves
    /// [`Self::send`] the work. What no URL can hold is written as `%XX`; a path that no URL is long enough for
    /// leads to the base itself.
    pub fn uri(&self, path: &str) -> Uri {
        let mut whole = String::with_capacity(self.0.prefix.len() + path.len() + 1);
        whole.push_str(&self.0.prefix);
        if !path.is_empty() && !path.starts_with(['/', '?']) {
            whole.push('/');
        }
        for byte in path.bytes() {
            match byte {
                b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | ..=b' ' | 0x7f.. => {
                    const HEX: &[u8; 16] = b"0123456789ABCDEF";
                    whole.push('%');
                    whole.push(char::from(HEX[usize::from(byte >> 4)]));
                    whole.push(char::from(HEX[usize::from(byte & 15)]));
                }
                byte => whole.push(char::from(byte)),
            }
        }
        self.at(PathAndQuery::try_from(whole).ok())
    }

    /// The host that is called, as the header of that name has it: with a port that is not the scheme's own.
    pub fn host(&self) -> &str {
        // It was made of a URL's authority, which is text.
        self.0.host.to_str().unwrap_or_default()
    }

    /// Sends a request and gives the answer as soon as its head is here.
    ///
    /// Its URI is one of [`Self::uri`], or a path that is taken as there. An answer of 3xx is an error. The caller
    /// limits how long it waits: dropping this, or the body, closes the connection.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>, OutboundError> {
        let (mut parts, body) = request.into_parts();
        match parts.uri.authority() {
            Some(authority) if *authority == self.0.authority && parts.uri.scheme() == Some(&self.0.scheme) => {}
            Some(other) => return Err(OutboundError::NotAllowed { host: other.host().to_owned() }),
            None if self.0.prefix.is_empty() => parts.uri = self.at(parts.uri.into_parts().path_and_query),
            None => parts.uri = self.uri(parts.uri.path_and_query().map_or("", |path| path.as_str())),
        }
        parts.version = http::Version::HTTP_11;
        parts.headers.insert(HOST, self.0.host.clone());
        parts.headers.entry(USER_AGENT).or_insert(AGENT);
        if let Some(credentials) = &self.0.proxy_credentials {
            parts.headers.insert(PROXY_AUTHORIZATION, credentials.clone());
        }
        let answer = self.0.client.request(Request::from_parts(parts, Full::new(body))).await;
        let answer = answer.map_err(|error| self.failed(&error))?;
        if answer.status().is_redirection() {
            return Err(self.redirected(&answer));
        }
        Ok(answer)
    }

    fn at(&self, path: Option<PathAndQuery>) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.0.scheme.clone());
        parts.authority = Some(self.0.authority.clone());
        parts.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        // Of whole parts there is always a URI.
        Uri::from_parts(parts).unwrap_or_default()
    }

    fn failed(&self, error: &Error) -> OutboundError {
        let host = self.0.authority.host().to_owned();
        let Some(source) = error.source() else {
            return OutboundError::Io { host, why: error.to_string() };
        };
        if let Some(own) = source.downcast_ref::<OutboundError>() {
            return own.clone();
        }
        let mut why = source.to_string();
        let mut deeper = source.source();
        while let Some(cause) = deeper {
            why = format!("{why}: {cause}");
            deeper = cause.source();
        }
        // hyper calls a request cancelled when it hands it back unwritten.
        match source.downcast_ref::<hyper::Error>() {
            Some(error) if error.is_canceled() => OutboundError::Closed { host, why },
            _ if error.is_connect() => OutboundError::Closed { host, why },
            _ => OutboundError::Io { host, why },
        }
    }

    fn redirected(&self, answer: &Response<Body>) -> OutboundError {
        let own = self.0.authority.host();
        let whole = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default().to_owned();
        let host = match whole.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)) {
            Some(host) => host,
            None if whole.is_empty() => "nowhere".to_owned(),
            None => own.to_owned(),
        };
        let to = Location { host, whole };
        OutboundError::Redirect { host: own.to_owned(), status: answer.status(), to }
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({}://{})", self.0.scheme, self.0.authority)
    }
}
