use super::known::Known;
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

fn reader() -> NewSession {
    NewSession::new(ACCOUNT, SessionOf::Role { role: "reader".into(), name: "s1".into() })
}

#[test]
fn an_access_key_has_the_form_that_aws_gives_it() {
    let key = AccessKey::generate(ACCOUNT, "ada", None, now()).unwrap();
    assert_eq!((key.id.len(), key.secret.reveal().len()), (20, 40));
    assert!(key.id.starts_with("AKIA"));
    assert_eq!(account_of_key(&key.id).as_deref(), Some(ACCOUNT));
    assert_eq!(key.caller(CallerKind::User).arn, "arn:aws:iam::123456789012:user/ada");
    assert!(key.user_id.starts_with("AIDA") && key.user_id.len() == 21);
    let again = AccessKey::generate(ACCOUNT, "ada", None, now()).unwrap();
    assert_eq!(again.user_id, key.user_id);
    assert_ne!(AccessKey::generate(ACCOUNT, "eve", None, now()).unwrap().user_id, key.user_id);
}

#[test]
fn keys_do_not_repeat() {
    let keys: Vec<_> = (0..200).map(|_| AccessKey::generate(ACCOUNT, "ada", None, now()).unwrap()).collect();
    assert_eq!(keys.iter().map(|key| key.id.as_str()).collect::<HashSet<_>>().len(), 200);
    assert_eq!(keys.iter().map(|key| key.secret.reveal()).collect::<HashSet<_>>().len(), 200);
}

#[test]
fn a_session_has_a_token_and_an_end() {
    let key = AccessKey::generate_session(reader(), 3600, now()).unwrap();
    assert!(key.id.starts_with("ASIA"));
    let session = key.session.as_ref().unwrap();
    assert_eq!(session.expires_at, "2026-01-02T04:04:05Z".parse().unwrap());
    key.check(Some(session.token.reveal()), now()).unwrap();
    assert_eq!(key.check(Some(session.token.reveal()), session.expires_at), Err(AccessError::Expired));
    assert_eq!(key.caller(CallerKind::Session).arn, "arn:aws:sts::123456789012:assumed-role/reader/s1");
    assert!(key.user_id.starts_with("AROA") && key.user_id.ends_with(":s1"));
}

#[test]
fn an_api_key_has_the_form_that_aws_gives_it_and_is_kept_as_a_hash() {
    let (key, token) = ApiKey::generate(ACCOUNT, None, Some(30), now()).unwrap();
    // The beginning that public files show, base64 of `BedrockAPIKey-`.
    assert!(token.reveal().starts_with("ABSKQmVkcm9ja0FQSUtleS"));
    assert_eq!(ApiKey::account_in(token.reveal()).as_deref(), Some(ACCOUNT));
    assert!(key.user.starts_with("BedrockAPIKey-") && key.user.len() == 18);
    assert_eq!(key.expires_at, Some("2026-02-01T03:04:05Z".parse().unwrap()));
    let kept = serde_json::to_string(&Key::Api(key.clone())).unwrap();
    assert!(kept.contains(&ApiKey::hash(token.reveal())) && !kept.contains(token.reveal()));
    assert_eq!(ApiKey::generate(ACCOUNT, None, None, now()).unwrap().0.expires_at, None);
    // Two keys of one user are told apart.
    assert_eq!(key.caller().key(), key.id);
}

#[test]
fn a_key_that_cannot_be_says_why() {
    for error in [
        AccessKey::generate("12345", "ada", None, now()).unwrap_err(),
        AccessKey::generate(ACCOUNT, "", None, now()).unwrap_err(),
        AccessKey::generate(ACCOUNT, "a/b", None, now()).unwrap_err(),
        ApiKey::generate("12345678901x", None, None, now()).unwrap_err(),
        ApiKey::generate(ACCOUNT, None, Some(0), now()).unwrap_err(),
        ApiKey::generate(ACCOUNT, None, Some(36_601), now()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), outcrop_api::Kind::Validation, "{error}");
    }
}

#[test]
fn secrets_do_not_print() {
    let key = AccessKey::generate_session(reader(), 60, now()).unwrap();
    let text = format!("{:?} {:?}", Key::Access(key.clone()), key.session);
    assert!(text.contains("<secret>"));
    assert!(!text.contains(key.secret.reveal()) && !text.contains(key.session.unwrap().token.reveal()));
}

