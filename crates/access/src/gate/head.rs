//! A request's head and body as the gate sees them.

use http::HeaderMap;
use outcrop_wire::sigv4::Request;

/// A request's head as received: path and query raw, nothing decoded or merged.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// The raw path, a service prefix like `/bedrock-agent` included: clients sign it.
    pub path: &'a str,
    /// The raw query without its `?`.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// HTTP/2's `:authority`, or the authority of an absolute request target.
    pub authority: Option<&'a str>,
}

/// A request's body.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// A stream of event frames that each carry a signature of their own.
    Events,
}

impl<'a> From<&'a http::request::Parts> for Head<'a> {
    fn from(parts: &'a http::request::Parts) -> Self {
        Self {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or(""),
            headers: &parts.headers,
            authority: parts.uri.authority().map(|authority| authority.as_str()),
        }
    }
}

impl<'a> Head<'a> {
    /// Whether it claims to come from anybody, rightly or not.
    pub fn has_credentials(&self) -> bool {
        self.headers.contains_key("authorization") || self.query.contains("X-Amz-Algorithm=")
    }

    /// Whether its query is signed by Signature Version 2, which S3's clients of old times make.
    pub fn is_version_2(&self) -> bool {
        let has = |name: &str| self.query.split('&').any(|pair| pair.starts_with(name));
        !self.headers.contains_key("authorization") && has("AWSAccessKeyId=") && has("Signature=")
    }

    /// The service that its signature says to be for, rightly or not.
    pub fn service(&self) -> Option<&'a str> {
        // The scope has slashes, which a query has as %2F.
        let (credential, slash) = match self.header("authorization") {
            Some(header) => (header.split_once("Credential=")?.1.split([',', ' ']).next()?, "/"),
            None => {
                let value = self.query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
                (value, if value.contains('/') { "/" } else { "%2F" })
            }
        };
        let mut parts = credential.rsplit(slash);
        parts.next().filter(|end| *end == "aws4_request")?;
        parts.next()
    }

    /// The only value of a header, if it is text. Two values are none: two readers could choose differently.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// Where the client believes to be talking to, without the port.
    pub(crate) fn host(&self) -> Option<&'a str> {
        let host = self.header("host").or(self.authority)?;
        // The port is behind the last colon, but an IPv6 address has colons inside its brackets.
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => Some(name),
            _ => Some(host),
        }
    }

    /// The Region in a host name of AWS's form, `bedrock-runtime.us-west-2.amazonaws.com`, as DNS or a proxy in
    /// front may leave it.
    pub(crate) fn host_region(&self) -> Option<&'a str> {
        let mut labels = self.host()?.split('.');
        let service = labels.next()?;
        let services = ["bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime", "sts", "monitoring"];
        let known = services.contains(&service) || matches!(service, "servicequotas" | "cloudtrail");
        let region = labels.next()?;
        let named = known && region.contains('-') && region.ends_with(|c: char| c.is_ascii_digit());
        named.then_some(region)
    }

    /// The headers that may be signed. HTTP/2 has no `host` and HTTP/1.1 no `:authority`; whichever is missing
    /// is the other.
    pub(crate) fn signable(&self) -> Vec<(&'a str, &'a [u8])> {
        let mut headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let host = self.headers.get("host").map(http::HeaderValue::as_bytes);
        let authority = self.authority.map(str::as_bytes);
        if host.is_none()
            && let Some(authority) = authority
        {
            headers.push(("host", authority));
        }
        if let Some(authority) = authority.or(host) {
            headers.push((":authority", authority));
        }
        headers
    }

    /// The request of which `headers` ([`Head::signable`]) are the headers.
    pub(crate) fn request<'h>(&'h self, headers: &'h [(&'h str, &'h [u8])]) -> Request<'h> {
        Request { method: self.method, path: self.path, query: self.query, headers }
    }
}
