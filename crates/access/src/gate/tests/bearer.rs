use super::*;
use crate::{ApiKey, CallerKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

// Made by aws-bedrock-token-generator 1.1.0 (botocore 1.44.5) with the clock at 2026-01-02T03:04:05Z:
// for 12 hours in us-west-2, for one hour there, and for one hour with a session's credentials in eu-central-1.
pub(super) const TWELVE_HOURS: &str = "\
    bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGhCZWFyZXJUb2tlbiZYLUFtei1BbGdvcml0aG09\
    QVdTNC1ITUFDLVNIQTI1NiZYLUFtei1DcmVkZW50aWFsPUFLSUFRTlpHS0lRWUVYQU1QTEUxJTJGMjAyNjAxMDIlMkZ1cy13ZXN0LTIl\
    MkZiZWRyb2NrJTJGYXdzNF9yZXF1ZXN0JlgtQW16LURhdGU9MjAyNjAxMDJUMDMwNDA1WiZYLUFtei1FeHBpcmVzPTQzMjAwJlgtQW16\
    LVNpZ25lZEhlYWRlcnM9aG9zdCZYLUFtei1TaWduYXR1cmU9YzljZGQxZTUzZjYyY2ExZmE5NWFlMWJhZGQ0NzhmNzZmOWFhOWNiOWYz\
    NmExMzE4ZWVkMTBkOGRlNTA5MmU0ZiZWZXJzaW9uPTE=";
const ONE_HOUR: &str = "\
    bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGhCZWFyZXJUb2tlbiZYLUFtei1BbGdvcml0aG09\
    QVdTNC1ITUFDLVNIQTI1NiZYLUFtei1DcmVkZW50aWFsPUFLSUFRTlpHS0lRWUVYQU1QTEUxJTJGMjAyNjAxMDIlMkZ1cy13ZXN0LTIl\
    MkZiZWRyb2NrJTJGYXdzNF9yZXF1ZXN0JlgtQW16LURhdGU9MjAyNjAxMDJUMDMwNDA1WiZYLUFtei1FeHBpcmVzPTM2MDAmWC1BbXot\
    U2lnbmVkSGVhZGVycz1ob3N0JlgtQW16LVNpZ25hdHVyZT01OGM2MjUxNmNiODZjMzIxYTI4MGZjNzNlYjRmMDBmMjFlZjI5OGFhZGI5\
    MDVlZTkyYjFmZjQ1MzkzMjMwNTJiJlZlcnNpb249MQ==";
pub(super) const OF_SESSION: &str = "\
    bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGhCZWFyZXJUb2tlbiZYLUFtei1BbGdvcml0aG09\
    QVdTNC1ITUFDLVNIQTI1NiZYLUFtei1DcmVkZW50aWFsPUFTSUFRTlpHS0lRWUVYQU1QTEUxJTJGMjAyNjAxMDIlMkZldS1jZW50cmFs\
    LTElMkZiZWRyb2NrJTJGYXdzNF9yZXF1ZXN0JlgtQW16LURhdGU9MjAyNjAxMDJUMDMwNDA1WiZYLUFtei1FeHBpcmVzPTM2MDAmWC1B\
    bXotU2lnbmVkSGVhZGVycz1ob3N0JlgtQW16LVNlY3VyaXR5LVRva2VuPUZ3b0daWEl2WVhkekVYQU1QTEUlMkJ0b2tlbiUyRndpdGgl\
    M0RvZGQlM0QlM0QmWC1BbXotU2lnbmF0dXJlPWMyNmQ5NGFhZjkyMjk1YjNkZGUzZjU2Yzc5NmM4NzMyMDJlNDQ2NTIwOGU5MTdjYTUy\
    YWJiNzRiYWFiYTFlYmYmVmVyc2lvbj0x";

fn call(token: &str) -> Call {
    Call::new("/model/m/converse", b"{}").with("authorization", format!("Bearer {token}"))
}

/// The token with its URL changed.
fn changed(token: &str, from: &str, to: &str) -> String {
    let url = String::from_utf8(STANDARD.decode(token.strip_prefix("bedrock-api-key-").unwrap()).unwrap()).unwrap();
    assert!(url.contains(from), "{url}");
    format!("bedrock-api-key-{}", STANDARD.encode(url.replace(from, to)))
}

#[tokio::test]
async fn short_term_keys_of_the_generator_verify() {
    let gate = serve(60).await;
    for token in [TWELVE_HOURS, ONE_HOUR] {
        let proof = call(token).prove(&gate).await.unwrap();
        assert_eq!(proof.caller.arn, "arn:aws:iam::123456789012:user/ada");
        assert_eq!(proof.caller.kind, CallerKind::ApiKey);
        assert_eq!(proof.caller.access_key_id.as_deref(), Some(ID));
        assert_eq!(proof.region, "us-west-2");
    }
    let proof = call(OF_SESSION).prove(&gate).await.unwrap();
    assert_eq!(proof.caller.arn, "arn:aws:sts::123456789012:assumed-role/reader/s1");
    assert_eq!(proof.region, "eu-central-1");
}

#[tokio::test]
async fn short_term_keys_end() {
    let expired = (Kind::ExpiredToken, "The security token included in the request is expired".to_owned());
    call(ONE_HOUR).prove(&serve(3599).await).await.unwrap();
    assert_eq!(call(ONE_HOUR).refused(&serve(3600).await).await, expired);
    call(TWELVE_HOURS).prove(&serve(43_199).await).await.unwrap();
    assert_eq!(call(TWELVE_HOURS).refused(&serve(43_200).await).await, expired);
    // The session behind it ends as well.
    assert_eq!(call(OF_SESSION).refused(&serve(3600).await).await, expired);
    // A clock may be off by a quarter of an hour, not by more.
    call(TWELVE_HOURS).prove(&serve(-900).await).await.unwrap();
    assert_eq!(call(TWELVE_HOURS).refused(&serve(-901).await).await.0, Kind::UnrecognizedClient);
}

#[tokio::test]
async fn a_short_term_key_is_for_its_region() {
    let gate = serve(0).await;
    let here = call(ONE_HOUR).with("host", "bedrock-runtime.us-west-2.amazonaws.com");
    here.prove(&gate).await.unwrap();
    let (kind, message) = here.with("host", "bedrock-runtime.us-east-1.amazonaws.com").refused(&gate).await;
    assert_eq!(kind, Kind::InvalidSignature);
    assert_eq!(message, "Credential should be scoped to a valid region.");
}

#[tokio::test]
async fn a_changed_short_term_key_is_refused() {
    let gate = serve(0).await;
    for (from, to) in [
        ("us-west-2", "us-east-1"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=7200"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=43201"),
        ("20260102T030405Z", "20260102T030505Z"),
        ("CallWithBearerToken", "GetCallerIdentity"),
        ("bedrock.amazonaws.com", "evil.example.com"),
        (ID, "AKIAQNZGKIQYEXAMPLE2"),
        ("SignedHeaders=host", "SignedHeaders=x"),
        ("&Version=1", "&Version=2"),
        ("&X-Amz-Signature=", "&X-Amz-Signature=0"),
        ("X-Amz-Signature", "X-Amz-Sig"),
    ] {
        let (kind, message) = call(&changed(ONE_HOUR, from, to)).refused(&gate).await;
        assert_eq!(kind, Kind::UnrecognizedClient, "{to}");
        assert!(message.starts_with(INVALID), "{message}");
    }
    let token = changed(OF_SESSION, "EXAMPLE%2Btoken", "EXAMPLE%2Btaken");
    assert_eq!(call(&token).refused(&gate).await.0, Kind::UnrecognizedClient);
    for token in ["bedrock-api-key-test", "bedrock-api-key-", "bedrock-api-key-AAAA", "x", "ABSKAAAA"] {
        assert_eq!(call(token).refused(&gate).await.0, Kind::UnrecognizedClient, "{token}");
    }
}

#[tokio::test]
async fn long_term_keys_open_until_they_end_or_are_removed() {
    let now = at(MADE, 0);
    let (key, token) = ApiKey::generate("123456789012", None, Some(30), now).unwrap();
    let keys = Arc::new(MemoryKeys::default());
    keys.add(Key::Api(key.clone())).await.unwrap();
    let mode = Mode::Serve(keys.clone());
    let day = 86_400;

    let proof = call(token.reveal()).prove(&gate(mode.clone(), 30 * day - 1)).await.unwrap();
    assert_eq!(proof.caller.account, "123456789012");
    assert_eq!(proof.caller.arn, format!("arn:aws:iam::123456789012:user/{}", key.user));
    assert_eq!((proof.caller.kind, proof.caller.access_key_id), (CallerKind::ApiKey, None));
    assert_eq!(proof.region, "eu-west-3");
    let proof = call(token.reveal())
        .with("host", "bedrock-runtime.us-east-2.amazonaws.com")
        .prove(&gate(mode.clone(), 0))
        .await
        .unwrap();
    assert_eq!(proof.region, "us-east-2");

    assert_eq!(call(token.reveal()).refused(&gate(mode.clone(), 30 * day)).await.0, Kind::ExpiredToken);
    assert_eq!(call(&format!("{}x", token.reveal())).refused(&gate(mode.clone(), 0)).await.0, Kind::UnrecognizedClient);
    assert!(keys.remove(&key.id).await.unwrap());
    assert_eq!(call(token.reveal()).refused(&gate(mode, 0)).await, (Kind::UnrecognizedClient, INVALID.to_owned()));
}
