//! Documents: life, conditions, names, atomicity, isolation.

use super::{commit, new, put, scope, written};
use crate::{Batch, Error, NewDocument, Op, Store};

pub(super) async fn life(store: &dyn Store) {
    let key = scope("life").key("thing", "a");
    assert_eq!(store.get(key.clone()).await.unwrap(), None);
    let first = written(store, Op::Insert(new(&key, "{\"a\":1}"))).await;
    assert_eq!((first.version, first.created == first.updated, &first.body[..]), (1, true, &b"{\"a\":1}"[..]));
    assert_eq!(store.get(key.clone()).await.unwrap(), Some(first.clone()), "what was acknowledged is read");
    let second = written(store, put(&key, Some(1), "2")).await;
    assert_eq!((second.version, second.created, second.cursor), (2, first.created, first.cursor));
    assert!(second.updated >= first.updated);
    assert_eq!(store.get(key.clone()).await.unwrap(), Some(second));
    commit(store, Op::Delete { key: key.clone(), expect: Some(2) }).await.unwrap();
    assert_eq!(store.get(key.clone()).await.unwrap(), None, "deletes are real");
    let again = written(store, Op::Insert(new(&key, "3"))).await;
    assert_eq!(again.version, 1);
    assert!(again.cursor > first.cursor, "a place in a list is never used twice");
}

pub(super) async fn conditions(store: &dyn Store) {
    let key = scope("conditions").key("thing", "a");
    let missing = |result| assert!(matches!(result, Err(Error::Missing { .. })), "{result:?}");
    missing(commit(store, put(&key, None, "1")).await);
    missing(commit(store, Op::Delete { key: key.clone(), expect: None }).await);
    missing(commit(store, Op::Require { key: key.clone(), expect: None }).await);
    commit(store, Op::Discard { key: key.clone() }).await.unwrap();
    written(store, Op::Insert(new(&key, "1"))).await;
    commit(store, Op::Discard { key: key.clone() }).await.unwrap();
    assert_eq!(store.get(key.clone()).await.unwrap(), None, "discarded where it is there");
    written(store, Op::Insert(new(&key, "1"))).await;
    let exists = commit(store, Op::Insert(new(&key, "2"))).await;
    assert!(matches!(exists, Err(Error::Exists { .. })), "{exists:?}");
    let stale = |result| assert!(matches!(result, Err(Error::Stale { expected: 7, found: 1, .. })), "{result:?}");
    stale(commit(store, put(&key, Some(7), "2")).await);
    stale(commit(store, Op::Delete { key: key.clone(), expect: Some(7) }).await);
    stale(commit(store, Op::Require { key: key.clone(), expect: Some(7) }).await);
    commit(store, Op::Require { key: key.clone(), expect: Some(1) }).await.unwrap();
    assert_eq!(store.get(key.clone()).await.unwrap().unwrap().body, b"1");
    assert_eq!(written(store, put(&key, None, "2")).await.version, 2, "any version where none is expected");
}

pub(super) async fn names(store: &dyn Store) {
    let scope = scope("names");
    let named = |id: &str, name: &str| NewDocument { name: Some(name.into()), ..new(&scope.key("thing", id), id) };
    let rename = |id: &str, name: Option<&str>| Op::Put {
        key: scope.key("thing", id),
        expect: None,
        name: name.map(Into::into),
        body: id.into(),
    };
    let find = async |name: &str| {
        let found = store.find(scope.clone(), "thing".into(), name.into()).await.unwrap();
        found.map(|document| document.key.id)
    };
    written(store, Op::Insert(named("a", "one"))).await;
    let taken = commit(store, Op::Insert(named("b", "one"))).await;
    assert!(matches!(taken, Err(Error::NameTaken { .. })), "{taken:?}");
    written(store, Op::Insert(named("b", "two"))).await;
    let taken = commit(store, rename("b", Some("one"))).await;
    assert!(matches!(taken, Err(Error::NameTaken { .. })), "{taken:?}");
    written(store, rename("b", Some("two"))).await;
    written(store, rename("a", Some("three"))).await;
    assert_eq!((find("one").await, find("three").await), (None, Some("a".into())));
    written(store, rename("b", Some("one"))).await;
    written(store, rename("a", None)).await;
    assert_eq!((find("one").await, find("three").await), (Some("b".into()), None));
    let other_kind = NewDocument { name: Some("one".into()), ..new(&scope.key("other", "a"), "") };
    written(store, Op::Insert(other_kind)).await;
    commit(store, Op::Delete { key: scope.key("thing", "b"), expect: None }).await.unwrap();
    assert_eq!(find("one").await, None);
    written(store, Op::Insert(named("c", "one"))).await;
}

