//! The examples of the S3 API reference, "Signature Calculations for the Authorization Header".

use super::*;
use crate::AccessError;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const EXAMPLE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const DAY: &str = "2013-05-24T00:00:00Z";

async fn example_gate() -> Gate {
    let keys = MemoryKeys::default();
    let Key::Access(one) = key(KEY, "ada", None) else { panic!("an access key") };
    keys.add(Key::Access(AccessKey { secret: Secret::new(EXAMPLE_SECRET), ..one })).await.unwrap();
    Gate::new(Mode::Serve(Arc::new(keys)), "us-east-1")
        .with_directory(directory())
        .with_clock(Arc::new(|| DAY.parse().unwrap()))
}

fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
    headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
}

async fn prove(gate: &Gate, head: Head<'_>) -> Result<(Proof, Payload), AccessError> {
    gate.examine(&head).await?.prove_head(&head)
}

/// The example of a body in signed chunks.
async fn chunked(gate: &Gate) -> Result<(Proof, Payload), AccessError> {
    let headers = map(&[
        ("host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
             x-amz-decoded-content-length;x-amz-storage-class,\
             Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        ),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("content-length", "66824"),
    ]);
    let head =
        Head { method: "PUT", path: "/examplebucket/chunkObject.txt", query: "", headers: &headers, authority: None };
    assert_eq!(head.service(), Some("s3"));
    prove(gate, head).await
}

#[tokio::test]
async fn a_body_in_chunks_is_held_against_the_signature_of_each() {
    let gate = example_gate().await;
    let (proof, payload) = chunked(&gate).await.unwrap();
    assert_eq!((proof.service.as_str(), proof.caller.account.as_str()), ("s3", "123456789012"));
    let Payload::Chunks(Some(mut seal)) = payload else { panic!("{payload:?}") };
    let hash = |length| sha256_hex(&vec![b'a'; length]);
    assert!(seal.chunk(&hash(65536), "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"));
    assert!(seal.chunk(&hash(1024), "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"));
    assert!(seal.chunk(&hash(0), "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"));

    let (_, payload) = chunked(&gate).await.unwrap();
    let Payload::Chunks(Some(mut seal)) = payload else { panic!("{payload:?}") };
    // The chunks are good in their order only.
    assert!(!seal.chunk(&hash(1024), "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"));
}

#[tokio::test]
async fn a_presigned_url_is_proven() {
    let gate = example_gate().await;
    let headers = map(&[("host", "examplebucket.s3.amazonaws.com")]);
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
                 &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
                 &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
                 &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let head = Head { method: "GET", path: "/test.txt", query, headers: &headers, authority: None };
    assert_eq!(head.service(), Some("s3"));
    let (_, payload) = prove(&gate, head).await.unwrap();
    assert!(matches!(payload, Payload::Unsigned));
    let other = Head { path: "/other.txt", ..head };
    assert!(matches!(prove(&gate, other).await, Err(AccessError::Mismatch(_))));
}

#[tokio::test]
async fn a_credential_for_another_service_opens_no_bucket() {
    let gate = serve(0).await;
    let call = Call::new("/bucket", b"").signed("host;x-amz-date", "us-east-1", "bedrock");
    let headers: HeaderMap = call
        .headers
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    let head = Head { method: "POST", path: "/bucket", query: "", headers: &headers, authority: None };
    assert_eq!(head.service(), Some("bedrock"));
    assert!(prove(&gate, head).await.is_err());
}
