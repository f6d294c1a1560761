//! Signing a request with the operator's credentials.

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderValue, Method, Uri};
use aws_credential_types::Credentials;
use jiff::Timestamp;
use outcrop_wire::sigv4::{Request, Signer, sha256_hex};

/// Adds the headers by which AWS knows who asks. `headers` are all that is sent beside the host.
pub(super) fn sign(
    identity: &Credentials,
    region: &str,
    method: &Method,
    uri: &Uri,
    host: &str,
    body: &[u8],
    headers: &mut HeaderMap,
) {
    let timestamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    // What is sent and what is signed must be the same header.
    headers.entry(CONTENT_TYPE).or_insert(super::JSON);
    let token = identity.session_token();
    let text = |name: &::http::HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut signed: Vec<(&str, &str)> = Vec::with_capacity(5);
    if headers.contains_key(ACCEPT) {
        signed.push(("accept", text(&ACCEPT)));
    }
    signed.push(("content-type", text(&CONTENT_TYPE)));
    signed.push(("host", host));
    signed.push(("x-amz-date", &timestamp));
    if let Some(token) = token {
        signed.push(("x-amz-security-token", token));
    }
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let signer = Signer {
        access_key_id: identity.access_key_id(),
        secret: identity.secret_access_key(),
        region,
        service: "bedrock",
    };
    let pairs: Vec<(&str, &[u8])> = signed.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let request =
        Request { method: method.as_str(), path: uri.path(), query: uri.query().unwrap_or(""), headers: &pairs };
    let authorization = signer.authorization(request, &names.join(";"), &timestamp, &sha256_hex(body));
    let mut put = |name: ::http::HeaderName, value: &str| {
        // Credentials that no header can hold are refused by the upstream as a signature without them.
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    };
    put(AUTHORIZATION, &authorization);
    if let Some(token) = token {
        put(::http::HeaderName::from_static("x-amz-security-token"), token);
    }
    put(::http::HeaderName::from_static("x-amz-date"), &timestamp);
}
