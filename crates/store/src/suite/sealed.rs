//! What is sealed reads as what was written, and stays sealed with the key that was asked for.

use std::time::Duration;

use super::{KEY, commit, new, put, scope, written};
use crate::{Batch, BlobKey, Blobs, ClientToken, Error, NewDocument, Op, Order, Outcome, Query, Receipt, Store};

const LONG: Duration = Duration::from_secs(3600);

fn key() -> Option<String> {
    Some(KEY.to_owned())
}

pub(super) async fn documents(store: &dyn Store) {
    let scope = scope("sealed");
    let (a, b) = (scope.key("thing", "a"), scope.key("thing", "b"));
    let sealed = NewDocument { sealed_by: key(), name: Some("n".into()), ..new(&a, "first") };
    let first = written(store, Op::Insert(sealed)).await;
    assert_eq!((&first.body[..], &first.sealed_by), (&b"first"[..], &key()), "the outcome is what was written");
    assert_eq!(store.get(a.clone()).await.unwrap(), Some(first.clone()));
    assert_eq!(store.find(scope.clone(), "thing".into(), "n".into()).await.unwrap(), Some(first));
    written(store, Op::Insert(new(&b, "clear"))).await;
    // A put does not say how: what is sealed stays so, what is not stays clear.
    for (at, by) in [(&a, key()), (&b, None)] {
        let second = written(store, put(at, Some(1), "second")).await;
        assert_eq!((second.version, &second.sealed_by), (2, &by));
        assert_eq!(store.get(at.clone()).await.unwrap(), Some(second));
    }
    let (kind, order) = ("thing".into(), Order::OldestFirst);
    let query = Query { scope: scope.clone(), kind, parent: None, after: None, order, limit: 9 };
    let listed = store.list(query).await.unwrap();
    let told: Vec<_> = listed.iter().map(|it| (&it.body[..], it.sealed_by.clone())).collect();
    assert_eq!(told, [(&b"second"[..], key()), (b"second", None)]);
    // Conditions and client tokens know no difference.
    let stale = commit(store, put(&a, Some(1), "third")).await;
    assert!(matches!(stale, Err(Error::Stale { found: 2, .. })), "{stale:?}");
    let made = scope.key("thing", "c");
    let token = ClientToken {
        scope: scope.clone(),
        operation: "Make".into(),
        token: "t".into(),
        fingerprint: vec![1],
        makes: made.clone(),
    };
    let insert = Batch::from(Op::Insert(NewDocument { sealed_by: key(), ..new(&made, "once") })).once(Some(token));
    store.commit(insert.clone()).await.unwrap();
    assert_eq!(store.commit(insert).await.unwrap(), Receipt::Replayed(made.clone()));
    commit(store, Op::Delete { key: made.clone(), expect: Some(1) }).await.unwrap();
    assert_eq!(store.get(made).await.unwrap(), None);
}

pub(super) async fn queue_rows(store: &dyn Store) {
    let enqueue = |body: &str, sealed_by| Op::Enqueue { queue: "sealed".into(), body: body.into(), sealed_by };
    commit(store, enqueue("first", key())).await.unwrap();
    commit(store, enqueue("clear", None)).await.unwrap();
    let claim = async |lease| match commit(store, Op::Claim { queue: "sealed".into(), lease }).await.unwrap() {
        Outcome::Claim(Some(claim)) => claim,
        other => panic!("a claim is the outcome, not {other:?}"),
    };
    let first = claim(Duration::ZERO).await;
    assert_eq!(first.body, b"first");
    assert_eq!(claim(LONG).await.body, b"clear");
    let checkpoint = Op::Extend { lease: first.lease, by: Duration::ZERO, checkpoint: Some(b"half".to_vec()) };
    commit(store, checkpoint).await.unwrap();
    let again = claim(LONG).await;
    assert_eq!((&again.body[..], again.lease.attempt), (&b"half"[..], 2));
    commit(store, Op::Complete(again.lease)).await.unwrap();
}

/// A name that nobody configured seals nothing, and nothing is written in clear instead.
pub(super) async fn unknown_names(store: &dyn Store) {
    let key = scope("sealed").key("thing", "unknown");
    let unknown = Some("nobody".to_owned());
    let insert = Op::Insert(NewDocument { sealed_by: unknown.clone(), ..new(&key, "x") });
    let enqueue = Op::Enqueue { queue: "unknown".into(), body: b"x".to_vec(), sealed_by: unknown };
    for op in [insert, enqueue] {
        let refused = commit(store, op).await;
        assert!(matches!(&refused, Err(Error::UnknownKeyName(name)) if name == "nobody"), "{refused:?}");
    }
    assert_eq!(store.get(key).await.unwrap(), None);
    let claimed = commit(store, Op::Claim { queue: "unknown".into(), lease: LONG }).await.unwrap();
    assert_eq!(claimed, Outcome::Claim(None));
}

pub(super) async fn blobs(store: &dyn Blobs) {
    use tokio::io::AsyncReadExt;
    let at = BlobKey::new("sealed/blob").unwrap();
    let piece = 64 * 1024;
    for size in [0, 1, piece - 1, piece, piece + 1, 3 * piece, 300_001] {
        let content: Vec<u8> = (0..size).map(|index: usize| (index % 251) as u8).collect();
        let reader = Box::new(std::io::Cursor::new(content.clone()));
        let info = store.put(&at, reader, size as u64, Some(KEY)).await.unwrap();
        assert_eq!(info.size, size as u64);
        let mut blob = store.open(&at).await.unwrap().unwrap();
        let mut read = Vec::new();
        blob.content.read_to_end(&mut read).await.unwrap();
        assert_eq!(blob.size, size as u64);
        assert!(read == content, "{size} bytes are read as they were written");
    }
    let over = store.put(&at, Box::new(tokio::io::repeat(0)), 1_000_000, Some(KEY)).await;
    assert!(matches!(over, Err(Error::TooLarge(1_000_000))), "{over:?}");
    let unknown = store.put(&at, Box::new(&b"x"[..]), 9, Some("nobody")).await;
    assert!(matches!(unknown, Err(Error::UnknownKeyName(_))), "{unknown:?}");
    assert_eq!(store.open(&at).await.unwrap().unwrap().size, 300_001, "a refused put leaves what was there");
    assert!(store.delete(&at).await.unwrap());
}
