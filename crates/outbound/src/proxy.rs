//! The address of a proxy, which may hold a password.

use std::fmt;
use std::str::FromStr;

use http::Uri;

use crate::OutboundError;

/// `http://[user:password@]host:port`. Shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(String);

impl ProxyUrl {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProxyUrl {
    type Err = OutboundError;

    fn from_str(text: &str) -> Result<Self, OutboundError> {
        let bad = |why: &str| {
            OutboundError::Settings(format!("the proxy's URL {why}; expected http://[user:password@]host:port"))
        };
        // As curl reads it: without a scheme it is HTTP.
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = text.parse().map_err(|_| bad("cannot be read"))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad("begins with another protocol than http"));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(bad("names no host"));
        }
        Ok(Self(text))
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.rsplit('@').next().unwrap_or_default();
        let host = host.strip_prefix("http://").unwrap_or(host);
        write!(f, "http://{}", host.split('/').next().unwrap_or_default())
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
