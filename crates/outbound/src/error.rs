//! What can go wrong on the way out.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use http::StatusCode;

/// A call that did not succeed. Names hosts, never paths, queries or passwords.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the texts show")]
pub enum OutboundError {
    /// The settings cannot be used.
    #[error("{0}")]
    Settings(String),
    /// The URL of an endpoint cannot be used.
    #[error("{0}")]
    Url(String),
    /// Only this machine may be called.
    #[error("{host} was not called: outbound.offline is on")]
    Offline { host: String },
    /// The allow list does not name it.
    #[error("{host} was not called: outbound.allow does not name it")]
    NotAllowed { host: String },
    /// A name led where it should not.
    #[error(
        "{host} was not called: it resolves to {address}, {what}; if that is meant, add {add} to outbound.allow \
         (a list with entries allows nothing else: add \"*\" to keep the rest)"
    )]
    Rebound { host: String, address: IpAddr, what: &'static str, add: String },
    /// A caller named an address that is not public, or a name that leads to one.
    #[error("{host} was not called: it is {what}, which callers may not name")]
    NotPublic { host: String, what: &'static str },
    /// Unencrypted, and not within the own network.
    #[error(
        "{host} was not called: it is not in a private network and its URL is plain http; use https, or add \"http://{host}\" to outbound.allow"
    )]
    PlainHttp { host: String },
    /// Its name has no address.
    #[error("{host} has no address: {why}")]
    Dns { host: String, why: String },
    /// It does not take the connection.
    #[error("{host} does not take a connection: {why}")]
    Connect { host: String, why: String },
    /// It does not take the connection in time.
    #[error("{host} took no connection within {} ms", after.as_millis())]
    ConnectTimeout { host: String, after: Duration },
    /// It is not who it should be, or speaks no TLS.
    #[error("no TLS with {host}: {why}")]
    Tls { host: String, why: String },
    /// The proxy does not lead on.
    #[error("the proxy {proxy} did not lead to {host}: {why}")]
    Proxy { proxy: String, host: String, why: String },
    /// The connection ended before the request began.
    #[error("{host} closed the connection before the request was sent: {why}")]
    Closed { host: String, why: String },
    /// The connection ended with the request under way.
    #[error("the connection to {host} broke: {why}")]
    Io { host: String, why: String },
    /// It sends one elsewhere, where nobody goes.
    #[error("{host} answers {status} and leads to {to}; redirects are not followed")]
    Redirect { host: String, status: StatusCode, to: Location },
    /// An answer's body ended early.
    #[error("the answer could not be read to its end: {0}")]
    Body(String),
    /// An answer is larger than it may be.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: usize },
    /// An event of a stream is larger than it may be.
    #[error("an event of the answer is larger than {limit} bytes")]
    EventTooLarge { limit: usize },
}

impl OutboundError {
    /// Whether surely no byte of the request left, so that it can be sent again, or elsewhere, without harm.
    pub fn before_sent(&self) -> bool {
        !matches!(
            self,
            Self::Io { .. }
                | Self::Redirect { .. }
                | Self::Body(_)
                | Self::TooLarge { .. }
                | Self::EventTooLarge { .. }
        )
    }
}

/// Where a redirect leads. Shows its host only: the rest may be signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    pub(crate) host: String,
    pub(crate) whole: String,
}

impl Location {
    /// All of it, as the header has it; a secret, perhaps.
    pub fn expose(&self) -> &str {
        &self.whole
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}
