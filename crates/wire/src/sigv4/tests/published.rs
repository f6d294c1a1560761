//! What AWS publishes: the Signature Version 4 test suite (as in awslabs/aws-c-auth, Apache-2.0: 38 requests,
//! signed in the header and in the query) and the worked examples of the documentation.

use super::super::*;
use super::{SECRET, TIME};
use serde_json::Value;

const SUITE: &str = include_str!("../../../tests/data/sigv4_suite.json");

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn headers(case: &Value) -> Vec<(&str, &[u8])> {
    let list = case["headers"].as_array().unwrap();
    list.iter().map(|h| (h[0].as_str().unwrap(), h[1].as_str().unwrap().as_bytes())).collect()
}

#[test]
fn the_suite_verifies_as_received() {
    let suite: Vec<Value> = serde_json::from_str(SUITE).unwrap();
    let mut verified = 0;
    for case in &suite {
        let path_rule = if case["normalize"].as_bool().unwrap() { PathRule::Normal } else { PathRule::AsSent };
        for place in [Place::Header, Place::Query] {
            let signed = &case[if place == Place::Header { "header" } else { "query" }];
            if signed.is_null() {
                continue;
            }
            let name = text(case, "name");
            let target = text(signed, "target");
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let headers = headers(signed);
            let request = Request { method: text(signed, "method"), path, query, headers: &headers };
            let authorization = match place {
                Place::Header => {
                    let header = request.values("authorization").next().unwrap();
                    Authorization::parse(std::str::from_utf8(header).unwrap()).unwrap()
                }
                Place::Query => {
                    let claim = Presigned::parse(query).unwrap().unwrap();
                    assert_eq!(claim.date, TIME);
                    assert_eq!(claim.expires, 3600);
                    assert_eq!(claim.security_token.as_deref(), signed["token"].as_str());
                    claim.authorization
                }
            };
            assert_eq!(authorization.access_key_id(), "AKIDEXAMPLE");
            assert_eq!(authorization.signature(), text(signed, "signature"));
            let payload = sha256_hex(text(signed, "body").as_bytes());
            let to_sign = ToSign {
                request,
                signed_headers: authorization.signed_headers(),
                payload: &payload,
                timestamp: TIME,
                scope: authorization.scope(),
                place,
                path_rule,
            };
            let canonical = String::from_utf8(to_sign.canonical_request()).unwrap();
            assert_eq!(canonical, text(signed, "canonical"), "{name} {place:?}");
            let key = SigningKey::derive(SECRET, authorization.scope());
            assert!(to_sign.verify(&key, authorization.signature()), "{name} {place:?}");
            assert!(!to_sign.verify(&SigningKey::derive("other", authorization.scope()), authorization.signature()));
            verified += 1;
        }
    }
    assert_eq!(verified, 75);
}

#[test]
fn the_worked_example_of_the_documentation() {
    // "Signature Version 4 signing process": IAM ListUsers.
    let headers: [(&str, &[u8]); 3] = [
        ("Content-Type", b"application/x-www-form-urlencoded; charset=utf-8"),
        ("Host", b"iam.amazonaws.com"),
        ("X-Amz-Date", b"20150830T123600Z"),
    ];
    let request = Request { method: "GET", path: "/", query: "Action=ListUsers&Version=2010-05-08", headers: &headers };
    let signer = Signer { access_key_id: "AKIDEXAMPLE", secret: SECRET, region: "us-east-1", service: "iam" };
    assert_eq!(
        signer.authorization(request, "content-type;host;x-amz-date", TIME, EMPTY_BODY),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

#[test]
fn the_s3_examples_of_the_documentation() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let signer = Signer { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret, region: "us-east-1", service: "s3" };
    let time = "20130524T000000Z";

    let headers: [(&str, &[u8]); 4] = [
        ("Host", b"examplebucket.s3.amazonaws.com"),
        ("Range", b"bytes=0-9"),
        ("x-amz-content-sha256", EMPTY_BODY.as_bytes()),
        ("x-amz-date", time.as_bytes()),
    ];
    let get = Request { method: "GET", path: "/test.txt", query: "", headers: &headers };
    let signed = signer.authorization(get, "host;range;x-amz-content-sha256;x-amz-date", time, EMPTY_BODY);
    assert!(signed.ends_with("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"), "{signed}");

    let payload = sha256_hex(b"Welcome to Amazon S3.");
    let headers: [(&str, &[u8]); 5] = [
        ("Date", b"Fri, 24 May 2013 00:00:00 GMT"),
        ("Host", b"examplebucket.s3.amazonaws.com"),
        ("x-amz-content-sha256", payload.as_bytes()),
        ("x-amz-date", time.as_bytes()),
        ("x-amz-storage-class", b"REDUCED_REDUNDANCY"),
    ];
    // The client sends `$` encoded; S3 encodes it once, not twice.
    let put = Request { method: "PUT", path: "/test%24file.text", query: "", headers: &headers };
    let names = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class";
    let signed = signer.authorization(put, names, time, &payload);
    assert!(signed.ends_with("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"), "{signed}");

    let headers: [(&str, &[u8]); 1] = [("Host", b"examplebucket.s3.amazonaws.com")];
    let get = Request { method: "GET", path: "/test.txt", query: "", headers: &headers };
    assert_eq!(
        signer.presign(get, "host", time, 86400, None, UNSIGNED_BODY),
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}
