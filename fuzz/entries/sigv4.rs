//! Any claim of a signature: never a panic, what parses says what was written, and what is signed verifies.

use outcrop_wire::sigv4::{
    Authorization, EMPTY_BODY, PathRule, Place, Presigned, Request, Scope, Signer, SigningKey, ToSign,
};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TIME: &str = "20150830T123600Z";

/// The entry of fuzzer and replay. Lines: an `Authorization` header, a path, a query, then one header each.
pub fn run(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let (header, path, query) = (text(), text(), text());
    if let Ok(claim) = Authorization::parse(header) {
        assert_eq!(claim.scope().date.len(), 8);
        let credential = format!("{}/{}", claim.access_key_id(), claim.scope());
        assert!(header.contains(&credential) && header.contains(claim.signed_headers()));
    }
    if let Ok(Some(claim)) = Presigned::parse(query) {
        assert!((1..=604_800).contains(&claim.expires));
    }
    let values: Vec<&[u8]> = lines.collect();
    let mut headers: Vec<(&str, &[u8])> = values.iter().map(|value| ("x-value", *value)).collect();
    headers.push(("host", b"127.0.0.1"));
    let request = Request { method: "POST", path, query, headers: &headers };
    for (service, path_rule) in [("bedrock", PathRule::Normal), ("s3", PathRule::S3)] {
        let signer = Signer { access_key_id: "AKIDEXAMPLE", secret: SECRET, region: "us-east-1", service };
        let header = signer.authorization(request, "host;x-value", TIME, EMPTY_BODY);
        let claim = Authorization::parse(&header).expect("what the signer writes");
        let to_sign = ToSign {
            request,
            signed_headers: claim.signed_headers(),
            payload: EMPTY_BODY,
            timestamp: TIME,
            scope: claim.scope(),
            place: Place::Header,
            path_rule,
        };
        assert_eq!(claim.scope(), Scope { date: "20150830", region: "us-east-1", service });
        let key = SigningKey::derive(SECRET, claim.scope());
        assert!(to_sign.verify(&key, claim.signature()));
        // Five lines of name and signature frame the headers; none of their values can add a line.
        let canonical = to_sign.canonical_request();
        let at_least_as_many = 7 + usize::from(!values.is_empty());
        assert!(canonical.iter().filter(|byte| **byte == b'\n').count() <= at_least_as_many);

        if !query.contains("X-Amz-") && !query.contains('%') && !query.contains('+') {
            let url = signer.presign(request, "host", TIME, 900, Some("to+ken/="), EMPTY_BODY);
            let claim = Presigned::parse(&url).expect("what the signer writes").expect("a claim");
            assert_eq!(claim.security_token.as_deref(), Some("to+ken/="));
            let request = Request { query: &url, ..request };
            let to_sign = ToSign { request, signed_headers: "host", place: Place::Query, ..to_sign };
            assert!(to_sign.verify(&key, claim.authorization.signature()));
        }
    }
}
