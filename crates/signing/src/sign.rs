//! The headers by which AWS knows who asks.

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use jiff::Timestamp;
use outcrop_wire::sigv4::{Request, Signer, sha256_hex};

use crate::{Identity, NoCredentials, Signed};

/// The body's hash, where a service reads it from a header.
const HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

impl Identity {
    /// Signs a request: puts what is missing into `headers`, which are all that is sent beside the host.
    pub async fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        host: &str,
        body: &[u8],
        headers: &mut HeaderMap,
    ) -> Result<Signed, NoCredentials> {
        let identity = self.credentials.now().await?;
        let timestamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let hash = sha256_hex(body);
        let mut put = |name: HeaderName, value: &str| {
            // Credentials that no header can hold are refused by the upstream as a signature without them.
            if let Ok(mut value) = HeaderValue::from_str(value) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        };
        // OpenSearch Serverless refuses requests without it (developer guide, "Signing HTTP requests").
        if self.service == "aoss" {
            put(HASH, &hash);
        }
        put(DATE, &timestamp);
        if let Some(token) = identity.session_token() {
            put(TOKEN, token);
        }
        let signer = Signer {
            access_key_id: identity.access_key_id(),
            secret: identity.secret_access_key(),
            region: &self.region,
            service: self.service,
        };
        let authorization = authorization(signer, method, uri, host, &timestamp, &hash, headers);
        if let Ok(mut value) = HeaderValue::from_str(&authorization) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(Signed(identity))
    }
}

fn authorization(
    signer: Signer<'_>,
    method: &Method,
    uri: &Uri,
    host: &str,
    timestamp: &str,
    hash: &str,
    headers: &HeaderMap,
) -> String {
    // In the order of their names, as the canonical request has them.
    let names = [ACCEPT, CONTENT_TYPE, ::http::header::HOST, HASH, DATE, TOKEN];
    let value = |name: &HeaderName| match name == ::http::header::HOST {
        true => Some(host.as_bytes()),
        false => headers.get(name).map(HeaderValue::as_bytes),
    };
    let pairs: Vec<(&str, &[u8])> = names.iter().filter_map(|name| Some((name.as_str(), value(name)?))).collect();
    let signed: Vec<&str> = pairs.iter().map(|(name, _)| *name).collect();
    let request =
        Request { method: method.as_str(), path: uri.path(), query: uri.query().unwrap_or(""), headers: &pairs };
    signer.authorization(request, &signed.join(";"), timestamp, hash)
}
