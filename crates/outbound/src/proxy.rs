//! The address of a proxy, which may hold a password.

use std::fmt;
use std::str::FromStr;

use http::Uri;

use crate::OutboundError;

/// `http://[user:password@]host:port`. Shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(String);

impl ProxyUrl {
    /// The same, with `user:password`, where it has none.
    pub fn with_credentials(&self, credentials: &str) -> Result<Self, OutboundError> {
        let Some(host) = self.0.strip_prefix("http://").filter(|host| !host.contains('@')) else {
            return Err(OutboundError::Settings("the proxy's URL has a user and a password already".into()));
        };
        let (user, password) = credentials.split_once(':').ok_or_else(|| {
            OutboundError::Settings("the proxy's credentials are not of the form user:password".into())
        })?;
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        format!("http://{}:{}@{host}", escaped(user), escaped(password)).parse()
    }

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
        if uri.authority().is_some_and(|authority| authority.as_str().matches('@').count() > 1) {
            return Err(bad("has an @ in its user or password; write it as %40"));
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
