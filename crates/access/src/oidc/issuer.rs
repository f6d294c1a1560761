//! An issuer, as configured.

use crate::DirectoryError;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// An OpenID Connect issuer whose tokens are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// As the claim `iss` says it.
    pub issuer: String,
    /// A token must be for one of these (`aud`).
    pub audiences: Vec<String>,
    /// Where its keys are.
    pub keys: KeySource,
    /// Certificates to believe when fetching, in PEM; the system's where absent.
    pub ca_file: Option<PathBuf>,
    /// A claim that must name the role asked for, by name or ARN: one text or a list.
    pub role_claim: Option<String>,
    /// Session tags from claims, by tag.
    pub tags: BTreeMap<String, String>,
    /// How far the issuer's clock may be from this one.
    pub clock_skew_seconds: u32,
}

/// Where an issuer's keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// Where the discovery document says, `<issuer>/.well-known/openid-configuration`.
    Discovery,
    /// At this URL.
    Url(String),
    /// In this document, a JWK set.
    Document(String),
}

impl Issuer {
    /// An issuer that is discovered, with tokens for `audience`.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audiences: vec![audience.into()],
            keys: KeySource::Discovery,
            ca_file: None,
            role_claim: None,
            tags: BTreeMap::new(),
            clock_skew_seconds: 60,
        }
    }

    /// Its name in trust policies and condition keys: the URL without its scheme.
    pub fn name(&self) -> &str {
        let name = self.issuer.split_once("://").map_or(self.issuer.as_str(), |(_, rest)| rest);
        name.strip_suffix('/').unwrap_or(name)
    }

    /// Whether it can be what it says.
    pub(crate) fn check(&self) -> Result<(), DirectoryError> {
        let bad = |reason: String| DirectoryError::BadIssuer { issuer: self.issuer.clone(), reason };
        check_url(&self.issuer).map_err(|reason| bad(format!("the issuer {reason}")))?;
        if self.issuer.contains(['?', '#']) {
            return Err(bad("the issuer is a URL without query and fragment".into()));
        }
        match &self.keys {
            KeySource::Discovery => {}
            KeySource::Url(url) => check_url(url).map_err(|reason| bad(format!("jwks_uri {reason}")))?,
            KeySource::Document(text) => {
                super::jwk::parse(text.as_bytes()).map_err(|reason| bad(format!("jwks_file: {reason}")))?;
            }
        }
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err(bad("audiences must name at least one audience, such as \"sts.amazonaws.com\"".into()));
        }
        if self.clock_skew_seconds > 600 {
            return Err(bad("clock_skew_seconds may be at most 600".into()));
        }
        let keys = self.tags.keys().map(|key| (key.clone(), String::new())).collect();
        crate::directory::check_tags(&keys)
    }
}

/// Whether a URL may be fetched: HTTPS, or plain HTTP on this machine.
pub(super) fn check_url(url: &str) -> Result<(), &'static str> {
    let told = "must be an https:// URL; http:// is for 127.0.0.1, [::1] and localhost only";
    let uri: http::Uri = url.parse().map_err(|_| told)?;
    let authority = uri.authority().ok_or(told)?;
    let host = authority.host().trim_matches(['[', ']']);
    let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if authority.as_str().contains('@') {
        return Err("must not hold a user name or password");
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if local => Ok(()),
        _ => Err(told),
    }
}
