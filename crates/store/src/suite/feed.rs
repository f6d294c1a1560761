//! The change feed.

use super::{commit, new, put, scope};
use crate::{ChangeKind, Op, Store};

pub(super) async fn starts_empty(store: &dyn Store) {
    assert_eq!(store.latest_change().await.unwrap(), 0, "the suite runs on an empty store");
    assert!(store.changes(0, 10).await.unwrap().is_empty());
}

pub(super) async fn follows(store: &dyn Store) {
    let key = scope("feed").key("thing", "a");
    let start = store.latest_change().await.unwrap();
    let mut ticks = store.watch();
    ticks.mark_unchanged();
    assert!(store.changes(start, 10).await.unwrap().is_empty());
    commit(store, Op::Insert(new(&key, "1"))).await.unwrap();
    ticks.changed().await.unwrap();
    commit(store, put(&key, None, "2")).await.unwrap();
    commit(store, put(&key, Some(9), "3")).await.unwrap_err();
    commit(store, Op::Delete { key: key.clone(), expect: None }).await.unwrap();
    let all = store.changes(start, 10).await.unwrap();
    let told: Vec<_> = all.iter().map(|change| (change.key == key, change.kind, change.version)).collect();
    let expected = [(true, ChangeKind::Created, 1), (true, ChangeKind::Updated, 2), (true, ChangeKind::Deleted, 2)];
    assert_eq!(told, expected);
    assert!(all.is_sorted_by(|a, b| a.sequence < b.sequence && a.at <= b.at));
    assert_eq!(all[2].sequence, store.latest_change().await.unwrap());
    assert_eq!(store.changes(start, 1).await.unwrap(), all[..1]);
    assert_eq!(store.changes(all[0].sequence, 10).await.unwrap(), all[1..]);
}
