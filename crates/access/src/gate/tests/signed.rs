use super::*;
use crate::CallerKind;

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                        Secret Access Key and signing method. Consult the service documentation for details.";
const PROFILE: &str =
    "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabcdefghijkl/converse";

/// As botocore 1.44.5 signed them at 2026-01-02T03:04:05Z.
fn by_botocore() -> Call {
    Call::new(PROFILE, b"{\"messages\":[]}").with("x-amz-date", STAMP).with(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKIAQNZGKIQYEXAMPLE1/20260102/us-east-1/bedrock/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=93a3307cde917d3e1f56d354cdf4c4acb52e498062e413edcf27b420fdecb3cd",
    )
}

fn session_by_botocore() -> Call {
    Call::new("/model/amazon.titan-text-lite-v1/converse", b"{\"messages\":[]}")
        .with("x-amz-date", STAMP)
        .with("x-amz-security-token", SESSION_TOKEN)
        .with(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=ASIAQNZGKIQYEXAMPLE1/20260102/us-east-1/bedrock/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
             Signature=9b0f6f25b551e6b4c146ca72f42445d674c73a739c4105cff702065d6c39cf0a",
        )
}

fn presigned_by_botocore() -> Call {
    let mut call = Call::new("/foundation-models", b"").without("content-type");
    call.method = "GET";
    call.query = "byProvider=a%20b&X-Amz-Algorithm=AWS4-HMAC-SHA256\
                  &X-Amz-Credential=AKIAQNZGKIQYEXAMPLE1%2F20260102%2Fus-east-1%2Fbedrock%2Faws4_request\
                  &X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host\
                  &X-Amz-Signature=81598e79985c67caa9b35ce4c175373391e7b88c8a9a612a6a9a091832d7bca0"
        .to_owned();
    call
}

#[tokio::test]
async fn what_botocore_signs_is_proven() {
    let gate = serve(30).await;
    let proof = by_botocore().prove(&gate).await.unwrap();
    assert_eq!(proof.caller.account, "123456789012");
    assert_eq!(proof.caller.arn, "arn:aws:iam::123456789012:user/ada");
    assert_eq!(proof.caller.access_key_id.as_deref(), Some(ID));
    assert_eq!(proof.caller.kind, CallerKind::User);
    assert_eq!((proof.region.as_str(), proof.service.as_str()), ("us-east-1", "bedrock"));

    let proof = session_by_botocore().prove(&gate).await.unwrap();
    assert_eq!(proof.caller.arn, "arn:aws:sts::123456789012:assumed-role/reader/s1");
    assert_eq!(proof.caller.kind, CallerKind::Session);

    let proof = presigned_by_botocore().prove(&gate).await.unwrap();
    assert_eq!(proof.caller.arn, "arn:aws:iam::123456789012:user/ada");
}

#[tokio::test]
async fn any_change_is_noticed() {
    let gate = serve(0).await;
    let good = by_botocore();
    let cases = [
        Call { body: b"{\"messages\":[1]}", ..good.clone() },
        Call { path: good.path.replace("converse", "invoke"), ..good.clone() },
        Call { path: good.path.replace("abcdefghijkl", "abcdefghijkm"), ..good.clone() },
        Call { query: "a=b".to_owned(), ..good.clone() },
        Call { method: "PUT", ..good.clone() },
        good.clone().with("content-type", "text/plain"),
        good.clone().with("host", "127.0.0.1:7712"),
        good.clone().with("x-amz-date", "20260102T030406Z"),
        Call { query: presigned_by_botocore().query.replace("a%20b", "a%20c"), ..presigned_by_botocore() },
        Call { query: presigned_by_botocore().query.replace("=900", "=901"), ..presigned_by_botocore() },
    ];
    for (at, case) in cases.iter().enumerate() {
        assert_eq!(case.refused(&gate).await, (Kind::InvalidSignature, MISMATCH.to_owned()), "case {at}");
    }
    good.prove(&gate).await.unwrap();
}

#[tokio::test]
async fn unknown_keys_and_tokens_are_told_nothing() {
    let gate = serve(0).await;
    let authorization = |call: &Call| call.headers.iter().find(|(name, _)| *name == "authorization").unwrap().1.clone();
    let unknown = authorization(&by_botocore()).replace(ID, "AKIAQNZGKIQYEXAMPLE9");
    for call in [
        by_botocore().with("authorization", unknown),
        by_botocore().with("x-amz-security-token", SESSION_TOKEN),
        session_by_botocore().without("x-amz-security-token"),
        session_by_botocore().with("x-amz-security-token", "another"),
    ] {
        assert_eq!(call.refused(&gate).await, (Kind::UnrecognizedClient, INVALID.to_owned()));
    }
}

