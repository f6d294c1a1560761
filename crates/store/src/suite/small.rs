//! Tags, counters and secrets.

use super::{commit, scope};
use crate::{Error, Op, Outcome, Scope, Secret, Store, Tag};

fn tag(scope: &Scope, tags: &[(&str, &str)], max: usize) -> Op {
    let tags = tags.iter().map(|(key, value)| Tag { key: (*key).into(), value: (*value).into() }).collect();
    Op::Tag { scope: scope.clone(), arn: "arn".into(), tags, max }
}

pub(super) async fn tags(store: &dyn Store) {
    let scope = scope("tags");
    let read = async || {
        let tags = store.tags(scope.clone(), "arn".into()).await.unwrap();
        tags.into_iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect::<Vec<_>>().join(" ")
    };
    commit(store, tag(&scope, &[("b", "1"), ("a", "")], 3)).await.unwrap();
    commit(store, tag(&scope, &[("b", "2"), ("c", "3")], 3)).await.unwrap();
    assert_eq!(read().await, "a= b=2 c=3");
    let many = commit(store, tag(&scope, &[("a", "x"), ("d", "4")], 3)).await;
    assert!(matches!(many, Err(Error::TooManyTags { found: 4, max: 3, .. })), "{many:?}");
    assert_eq!(read().await, "a= b=2 c=3", "nothing of a refused batch stays");
    assert!(store.tags(Scope::new("other", "us-east-1"), "arn".into()).await.unwrap().is_empty());
    let untag = |keys| Op::Untag { scope: scope.clone(), arn: "arn".into(), keys };
    commit(store, untag(Some(vec!["b".into(), "none".into()]))).await.unwrap();
    assert_eq!(read().await, "a= c=3");
    commit(store, untag(None)).await.unwrap();
    assert_eq!(read().await, "");
}

pub(super) async fn counters(store: &dyn Store) {
    let scope = scope("counters");
    let add = |by| Op::Add { scope: scope.clone(), counter: "n".into(), by, min: 0, max: 5 };
    assert_eq!(store.counter(scope.clone(), "n".into()).await.unwrap(), 0);
    assert_eq!(commit(store, add(3)).await.unwrap(), Outcome::Counter(3));
    assert_eq!(commit(store, add(2)).await.unwrap(), Outcome::Counter(5));
    for by in [1, -6, i64::MAX, i64::MIN] {
        let out = commit(store, add(by)).await;
        assert!(matches!(out, Err(Error::OutOfBounds { value: 5, .. })), "{out:?}");
    }
    assert_eq!(commit(store, add(-5)).await.unwrap(), Outcome::Counter(0));
    let set = |counter: &str, by| Op::Add { scope: scope.clone(), counter: counter.into(), by, min: 0, max: 5 };
    for (counter, by) in [("n/b", 2), ("n/a%", 1), ("n/a", 3), ("o", 4)] {
        commit(store, set(counter, by)).await.unwrap();
    }
    let named = async |prefix: &str, limit| store.counters(scope.clone(), prefix.into(), limit).await.unwrap();
    assert_eq!(named("n/", 9).await, [("n/a".into(), 3), ("n/a%".into(), 1), ("n/b".into(), 2)]);
    assert_eq!(named("n/", 2).await.len(), 2, "the first ones");
    assert_eq!(named("n/a%", 9).await.len(), 1, "the prefix is no pattern");
    assert!(store.counters(Scope::new("other", "us-east-1"), "n/".into(), 9).await.unwrap().is_empty());
    for counter in ["n/a", "never"] {
        commit(store, Op::Forget { scope: scope.clone(), counter: counter.into() }).await.unwrap();
    }
    assert_eq!(named("n/", 9).await.len(), 2);
    assert_eq!(commit(store, set("n/a", 1)).await.unwrap(), Outcome::Counter(1), "it starts anew");
}

pub(super) async fn secrets(store: &dyn Store) {
    let insert = |id: &str, secret: &str| Op::InsertSecret {
        kind: "key".into(),
        id: id.into(),
        secret: Secret::new(secret.as_bytes()),
    };
    let delete = |id: &str| Op::DeleteSecret { kind: "key".into(), id: id.into() };
    commit(store, insert("b", "hidden")).await.unwrap();
    commit(store, insert("a", "other")).await.unwrap();
    let exists = commit(store, insert("a", "third")).await;
    assert!(matches!(exists, Err(Error::Exists { .. })), "{exists:?}");
    let secret = store.secret("key".into(), "b".into()).await.unwrap().unwrap();
    assert_eq!(secret.expose(), b"hidden");
    assert!(!format!("{secret:?} {:?}", insert("b", "hidden")).contains("hidden"));
    assert_eq!(store.secret_ids("key".into()).await.unwrap(), ["a", "b"]);
    assert_eq!(store.secret("other".into(), "b".into()).await.unwrap(), None);
    let mark = store.secrets_mark().unwrap();
    commit(store, delete("b")).await.unwrap();
    assert_ne!(store.secrets_mark().unwrap(), mark, "a deletion has a mark of its own");
    assert_eq!(store.secret("key".into(), "b".into()).await.unwrap(), None);
    let missing = commit(store, delete("b")).await;
    assert!(matches!(missing, Err(Error::Missing { .. })), "{missing:?}");
}
