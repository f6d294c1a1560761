//! The client's side: signing what is sent to a server that verifies.

use super::canonical::encode;
use super::{ALGORITHM, PathRule, Place, Request, Scope, SigningKey, ToSign};
use std::fmt;

/// Credentials and where they are used. Its `Debug` hides the secret.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// `AKIA…` or `ASIA…`.
    pub access_key_id: &'a str,
    /// The secret access key.
    pub secret: &'a str,
    /// The Region of the endpoint.
    pub region: &'a str,
    /// The signing name.
    pub service: &'a str,
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access_key_id, secret: _, region, service } = self;
        write!(f, "Signer({access_key_id}, <secret>, {region}, {service})")
    }
}

impl<'a> Signer<'a> {
    /// The value of the `Authorization` header for a request that already carries `x-amz-date` (equal to
    /// `timestamp`) and, for a session, `x-amz-security-token`, both named in `signed_headers`.
    pub fn authorization(&self, request: Request<'_>, signed_headers: &str, timestamp: &str, payload: &str) -> String {
        let scope = self.scope(timestamp);
        let path_rule = self.path_rule();
        let place = Place::Header;
        let signature = ToSign { request, signed_headers, payload, timestamp, scope, place, path_rule }
            .sign(&SigningKey::derive(self.secret, scope));
        let key = self.access_key_id;
        format!("{ALGORITHM} Credential={key}/{scope}, SignedHeaders={signed_headers}, Signature={signature}")
    }

    /// The whole query of a URL that needs no headers beyond `signed_headers` for `expires` seconds;
    /// `request.query` is what it holds already.
    pub fn presign(
        &self,
        request: Request<'_>,
        signed_headers: &str,
        timestamp: &str,
        expires: u32,
        security_token: Option<&str>,
        payload: &str,
    ) -> String {
        let scope = self.scope(timestamp);
        let mut query = request.query.to_owned();
        let credential = format!("{}/{scope}", self.access_key_id);
        let seconds = expires.to_string();
        append(&mut query, "X-Amz-Algorithm", ALGORITHM);
        append(&mut query, "X-Amz-Credential", &credential);
        append(&mut query, "X-Amz-Date", timestamp);
        append(&mut query, "X-Amz-Expires", &seconds);
        append(&mut query, "X-Amz-SignedHeaders", signed_headers);
        if let Some(token) = security_token {
            append(&mut query, "X-Amz-Security-Token", token);
        }
        let path_rule = self.path_rule();
        let request = Request { query: &query, ..request };
        let signature = ToSign { request, signed_headers, payload, timestamp, scope, place: Place::Query, path_rule }
            .sign(&SigningKey::derive(self.secret, scope))
            .to_string();
        append(&mut query, "X-Amz-Signature", &signature);
        query
    }

    fn scope<'s>(&'s self, timestamp: &'s str) -> Scope<'s> {
        Scope { date: timestamp.get(..8).unwrap_or(timestamp), region: self.region, service: self.service }
    }

    fn path_rule(&self) -> PathRule {
        if self.service == "s3" { PathRule::S3 } else { PathRule::Normal }
    }
}

fn append(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    let mut encoded = Vec::with_capacity(value.len());
    encode(&mut encoded, value.as_bytes(), b'-');
    // Percent-encoding gives ASCII only.
    query.extend(encoded.iter().map(|byte| char::from(*byte)));
}
