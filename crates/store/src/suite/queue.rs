//! Queue rows and their leases.

use std::time::Duration;

use super::{commit, new, put, scope, written};
use crate::{Batch, Claim, Error, Op, Outcome, Store};

const LONG: Duration = Duration::from_secs(3600);

async fn claim(store: &dyn Store, queue: &str, lease: Duration) -> Option<Claim> {
    match commit(store, Op::Claim { queue: queue.into(), lease }).await.unwrap() {
        Outcome::Claim(claim) => claim,
        other => panic!("a claim is the outcome, not {other:?}"),
    }
}

pub(super) async fn leases(store: &dyn Store) {
    assert_eq!(claim(store, "work", LONG).await, None);
    for body in ["1", "2"] {
        commit(store, Op::Enqueue { queue: "work".into(), body: body.into(), sealed_by: None }).await.unwrap();
    }
    assert_eq!(claim(store, "other", LONG).await, None);
    let first = claim(store, "work", LONG).await.unwrap();
    assert_eq!((&first.body[..], first.lease.attempt), (&b"1"[..], 1));
    let second = claim(store, "work", Duration::ZERO).await.unwrap();
    assert_eq!(second.body, b"2");
    // The lease of the second ran out at once, so it is claimed again, and its first holder may do nothing more.
    let checkpoint = Op::Extend { lease: second.lease, by: Duration::ZERO, checkpoint: Some(b"half".to_vec()) };
    commit(store, checkpoint.clone()).await.unwrap();
    let retaken = claim(store, "work", LONG).await.unwrap();
    assert_eq!((&retaken.body[..], retaken.lease.row, retaken.lease.attempt), (&b"half"[..], second.lease.row, 2));
    for lost in [checkpoint, Op::Complete(second.lease)] {
        let lost = commit(store, lost).await;
        assert!(matches!(lost, Err(Error::LeaseLost(_))), "{lost:?}");
    }
    assert_eq!(claim(store, "work", LONG).await, None, "both are held");
    for lease in [first.lease, retaken.lease] {
        commit(store, Op::Complete(lease)).await.unwrap();
        let twice = commit(store, Op::Complete(lease)).await;
        assert!(matches!(twice, Err(Error::LeaseLost(_))), "{twice:?}");
    }
    assert_eq!(claim(store, "work", LONG).await, None);
}

/// A document and the row it causes, and a row's end and the document it changes, are one transaction.
pub(super) async fn with_documents(store: &dyn Store) {
    let key = scope("jobs").key("job", "a");
    let row = Op::Enqueue { queue: "jobs".into(), body: b"a".to_vec(), sealed_by: None };
    let twice = Batch::new([Op::Insert(new(&key, "waiting")), row.clone(), Op::Insert(new(&key, ""))]);
    store.commit(twice).await.unwrap_err();
    assert_eq!(claim(store, "jobs", LONG).await, None);
    store.commit(Batch::new([Op::Insert(new(&key, "waiting")), row])).await.unwrap();
    let held = claim(store, "jobs", LONG).await.unwrap();
    let finish = Batch::new([Op::Complete(held.lease), put(&key, Some(1), "done")]);
    store.commit(finish.clone()).await.unwrap();
    let again = store.commit(finish).await;
    assert!(matches!(again, Err(Error::LeaseLost(_))), "{again:?}");
    assert_eq!(store.get(key.clone()).await.unwrap().unwrap().body, b"done");
    written(store, put(&key, Some(2), "")).await;
}
