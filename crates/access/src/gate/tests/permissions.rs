use super::*;
use crate::CallerKind;
use crate::keys::Usage;
use crate::{ConditionKeys, Decision, Principal, Request};

fn call() -> Call {
    Call::new("/model/m/converse", b"{}").signed("host;x-amz-date", "us-east-1", "bedrock")
}

/// The call as the session's key would make it; its signature is not looked at in `dev`.
fn by_session() -> Call {
    let mut call = call().with("x-amz-security-token", SESSION_TOKEN);
    for (name, value) in &mut call.headers {
        if *name == "authorization" {
            *value = value.replace(ID, SESSION_ID);
        }
    }
    call
}

/// Whether the only policy is that one of AWS's, told apart by what it allows.
fn is(permissions: &Permissions, name: &str) -> bool {
    let [policy] = permissions.identity.as_deref().unwrap() else { panic!("one policy") };
    let keys = ConditionKeys::new();
    let allows = |action| {
        let request = Request { action, resource: "*", principal: Principal::default(), keys: &keys };
        policy.evaluate(&request) == Decision::Allow
    };
    let found = ["bedrock:GetGuardrail", "bedrock:InvokeModel", "bedrock:PutUseCaseForModelAccess"].map(allows);
    let expected = match name {
        "AmazonBedrockReadOnly" => [true, false, false],
        "AmazonBedrockLimitedAccess" => [true, true, false],
        _ => [true, true, true],
    };
    found == expected
}

#[tokio::test]
async fn a_user_has_the_declared_policies_and_tags() {
    let proof = call().prove(&serve(0).await).await.unwrap();
    assert!(is(&proof.permissions, "AmazonBedrockLimitedAccess"));
    assert_eq!(proof.permissions.tags["team"], "red");
}

#[tokio::test]
async fn an_undeclared_user_has_the_default_policies_and_the_owner_has_all() {
    for user in ["eve", "root"] {
        let keys = MemoryKeys::default();
        keys.add(key(ID, user, None)).await.unwrap();
        let proof = call().prove(&gate(Mode::Serve(Arc::new(keys)), 0)).await.unwrap();
        match user {
            "root" => assert!(proof.permissions.identity.is_none()),
            _ => assert!(is(&proof.permissions, "AmazonBedrockFullAccess")),
        }
    }
}

#[tokio::test]
async fn a_session_has_its_role_s_policies_while_the_role_is_declared() {
    let token = format!("Bearer {}", bearer::OF_SESSION);
    let call = Call::new("/model/m/converse", b"{}").with("authorization", token);
    let gate = serve(0).await;
    let proof = call.prove(&gate).await.unwrap();
    assert!(is(&proof.permissions, "AmazonBedrockReadOnly"));
    // What the configuration does not declare any more is gone with the next request.
    let gate = gate.with_directory(Arc::default());
    assert_eq!(call.refused(&gate).await, (Kind::UnrecognizedClient, INVALID.to_owned()));
}

#[tokio::test]
async fn a_key_that_has_ended_or_is_gone_opens_nothing_nor_do_tokens_made_with_it() {
    let token = format!("Bearer {}", bearer::TWELVE_HOURS);
    let by_token = Call::new("/model/m/converse", b"{}").with("authorization", token);
    let keys = Arc::new(MemoryKeys::default());
    let long = key(ID, "ada", None);
    keys.add(long.clone()).await.unwrap();
    let gate = gate(Mode::Serve(keys.clone()), 60);
    for call in [call(), by_token.clone()] {
        call.prove(&gate).await.unwrap();
    }
    keys.replace(long.with_end(Some(at(MADE, 60)))).await.unwrap();
    for call in [call(), by_token.clone()] {
        assert_eq!(call.refused(&gate).await.0, Kind::ExpiredToken);
    }
    keys.remove(ID).await.unwrap();
    for call in [call(), by_token] {
        assert_eq!(call.refused(&gate).await.0, Kind::UnrecognizedClient);
    }
}

#[tokio::test]
async fn dev_knows_the_sessions_it_made() {
    let keys = Arc::new(MemoryKeys::default());
    keys.add(key(SESSION_ID, "reader/s1", Some(session()))).await.unwrap();
    let dev = |seconds| gate(Mode::Dev, seconds).with_sessions(keys.clone());
    let proof = by_session().prove(&dev(0)).await.unwrap();
    assert_eq!(proof.caller.arn, "arn:aws:sts::123456789012:assumed-role/reader/s1");
    assert_eq!(proof.caller.kind, CallerKind::Session);
    assert!(is(&proof.permissions, "AmazonBedrockReadOnly"));

    assert_eq!(by_session().refused(&dev(3600)).await.0, Kind::ExpiredToken);
    let other = by_session().with("x-amz-security-token", "another");
    assert_eq!(other.refused(&dev(0)).await.0, Kind::UnrecognizedClient);
    // Without the books, and for keys that are not in them, everybody is the owner.
    let proof = by_session().prove(&gate(Mode::Dev, 0)).await.unwrap();
    assert!(proof.permissions.identity.is_none());
    keys.remove(SESSION_ID).await.unwrap();
    let proof = by_session().prove(&dev(0)).await.unwrap();
    assert!(proof.permissions.identity.is_none() && proof.caller.arn.ends_with(":root"));
}

#[tokio::test]
async fn only_a_proven_use_is_noted_and_no_session_s() {
    let usage = Arc::new(Usage::default());
    let gate = serve(0).await.with_usage(usage.clone());
    let seen = MemoryKeys::default();
    let wrong = call().with("x-amz-date", "20260102T030406Z");
    wrong.prove(&gate).await.unwrap_err();
    usage.flush(&seen).await.unwrap();
    assert_eq!(seen.last_used(&key(ID, "ada", None)).await.unwrap(), None);
    call().prove(&gate).await.unwrap();
    usage.flush(&seen).await.unwrap();
    assert_eq!(seen.last_used(&key(ID, "ada", None)).await.unwrap(), Some(at(MADE, 0)));
    assert_eq!(seen.last_used(&key(SESSION_ID, "reader/s1", None)).await.unwrap(), None);
}