#[tokio::test]
async fn a_signature_is_good_for_a_quarter_of_an_hour_around_its_time() {
    by_botocore().prove(&serve(900).await).await.unwrap();
    by_botocore().prove(&serve(-900).await).await.unwrap();
    let (kind, message) = by_botocore().refused(&serve(901).await).await;
    assert_eq!(kind, Kind::InvalidSignature);
    assert_eq!(
        message,
        "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T031906Z - 15 min.)"
    );
    let (kind, message) = by_botocore().refused(&serve(-901).await).await;
    assert_eq!(kind, Kind::InvalidSignature);
    assert_eq!(
        message,
        "Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T024904Z + 15 min.)"
    );
}

#[tokio::test]
async fn a_presigned_url_and_a_session_end() {
    presigned_by_botocore().prove(&serve(900).await).await.unwrap();
    let (kind, message) = presigned_by_botocore().refused(&serve(901).await).await;
    assert_eq!(kind, Kind::InvalidSignature);
    assert!(message.starts_with("Signature expired: 20260102T030405Z is now earlier than"), "{message}");
    let expired = (Kind::ExpiredToken, "The security token included in the request is expired".to_owned());
    assert_eq!(session_by_botocore().refused(&serve(3600).await).await, expired);
}

#[tokio::test]
async fn the_scope_must_fit() {
    let gate = serve(0).await;
    let call = Call::new("/", b"");
    for service in ["bedrock", "sts"] {
        let proof = call.clone().signed("host;x-amz-date", "us-east-1", service).prove(&gate).await.unwrap();
        assert_eq!(proof.service, service);
    }
    let (kind, message) = call.clone().signed("host;x-amz-date", "us-east-1", "kms").refused(&gate).await;
    assert_eq!(kind, Kind::InvalidSignature);
    assert_eq!(message, "Credential should be scoped to correct service: 'bedrock'.");

    let there = call.clone().with("host", "bedrock.eu-west-1.amazonaws.com");
    there.clone().signed("host;x-amz-date", "eu-west-1", "bedrock").prove(&gate).await.unwrap();
    let (kind, message) = there.signed("host;x-amz-date", "us-east-1", "bedrock").refused(&gate).await;
    assert_eq!(kind, Kind::InvalidSignature);
    assert_eq!(message, "Credential should be scoped to a valid region.");

    let late = call.signed("host;x-amz-date", "us-east-1", "bedrock").with("x-amz-date", "20260103T000000Z");
    let (kind, message) = late.refused(&gate).await;
    assert_eq!(kind, Kind::InvalidSignature);
    assert!(message.contains("'20260102' != '20260103', from '20260103T000000Z'."), "{message}");
}

#[tokio::test]
async fn the_host_is_always_signed_and_signed_headers_must_arrive() {
    let gate = serve(0).await;
    let call = Call::new("/model/m/converse", b"{}");
    let (kind, message) = call.clone().signed("x-amz-date", "us-east-1", "bedrock").refused(&gate).await;
    assert_eq!(kind, Kind::UnrecognizedClient);
    assert!(message.contains("':authority' must be a signed header"), "{message}");
    let signed = call.with("accept", "*/*").signed("accept;host;x-amz-date", "us-east-1", "bedrock");
    signed.prove(&gate).await.unwrap();
    let (kind, message) = signed.without("accept").refused(&gate).await;
    assert_eq!(kind, Kind::InvalidSignature);
    assert!(message.starts_with(MISMATCH) && message.contains("a signed header did not arrive"), "{message}");
}

#[tokio::test]
async fn over_http2_the_authority_is_the_host() {
    let gate = serve(0).await;
    let mut call = Call::new("/model/m/converse", b"{}").without("host");
    call.authority = Some("127.0.0.1:7711");
    // The JavaScript SDK signs `:authority`; whoever signs `host` means the same.
    call.clone().signed(":authority;x-amz-date", "us-east-1", "bedrock").prove(&gate).await.unwrap();
    let mut by_host = call.with("host", "127.0.0.1:7711").signed("host;x-amz-date", "us-east-1", "bedrock");
    by_host = by_host.without("host");
    by_host.prove(&gate).await.unwrap();
    by_host.authority = Some("127.0.0.1:7712");
    assert_eq!(by_host.refused(&gate).await.0, Kind::InvalidSignature);
}