pub(super) async fn all_or_nothing(store: &dyn Store) {
    let scope = scope("atomic");
    let (a, b) = (scope.key("thing", "a"), scope.key("thing", "b"));
    let latest = store.latest_change().await.unwrap();
    let batch = Batch::new([
        Op::Insert(new(&a, "1")),
        Op::Add { scope: scope.clone(), counter: "n".into(), by: 1, min: 0, max: 9 },
        Op::Enqueue { queue: "atomic".into(), body: b"work".to_vec(), sealed_by: None },
        Op::Delete { key: b.clone(), expect: None },
    ]);
    let failed = store.commit(batch).await;
    assert!(matches!(failed, Err(Error::Missing { .. })), "{failed:?}");
    assert_eq!(store.get(a.clone()).await.unwrap(), None);
    assert_eq!(store.counter(scope.clone(), "n".into()).await.unwrap(), 0);
    assert_eq!(store.latest_change().await.unwrap(), latest, "the feed tells of nothing that did not happen");
    let batch = Batch::new([Op::Insert(new(&a, "1")), put(&a, Some(1), "2"), Op::Insert(new(&b, "1"))]);
    assert_eq!(store.commit(batch).await.unwrap().outcomes().len(), 3);
    assert_eq!(store.get(a).await.unwrap().unwrap().version, 2, "steps see the ones before them");
}

pub(super) async fn scopes(store: &dyn Store) {
    let mine = crate::Scope::new("mine", "us-east-1");
    written(store, Op::Insert(NewDocument { name: Some("n".into()), ..new(&mine.key("thing", "a"), "1") })).await;
    for other in [crate::Scope::new("other", "us-east-1"), crate::Scope::new("mine", "eu-west-1")] {
        assert_eq!(store.get(other.key("thing", "a")).await.unwrap(), None);
        assert_eq!(store.find(other.clone(), "thing".into(), "n".into()).await.unwrap(), None);
        let theirs = NewDocument { name: Some("n".into()), ..new(&other.key("thing", "a"), "2") };
        written(store, Op::Insert(theirs)).await;
        commit(store, Op::Delete { key: other.key("thing", "a"), expect: None }).await.unwrap();
    }
    assert_eq!(store.get(mine.key("thing", "a")).await.unwrap().unwrap().body, b"1");
}

/// Of writers that read the same version, one wins.
pub(super) async fn concurrent_puts(store: &dyn Store) {
    let key = scope("race").key("thing", "a");
    written(store, Op::Insert(new(&key, "0"))).await;
    for version in 1..=5 {
        let writers = (0..8).map(|writer| commit(store, put(&key, Some(version), &writer.to_string())));
        let results = join_all(writers).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        assert!(results.iter().flat_map(|result| result.as_ref().err()).all(|e| matches!(e, Error::Stale { .. })));
    }
}

/// Runs futures together without a crate for it.
pub(super) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        let mut pending = false;
        for (future, output) in futures.iter_mut().filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(cx) {
                std::task::Poll::Ready(value) => *output = Some(value),
                std::task::Poll::Pending => pending = true,
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}
