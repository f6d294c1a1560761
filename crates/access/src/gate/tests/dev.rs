use super::*;
use crate::{CallerKind, DEFAULT_ACCOUNT};

fn header(id: &str, region: &str) -> String {
    let signature = "0".repeat(64);
    format!(
        "AWS4-HMAC-SHA256 Credential={id}/20260102/{region}/bedrock/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={signature}"
    )
}

#[tokio::test]
async fn the_configuration_chooses_the_account_of_keys_that_name_none() {
    let gate = gate(Mode::Dev, 1_000_000).with_account("210987654321");
    for (id, account) in [("test", "210987654321"), ("123456789012", "123456789012")] {
        let call = Call::new("/model/m/converse", b"{}")
            .with("x-amz-date", STAMP)
            .with("authorization", header(id, "us-east-1"));
        assert_eq!(call.prove(&gate).await.unwrap().caller.account, account);
    }
}

#[tokio::test]
async fn any_well_formed_signature_is_believed() {
    // Long after the signature: dev does not look at the clock.
    let gate = gate(Mode::Dev, 1_000_000);
    for (id, account) in [
        ("test", DEFAULT_ACCOUNT),
        ("123456789012", "123456789012"),
        ("ASIAQNZGKIQY56JQ7WML", "029608264753"),
        ("AKIAIOSFODNN7EXAMPLE", DEFAULT_ACCOUNT),
    ] {
        let call = Call::new("/model/m/converse", b"{}")
            .with("x-amz-date", STAMP)
            .with("authorization", header(id, "ap-northeast-1"));
        let proof = call.prove(&gate).await.unwrap();
        assert_eq!(proof.caller.account, account);
        assert_eq!(proof.caller.arn, format!("arn:aws:iam::{account}:root"));
        assert_eq!(proof.caller.access_key_id.as_deref(), Some(id));
        assert_eq!(proof.caller.kind, CallerKind::User);
        assert_eq!((proof.region.as_str(), proof.service.as_str()), ("ap-northeast-1", "bedrock"));
        let session = call.with("x-amz-security-token", "any").prove(&gate).await.unwrap();
        assert_eq!(session.caller.kind, CallerKind::Session);
    }
}

#[tokio::test]
async fn any_bearer_token_is_believed() {
    let gate = gate(Mode::Dev, 0);
    let call = Call::new("/model/m/converse", b"{}");
    let long = "ABSKQmVkcm9ja0FQSUtleS1hYmNkLWF0LTEyMzQ1Njc4OTAxMjpzZWNyZXQ=";
    for (token, account, region, id) in [
        ("bedrock-api-key-test", DEFAULT_ACCOUNT, "eu-west-3", None),
        ("x", DEFAULT_ACCOUNT, "eu-west-3", None),
        (long, "123456789012", "eu-west-3", None),
        (super::bearer::TWELVE_HOURS, DEFAULT_ACCOUNT, "us-west-2", Some(ID)),
    ] {
        let proof = call.clone().with("authorization", format!("Bearer {token}")).prove(&gate).await.unwrap();
        assert_eq!(proof.caller.kind, CallerKind::ApiKey);
        assert_eq!(proof.region, region);
        assert_eq!(proof.caller.access_key_id.as_deref(), id);
        assert_eq!(proof.service, "bedrock");
        assert_eq!(proof.caller.account, account);
    }
    let proof = call
        .with("host", "bedrock-runtime.sa-east-1.amazonaws.com:443")
        .with("authorization", "bearer bedrock-api-key-test")
        .prove(&gate)
        .await
        .unwrap();
    assert_eq!(proof.region, "sa-east-1");
}