#[test]
fn the_owner_s_key_is_the_account_s() {
    let key = AccessKey::generate(ACCOUNT, ROOT, None, now()).unwrap();
    let caller = key.caller(CallerKind::User);
    assert_eq!((caller.arn.as_str(), caller.user_id.as_str()), ("arn:aws:iam::123456789012:root", ACCOUNT));
}

#[test]
fn a_key_ends() {
    let key = AccessKey::generate(ACCOUNT, "ada", Some(1), now()).unwrap();
    let end = "2026-01-03T03:04:05Z".parse().unwrap();
    assert_eq!(key.expires_at, Some(end));
    key.check(None, end - jiff::SignedDuration::from_secs(1)).unwrap();
    assert_eq!(key.check(None, end), Err(AccessError::Expired));
    assert_eq!(key.check(Some("x"), now()), Err(AccessError::Unknown("a session token with a long-term key")));
    assert!(!Key::Access(key).is_active(end));
}

/// What every place for keys must do.
async fn suite(keys: &dyn Keys) {
    let access = AccessKey::generate(ACCOUNT, "ada", None, now()).unwrap();
    let later = now() + jiff::SignedDuration::from_secs(1);
    let (api, token) = ApiKey::generate(ACCOUNT, Some("ada"), None, later).unwrap();
    let mut new = reader();
    new.origin = Some(access.id.clone());
    new.tags.insert("team".into(), "red".into());
    let session = AccessKey::generate_session(new, 60, now()).unwrap();
    assert!(keys.access_key(&access.id).await.unwrap().is_none());
    for key in [Key::Api(api.clone()), Key::Access(access.clone()), Key::Access(session.clone())] {
        keys.add(key).await.unwrap();
    }

    let found = keys.access_key(&access.id).await.unwrap().unwrap();
    assert_eq!((found.user.as_str(), found.account.as_str()), ("ada", ACCOUNT));
    assert!(found.secret.matches(access.secret.reveal()));
    let found = keys.access_key(&session.id).await.unwrap().unwrap();
    assert_eq!(found.user, "reader/s1");
    let (found, made) = (found.session.as_ref().unwrap(), session.session.as_ref().unwrap());
    assert!(found.token.matches(made.token.reveal()) && found.expires_at == made.expires_at);
    assert_eq!((&found.of, &found.tags["team"]), (&made.of, &"red".to_owned()));
    assert_eq!(keys.api_key(&ApiKey::hash(token.reveal())).await.unwrap().unwrap().id, api.id);
    assert!(keys.access_key(&api.id).await.unwrap().is_none());
    assert!(keys.api_key(&api.id).await.unwrap().is_none());

    let ids: Vec<_> = keys.list().await.unwrap().iter().map(|key| key.id().to_owned()).collect();
    assert_eq!(ids, [access.id.clone(), api.id.clone()]);
    assert_eq!(keys.sessions().await.unwrap().iter().map(|key| &key.id).collect::<Vec<_>>(), [&session.id]);

    // A key's end can be changed; a key that is gone does not come back by it.
    for key in [Key::Access(access.clone()), Key::Api(api.clone())] {
        assert!(keys.replace(key.with_end(Some(later))).await.unwrap());
    }
    assert_eq!(keys.access_key(&access.id).await.unwrap().unwrap().expires_at, Some(later));
    assert_eq!(keys.api_key(&api.hash).await.unwrap().unwrap().expires_at, Some(later));

    // Uses are remembered, also when a clock was wrong for a while.
    for at in [later, later + jiff::SignedDuration::from_hours(9), later] {
        let used = |id: &str| Use { id: id.to_owned(), account: ACCOUNT.to_owned(), at };
        keys.record_uses(vec![used(&access.id), used(&api.id)]).await.unwrap();
        assert_eq!(keys.last_used(&Key::Access(access.clone())).await.unwrap(), Some(at));
        assert_eq!(keys.last_used(&Key::Api(api.clone())).await.unwrap(), Some(at));
    }

    for id in ids {
        assert!(keys.remove(&id).await.unwrap());
        assert!(!keys.remove(&id).await.unwrap());
    }
    assert!(!keys.replace(Key::Access(access.clone())).await.unwrap());
    assert!(keys.access_key(&access.id).await.unwrap().is_none());
    assert!(keys.api_key(&api.hash).await.unwrap().is_none());
    assert!(keys.list().await.unwrap().is_empty());
    // A session outlives its key, unless it is said that it must not.
    assert!(keys.access_key(&session.id).await.unwrap().is_some());
    assert_eq!(remove_sessions(keys, "AKIAOTHER").await.unwrap(), 0);
    assert_eq!(remove_expired_sessions(keys, now()).await.unwrap(), 0);
    assert_eq!(remove_sessions(keys, &access.id).await.unwrap(), 1);
    keys.add(Key::Access(session.clone())).await.unwrap();
    assert_eq!(remove_expired_sessions(keys, made.expires_at).await.unwrap(), 1);
    assert!(keys.access_key(&session.id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_user_has_two_active_keys_of_a_kind_at_most() {
    let keys = MemoryKeys::default();
    let access = |user: &str, days| Key::Access(AccessKey::generate(ACCOUNT, user, days, now()).unwrap());
    let api = || Key::Api(ApiKey::generate(ACCOUNT, Some("ada"), None, now()).unwrap().0);
    for key in [access("ada", Some(1)), access("ada", None), access("eve", None), api()] {
        check_room(&keys, &key, now()).await.unwrap();
        keys.add(key).await.unwrap();
    }
    let error = check_room(&keys, &access("ada", None), now()).await.unwrap_err();
    assert!(error.to_string().contains("2 active keys") && error.kind() == outcrop_api::Kind::Validation, "{error}");
    check_room(&keys, &api(), now()).await.unwrap();
    check_room(&keys, &access("eve", None), now()).await.unwrap();
    // One that has ended does not count.
    let tomorrow = now() + jiff::SignedDuration::from_hours(25);
    check_room(&keys, &access("ada", None), tomorrow).await.unwrap();
}

#[tokio::test]
async fn uses_are_written_once_a_minute_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let open = || StoredKeys::new(Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap()));
    let keys: Arc<dyn Keys> = Arc::new(open());
    let key = Key::Access(AccessKey::generate(ACCOUNT, "ada", None, now()).unwrap());
    keys.add(key.clone()).await.unwrap();
    let usage = Usage::default();
    let seconds = |n| now() + jiff::SignedDuration::from_secs(n);
    for (at, known) in [(0, 0), (59, 0), (60, 60), (61, 60)] {
        usage.note(key.id(), ACCOUNT, seconds(at));
        usage.flush(&*keys).await.unwrap();
        assert_eq!(keys.last_used(&key).await.unwrap(), Some(seconds(known)), "after {at} s");
    }
    // The task writes by itself.
    let writes = async { tokio::join!(usage.run(&*keys), std::future::pending::<()>()) };
    let written = async {
        usage.note(key.id(), ACCOUNT, seconds(600));
        while keys.last_used(&key).await.unwrap() != Some(seconds(600)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = writes => {}
        () = written => {}
    }
    drop(keys);
    assert_eq!(open().last_used(&key).await.unwrap(), Some(seconds(600)));
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
    let key = AccessKey::generate(ACCOUNT, "ada", None, now()).unwrap();
    keys.add(Key::Access(key.clone())).await.unwrap();
    drop(keys);
    assert_eq!(open().access_key(&key.id).await.unwrap().unwrap().user, "ada");
}

#[tokio::test]
async fn a_key_made_beside_the_server_counts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = StoredKeys::new(Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap()));
    let command = StoredKeys::new(Arc::new(Sqlite::open_beside(folder.path(), &Options::default()).unwrap()));
    let key = AccessKey::generate(ACCOUNT, "ada", None, now()).unwrap();
    command.add(Key::Access(key.clone())).await.unwrap();
    assert!(server.access_key(&key.id).await.unwrap().is_some());
    assert!(server.access_key(&key.id).await.unwrap().is_some(), "it is remembered");
    let later = now() + jiff::SignedDuration::from_hours(1);
    assert!(command.replace(Key::Access(key.clone()).with_end(Some(later))).await.unwrap());
    assert_eq!(server.access_key(&key.id).await.unwrap().unwrap().expires_at, Some(later));
    command.remove(&key.id).await.unwrap();
    assert!(server.access_key(&key.id).await.unwrap().is_none());
}

#[test]
fn a_remembered_key_is_forgotten_under_another_mark_and_after_a_moment() {
    let known = Known::default();
    let now = std::time::Instant::now();
    known.put(1, "a", &Arc::new(()), now);
    assert!(known.get(1, "a").is_some());
    assert!(known.get(1, "b").is_none());
    assert!(known.get(2, "a").is_none(), "something was taken away");
    known.put(1, "a", &Arc::new(()), now - std::time::Duration::from_secs(1));
    assert!(known.get(1, "a").is_none(), "it is too old");
    known.put(2, "b", &Arc::new(()), now);
    assert!(known.get(1, "a").is_none() && known.get(2, "a").is_none() && known.get(2, "b").is_some());
}
