mod oracle;
mod published;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TIME: &str = "20150830T123600Z";

fn encoded(path: &str, path_rule: PathRule) -> String {
    let request = Request { method: "GET", path, query: "", headers: &[] };
    let scope = Scope { date: "20150830", region: "us-east-1", service: "bedrock" };
    let to_sign = ToSign {
        request,
        signed_headers: "host",
        payload: EMPTY_BODY,
        timestamp: TIME,
        scope,
        place: Place::Header,
        path_rule,
    };
    String::from_utf8(to_sign.canonical_request()).unwrap().lines().nth(1).unwrap().to_owned()
}

#[test]
fn the_received_path_is_encoded_once_more() {
    let raw = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fa.b-v1:0/converse";
    assert_eq!(
        encoded(raw, PathRule::Normal),
        "/model/arn%253Aaws%253Abedrock%253Aus-east-1%253A%253Afoundation-model%252Fa.b-v1%3A0/converse"
    );
    assert_eq!(
        encoded(raw, PathRule::S3),
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fa.b-v1%3A0/converse"
    );
}

#[test]
fn empty_and_dot_segments_go_unless_sent_as_they_are() {
    for (path, normal) in [
        ("", "/"),
        ("/", "/"),
        ("/agents//", "/agents/"),
        ("/a/./b/../c", "/a/c"),
        ("/../..", "/"),
        ("/a/...", "/a/..."),
        ("/.well-known/x", "/.well-known/x"),
    ] {
        assert_eq!(encoded(path, PathRule::Normal), normal, "{path}");
    }
    assert_eq!(encoded("/agents//", PathRule::AsSent), "/agents//");
}

#[test]
fn a_header_is_read_in_every_form_clients_send() {
    let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    for header in [
        format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/bedrock/aws4_request, SignedHeaders=:authority;x-amz-date, Signature={signature}"
        ),
        format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/bedrock/aws4_request,SignedHeaders=:authority;x-amz-date,Signature={signature}"
        ),
    ] {
        let authorization = Authorization::parse(&header).unwrap();
        assert_eq!(authorization.access_key_id(), "AKID");
        assert_eq!(authorization.scope(), Scope { date: "20150830", region: "us-east-1", service: "bedrock" });
        assert_eq!(authorization.signed_headers(), ":authority;x-amz-date");
        assert_eq!(authorization.signature(), signature);
    }
}

#[test]
fn malformed_headers_say_what_is_wrong() {
    let signature = "5".repeat(64);
    let credential = "Credential=AKID/20150830/us-east-1/bedrock/aws4_request";
    let rest = format!("SignedHeaders=host, Signature={signature}");
    for (header, error) in [
        ("Bearer abc".to_owned(), ParseError::Algorithm),
        ("AWS4-HMAC-SHA256".to_owned(), ParseError::Algorithm),
        (format!("AWS4-HMAC-SHA256X {credential}, {rest}"), ParseError::Algorithm),
        (format!("AWS4-HMAC-SHA256 {rest}"), ParseError::Missing("Credential")),
        (format!("AWS4-HMAC-SHA256 {credential}, Signature={signature}"), ParseError::Missing("SignedHeaders")),
        (format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host"), ParseError::Missing("Signature")),
        (format!("AWS4-HMAC-SHA256 {credential}, {credential}, {rest}"), ParseError::Repeated("Credential")),
        (format!("AWS4-HMAC-SHA256 Credential=AKID, {rest}"), ParseError::Credential),
        (format!("AWS4-HMAC-SHA256 Credential=/20150830/r/s/aws4_request, {rest}"), ParseError::Credential),
        (format!("AWS4-HMAC-SHA256 Credential=A/2015083/r/s/aws4_request, {rest}"), ParseError::Credential),
        (format!("AWS4-HMAC-SHA256 Credential=A/20150830//s/aws4_request, {rest}"), ParseError::Credential),
        (format!("AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws5_request, {rest}"), ParseError::Credential),
        (
            format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=Host, Signature={signature}"),
            ParseError::SignedHeaders,
        ),
        (format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=, Signature={signature}"), ParseError::SignedHeaders),
        (format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=abc"), ParseError::Signature),
    ] {
        assert_eq!(Authorization::parse(&header), Err(error), "{header}");
    }
}

#[test]
fn a_query_without_a_signature_makes_no_claim_and_a_broken_one_is_refused() {
    assert_eq!(Presigned::parse("maxResults=10&X-Amz-Other=1"), Ok(None));
    let good = Signer { access_key_id: "AKID", secret: SECRET, region: "us-east-1", service: "bedrock" }.presign(
        Request { method: "GET", path: "/", query: "", headers: &[("host", b"h")] },
        "host",
        TIME,
        60,
        Some("a+b/c="),
        EMPTY_BODY,
    );
    let claim = Presigned::parse(&good).unwrap().unwrap();
    assert_eq!(claim.security_token.as_deref(), Some("a+b/c="));
    assert_eq!((claim.expires, &*claim.date), (60, TIME));
    for (from, to, error) in [
        ("HMAC-SHA256", "HMAC-SHA1", ParseError::Algorithm),
        ("X-Amz-Expires=60", "X-Amz-Expires=0", ParseError::Expires),
        ("X-Amz-Expires=60", "X-Amz-Expires=604801", ParseError::Expires),
        ("X-Amz-Expires=60", "X-Amz-Expires=60&X-Amz-Expires=61", ParseError::Repeated("X-Amz-Expires")),
        ("X-Amz-Date", "X-Amz-Fate", ParseError::Missing("X-Amz-Date")),
        ("aws4_request", "aws5_request", ParseError::Credential),
    ] {
        assert_eq!(Presigned::parse(&good.replace(from, to)), Err(error), "{to}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let scope = Scope { date: "20150830", region: "us-east-1", service: "iam" };
    assert_eq!(format!("{:?}", SigningKey::derive(SECRET, scope)), "<secret>");
    let signer = Signer { access_key_id: "AKID", secret: SECRET, region: "r", service: "s" };
    assert!(!format!("{signer:?}").contains(SECRET));
}

#[test]
fn a_signature_matches_only_itself() {
    let scope = Scope { date: "20150830", region: "us-east-1", service: "iam" };
    let signature = SigningKey::derive(SECRET, scope).sign(b"text");
    let hex = signature.to_string();
    assert!(signature.matches(&hex));
    assert!(signature.matches(&hex.to_uppercase()));
    assert!(!signature.matches(&hex[1..]));
    assert!(!signature.matches(""));
    let flipped = if hex.starts_with('0') { "1" } else { "0" };
    assert!(!signature.matches(&format!("{flipped}{}", &hex[1..])));
}

#[test]
fn a_signed_header_that_is_not_there_is_named() {
    let headers: [(&str, &[u8]); 2] = [("Host", b"h"), (":authority", b"h")];
    let request = Request { method: "GET", path: "/", query: "", headers: &headers };
    assert_eq!(request.missing_header("host;:authority"), None);
    assert_eq!(request.missing_header("host;x-amz-date"), Some("x-amz-date"));
}
