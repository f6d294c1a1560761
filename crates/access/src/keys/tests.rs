use super::*;
use crate::account_of_key;
use outcrop_api::AwsError;
use outcrop_store::{Options, Sqlite};
use std::collections::HashSet;
use std::sync::Arc;

const ACCOUNT: &str = "123456789012";

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

#[test]
fn an_access_key_has_the_form_that_aws_gives_it() {
    let key = AccessKey::generate(ACCOUNT, "ada", now()).unwrap();
    assert_eq!((key.id.len(), key.secret.reveal().len()), (20, 40));
    assert!(key.id.starts_with("AKIA"));
    assert_eq!(account_of_key(&key.id).as_deref(), Some(ACCOUNT));
    assert_eq!(key.caller(CallerKind::User).arn, "arn:aws:iam::123456789012:user/ada");
    assert!(key.user_id.starts_with("AIDA") && key.user_id.len() == 21);
    let again = AccessKey::generate(ACCOUNT, "ada", now()).unwrap();
    assert_eq!(again.user_id, key.user_id);
    assert_ne!(AccessKey::generate(ACCOUNT, "eve", now()).unwrap().user_id, key.user_id);
}

#[test]
fn keys_do_not_repeat() {
    let keys: Vec<_> = (0..200).map(|_| AccessKey::generate(ACCOUNT, "ada", now()).unwrap()).collect();
    assert_eq!(keys.iter().map(|key| key.id.as_str()).collect::<HashSet<_>>().len(), 200);
    assert_eq!(keys.iter().map(|key| key.secret.reveal()).collect::<HashSet<_>>().len(), 200);
}

#[test]
fn a_session_has_a_token_and_an_end() {
    let key = AccessKey::generate_session(ACCOUNT, "reader", "s1", 3600, now()).unwrap();
    assert!(key.id.starts_with("ASIA"));
    let session = key.session.as_ref().unwrap();
    assert_eq!(session.expires_at, "2026-01-02T04:04:05Z".parse().unwrap());
    key.check_session(Some(session.token.reveal()), now()).unwrap();
    assert_eq!(key.check_session(Some(session.token.reveal()), session.expires_at), Err(AccessError::Expired));
    assert_eq!(key.caller(CallerKind::Session).arn, "arn:aws:sts::123456789012:assumed-role/reader/s1");
    assert!(key.user_id.starts_with("AROA") && key.user_id.ends_with(":s1"));
}

#[test]
fn an_api_key_has_the_form_that_aws_gives_it_and_is_kept_as_a_hash() {
    let (key, token) = ApiKey::generate(ACCOUNT, Some(30), now()).unwrap();
    // The beginning that public files show, base64 of `BedrockAPIKey-`.
    assert!(token.reveal().starts_with("ABSKQmVkcm9ja0FQSUtleS"));
    assert_eq!(ApiKey::account_in(token.reveal()).as_deref(), Some(ACCOUNT));
    assert!(key.user.starts_with("BedrockAPIKey-") && key.user.len() == 18);
    assert_eq!(key.expires_at, Some("2026-02-01T03:04:05Z".parse().unwrap()));
    let kept = serde_json::to_string(&Key::Api(key.clone())).unwrap();
    assert!(kept.contains(&ApiKey::hash(token.reveal())) && !kept.contains(token.reveal()));
    assert_eq!(ApiKey::generate(ACCOUNT, None, now()).unwrap().0.expires_at, None);
}

#[test]
fn a_key_that_cannot_be_says_why() {
    for error in [
        AccessKey::generate("12345", "ada", now()).unwrap_err(),
        AccessKey::generate(ACCOUNT, "", now()).unwrap_err(),
        AccessKey::generate(ACCOUNT, "a/b", now()).unwrap_err(),
        ApiKey::generate("12345678901x", None, now()).unwrap_err(),
        ApiKey::generate(ACCOUNT, Some(0), now()).unwrap_err(),
        ApiKey::generate(ACCOUNT, Some(36_601), now()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), outcrop_api::Kind::Validation, "{error}");
    }
}

#[test]
fn secrets_do_not_print() {
    let key = AccessKey::generate_session(ACCOUNT, "reader", "s1", 60, now()).unwrap();
    let text = format!("{:?} {:?}", Key::Access(key.clone()), key.session);
    assert!(text.contains("<secret>"));
    assert!(!text.contains(key.secret.reveal()) && !text.contains(key.session.unwrap().token.reveal()));
}

/// What every place for keys must do.
async fn suite(keys: &dyn Keys) {
    let access = AccessKey::generate_session(ACCOUNT, "reader", "s1", 60, now()).unwrap();
    let (api, token) = ApiKey::generate(ACCOUNT, None, now() + jiff::SignedDuration::from_secs(1)).unwrap();
    assert!(keys.access_key(&access.id).await.unwrap().is_none());
    keys.add(Key::Api(api.clone())).await.unwrap();
    keys.add(Key::Access(access.clone())).await.unwrap();

    let found = keys.access_key(&access.id).await.unwrap().unwrap();
    assert_eq!((found.user.as_str(), found.account.as_str()), ("reader/s1", ACCOUNT));
    assert!(found.secret.matches(access.secret.reveal()));
    let (found, made) = (found.session.unwrap(), access.session.as_ref().unwrap());
    assert!(found.token.matches(made.token.reveal()) && found.expires_at == made.expires_at);
    assert_eq!(keys.api_key(&ApiKey::hash(token.reveal())).await.unwrap().unwrap().id, api.id);
    assert!(keys.access_key(&api.id).await.unwrap().is_none());
    assert!(keys.api_key(&api.id).await.unwrap().is_none());

    let ids: Vec<_> = keys.list().await.unwrap().iter().map(|key| key.id().to_owned()).collect();
    assert_eq!(ids, [access.id.clone(), api.id.clone()]);
    for id in ids {
        assert!(keys.remove(&id).await.unwrap());
        assert!(!keys.remove(&id).await.unwrap());
    }
    assert!(keys.access_key(&access.id).await.unwrap().is_none());
    assert!(keys.api_key(&api.hash).await.unwrap().is_none());
    assert!(keys.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn keys_in_memory_pass_the_suite() {
    suite(&MemoryKeys::default()).await;
}

#[tokio::test]
async fn keys_in_the_store_pass_the_suite_and_last() {
    let folder = tempfile::tempdir().unwrap();
    let open = || StoredKeys::new(Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap()));
    let keys = open();
    suite(&keys).await;
    let key = AccessKey::generate(ACCOUNT, "ada", now()).unwrap();
    keys.add(Key::Access(key.clone())).await.unwrap();
    drop(keys);
    assert_eq!(open().access_key(&key.id).await.unwrap().unwrap().user, "ada");
}

#[tokio::test]
async fn a_key_made_beside_the_server_counts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = StoredKeys::new(Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap()));
    let command = StoredKeys::new(Arc::new(Sqlite::open_beside(folder.path(), &Options::default()).unwrap()));
    let key = AccessKey::generate(ACCOUNT, "ada", now()).unwrap();
    command.add(Key::Access(key.clone())).await.unwrap();
    assert!(server.access_key(&key.id).await.unwrap().is_some());
    command.remove(&key.id).await.unwrap();
    assert!(server.access_key(&key.id).await.unwrap().is_none());
}