#[tokio::test]
async fn a_declared_body_hash_must_be_the_bodys() {
    let gate = serve(0).await;
    let names = "host;x-amz-content-sha256;x-amz-date";
    let call = |hash: &str, body| {
        Call::new("/model/m/converse", body).with("x-amz-content-sha256", hash).signed(names, "us-east-1", "bedrock")
    };
    call(&sha256_hex(b"{}"), b"{}").prove(&gate).await.unwrap();
    let (kind, message) = call(&sha256_hex(b"{}"), b"{ }").refused(&gate).await;
    assert_eq!(kind, Kind::InvalidSignature);
    assert!(message.contains("x-amz-content-sha256 is not the SHA-256"), "{message}");
    call("UNSIGNED-PAYLOAD", b"").prove(&gate).await.unwrap();
    let (kind, message) = call("UNSIGNED-PAYLOAD", b"{}").refused(&gate).await;
    assert_eq!(kind, Kind::InvalidSignature);
    assert!(message.contains("the body must be signed"), "{message}");
    // The word for signed event frames is for a stream only.
    let stream = call("STREAMING-AWS4-HMAC-SHA256-EVENTS", b"");
    stream.prove_body(&gate, Body::Events).await.unwrap();
    assert_eq!(stream.refused(&gate).await.0, Kind::InvalidSignature);
    let whole = call(&sha256_hex(b""), b"");
    assert_eq!(whole.prove_body(&gate, Body::Events).await.unwrap_err().kind(), Kind::InvalidSignature);
}

#[tokio::test]
async fn clients_that_do_not_normalise_are_understood() {
    let gate = serve(0).await;
    // botocore signs `/agents/` and sends `/agents//`; others sign what they send.
    let normal = Call::new("/agents/", b"").signed("host;x-amz-date", "us-east-1", "bedrock");
    Call { path: "/agents//".to_owned(), ..normal }.prove(&gate).await.unwrap();
    let call = Call::new("/agents//", b"").with("x-amz-date", STAMP);
    let headers: Vec<_> = call.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let scope = outcrop_wire::sigv4::Scope { date: "20260102", region: "us-east-1", service: "bedrock" };
    let signature = outcrop_wire::sigv4::ToSign {
        request: Request { method: "POST", path: "/agents//", query: "", headers: &headers },
        signed_headers: "host;x-amz-date",
        payload: &sha256_hex(b""),
        timestamp: STAMP,
        scope,
        place: outcrop_wire::sigv4::Place::Header,
        path_rule: outcrop_wire::sigv4::PathRule::AsSent,
    }
    .sign(&outcrop_wire::sigv4::SigningKey::derive(SECRET, scope));
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={ID}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}");
    call.with("authorization", authorization).prove(&gate).await.unwrap();
}

#[tokio::test]
async fn a_proxy_that_decodes_the_path_is_named() {
    let gate = serve(0).await;
    let arn = "/model/arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl/converse";
    let slash =
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile/abcdefghijkl/converse";
    for path in [arn, slash] {
        let (kind, message) = Call { path: path.to_owned(), ..by_botocore() }.refused(&gate).await;
        assert_eq!(kind, Kind::InvalidSignature);
        assert!(
            message.starts_with(MISMATCH) && message.contains("A proxy in front of this server decoded %2F"),
            "{message}"
        );
    }
    let encoded =
        Call::new("/model/amazon.nova-lite-v1%3A0/converse", b"").signed("host;x-amz-date", "us-east-1", "bedrock");
    let (_, message) = Call { path: encoded.path.replace("%3A", ":"), ..encoded }.refused(&gate).await;
    assert!(message.contains("decoded %2F or %3A"), "{message}");
    // Not where the secret is another: then no path fits.
    let other = Call { path: arn.to_owned(), body: b"other", ..by_botocore() };
    assert_eq!(other.refused(&gate).await, (Kind::InvalidSignature, MISMATCH.to_owned()));
}

#[tokio::test]
async fn the_date_header_serves_where_clients_cannot_set_another() {
    let gate = serve(0).await;
    let call = Call::new("/model/m/converse", b"{}")
        .with("date", "Fri, 02 Jan 2026 03:04:05 GMT")
        .signed("date;host", "us-east-1", "bedrock")
        .without("x-amz-date");
    call.prove(&gate).await.unwrap();
}

/// What an API key holds is a presigned request, too; it opens the doors of API keys only.
#[tokio::test]
async fn an_api_key_is_no_presigned_request() {
    let call = presigned_by_botocore();
    let query = call.query.replace("byProvider=a%20b", "Action=CallWithBearerToken");
    let refused = Call { query, ..call }.prove(&serve(30).await).await;
    assert!(matches!(refused, Err(AccessError::Malformed(text)) if text.contains("bearer token")), "{refused:?}");
}
