//! The AWS SDK's own signer against this one, over random requests.

use super::super::*;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const HOST: &str = "bedrock-runtime.eu-west-1.amazonaws.com";
/// 2024-02-29T23:59:58Z.
const SECONDS: u64 = 1_709_251_198;
const TIME: &str = "20240229T235958Z";

#[derive(Debug, Clone)]
struct Sent {
    method: &'static str,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    secret: String,
    token: Option<String>,
    body_hash_header: bool,
}

fn sent() -> impl Strategy<Value = Sent> {
    // Paths and queries as they may stand on a request line, odd ones included.
    let segment = "([a-zA-Z0-9._~:@!$&'()*+,;=-]|%[0-9A-F]{2}|%2F|%3A){0,12}";
    let path = prop::collection::vec(segment, 1..6).prop_map(|segments| {
        // The two clients disagree on a path that ends in a dot segment; no route has one.
        let mut path = format!("/{}", segments.join("/"));
        while path.ends_with("/.") || path.ends_with("/..") {
            path.push('x');
        }
        path
    });
    // ASCII only behind `%`: where a query is not UTF-8, the SDK signs U+FFFD in place of the byte.
    let pair = "([a-zA-Z0-9._~:@/?*-]|%[0-7][0-9A-F]){1,8}(=([a-zA-Z0-9._~:@/?+=*-]|%[0-7][0-9A-F]|%C3%A9){0,8})?";
    let query = prop::collection::vec(pair, 0..5).prop_map(|pairs| pairs.join("&"));
    let header = ("x-[a-z][a-z0-9-]{0,8}", "[!-~]{0,8}( {0,3}[!-~]{1,6}){0,3}");
    (
        prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("DELETE"), Just("PATCH")],
        path,
        query,
        prop::collection::vec(header, 0..5),
        prop::collection::vec(any::<u8>(), 0..64),
        "[a-zA-Z0-9/+]{1,50}",
        prop::option::of("[a-zA-Z0-9/+=]{1,40}"),
        any::<bool>(),
    )
        .prop_map(|(method, path, query, headers, body, secret, token, body_hash_header)| Sent {
            method,
            path,
            query,
            headers,
            body,
            secret,
            token,
            body_hash_header,
        })
}

/// The headers and query parameters that the SDK's signer adds.
fn signed_by_sdk(sent: &Sent, location: SignatureLocation) -> (Vec<(String, String)>, String) {
    let identity: Identity = Credentials::new(KEY, sent.secret.as_str(), sent.token.clone(), None, "test").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = location;
    settings.expires_in = (location == SignatureLocation::QueryParams).then(|| Duration::from_secs(900));
    if sent.body_hash_header && location == SignatureLocation::Headers {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let params: SigningParams<'_> = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("bedrock")
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(SECONDS))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let separator = if sent.query.is_empty() { "" } else { "?" };
    let uri = format!("https://{HOST}{}{separator}{}", sent.path, sent.query);
    let headers = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = SignableRequest::new(sent.method, uri, headers, SignableBody::Bytes(&sent.body)).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    let (headers, parameters) = instructions.into_parts();
    let headers = headers.into_iter().map(|h| (h.name().to_owned(), h.value().to_owned())).collect();
    let mut query = sent.query.clone();
    for (name, value) in parameters {
        let mut encoded = Vec::new();
        canonical::encode(&mut encoded, value.as_bytes(), b'-');
        let separator = if query.is_empty() { "" } else { "&" };
        query = format!("{query}{separator}{name}={}", String::from_utf8(encoded).unwrap());
    }
    (headers, query)
}

fn verifies(sent: &Sent, added: &[(String, String)], query: &str, secret: &str) -> bool {
    let mut headers: Vec<(&str, &[u8])> = vec![("host", HOST.as_bytes())];
    headers.extend(sent.headers.iter().chain(added).map(|(name, value)| (name.as_str(), value.as_bytes())));
    let request = Request { method: sent.method, path: &sent.path, query, headers: &headers };
    let header = added.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.as_str());
    let (authorization, place) = match header {
        Some(header) => (Authorization::parse(header).unwrap(), Place::Header),
        None => {
            let claim = Presigned::parse(query).unwrap().unwrap();
            assert_eq!((claim.expires, &*claim.date), (900, TIME));
            assert_eq!(claim.security_token.as_deref(), sent.token.as_deref());
            (claim.authorization, Place::Query)
        }
    };
    assert_eq!(authorization.access_key_id(), KEY);
    assert_eq!(request.missing_header(authorization.signed_headers()), None);
    let payload = sha256_hex(&sent.body);
    let scope = authorization.scope();
    let signed_headers = authorization.signed_headers();
    ToSign { request, signed_headers, payload: &payload, timestamp: TIME, scope, place, path_rule: PathRule::Normal }
        .verify(&SigningKey::derive(secret, scope), authorization.signature())
}

proptest! {
    #[test]
    fn what_the_sdk_signs_verifies(sent in sent()) {
        let (added, query) = signed_by_sdk(&sent, SignatureLocation::Headers);
        prop_assert!(verifies(&sent, &added, &query, &sent.secret));
        prop_assert!(!verifies(&sent, &added, &query, "another secret"));
        let other = Sent { body: [&sent.body[..], b"!"].concat(), ..sent.clone() };
        prop_assert!(!verifies(&other, &added, &query, &sent.secret));
        let other = Sent { path: sent.path.clone() + "x", ..sent.clone() };
        prop_assert!(!verifies(&other, &added, &query, &sent.secret));
    }

    #[test]
    fn what_the_sdk_presigns_verifies(sent in sent()) {
        let (added, query) = signed_by_sdk(&sent, SignatureLocation::QueryParams);
        prop_assert!(verifies(&sent, &added, &query, &sent.secret));
        let more = format!("{query}&more=1");
        prop_assert!(!verifies(&sent, &added, &more, &sent.secret));
    }

    #[test]
    fn what_this_signer_signs_is_what_the_sdk_signs(sent in sent()) {
        let sent = Sent { headers: Vec::new(), token: None, body_hash_header: false, ..sent };
        let (added, _) = signed_by_sdk(&sent, SignatureLocation::Headers);
        let theirs = &added.iter().find(|(name, _)| name == "authorization").unwrap().1;
        let headers: [(&str, &[u8]); 2] = [("host", HOST.as_bytes()), ("x-amz-date", TIME.as_bytes())];
        let request = Request { method: sent.method, path: &sent.path, query: &sent.query, headers: &headers };
        let signer = Signer { access_key_id: KEY, secret: &sent.secret, region: "eu-west-1", service: "bedrock" };
        let ours = signer.authorization(request, "host;x-amz-date", TIME, &sha256_hex(&sent.body));
        prop_assert_eq!(&ours, theirs);
    }

    #[test]
    fn any_claim_parses_or_is_refused(header in "\\PC*", query in "\\PC*", tail in "[ -~]{0,200}") {
        let _ = Authorization::parse(&header);
        let _ = Authorization::parse(&format!("AWS4-HMAC-SHA256 {tail}"));
        let _ = Presigned::parse(&query);
        let _ = Presigned::parse(&format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&{tail}"));
    }
}
