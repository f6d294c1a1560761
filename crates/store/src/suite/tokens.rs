//! Client tokens.

use super::documents::join_all;
use super::{commit, new, scope, written};
use crate::{Batch, ClientToken, Error, Key, Op, Receipt, Scope, Store};

fn token(scope: &Scope, operation: &str, fingerprint: &str, makes: &Key) -> ClientToken {
    ClientToken {
        scope: scope.clone(),
        operation: operation.into(),
        token: "t".into(),
        fingerprint: fingerprint.into(),
        makes: makes.clone(),
    }
}

fn create(key: &Key, token: ClientToken) -> Batch {
    Batch::from(Op::Insert(new(key, "1"))).once(Some(token))
}

pub(super) async fn replay(store: &dyn Store) {
    let (here, there) = (scope("token"), Scope::new("token", "eu-west-1"));
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|id| here.key("thing", id));
    // A batch that fails uses no token up.
    let failing = Batch::from(Op::Delete { key: a.clone(), expect: None });
    let failed = store.commit(failing.once(Some(token(&here, "Create", "same", &a)))).await;
    assert!(matches!(failed, Err(Error::Missing { .. })), "{failed:?}");
    let first = store.commit(create(&a, token(&here, "Create", "same", &a))).await.unwrap();
    assert!(matches!(first, Receipt::Done(_)), "{first:?}");
    let second = store.commit(create(&b, token(&here, "Create", "same", &b))).await.unwrap();
    assert_eq!(second, Receipt::Replayed(a.clone()));
    assert_eq!(store.get(b.clone()).await.unwrap(), None);
    let other = store.commit(create(&b, token(&here, "Create", "other", &b))).await;
    assert!(matches!(other, Err(Error::TokenReused)), "{other:?}");
    let elsewhere = there.key("thing", "a");
    for (key, token) in [(&c, token(&here, "Other", "x", &c)), (&elsewhere, token(&there, "Create", "x", &elsewhere))] {
        let done = store.commit(create(key, token)).await.unwrap();
        assert!(matches!(done, Receipt::Done(_)), "another operation or region: {done:?}");
    }
    commit(store, Op::Delete { key: a.clone(), expect: None }).await.unwrap();
    let done = store.commit(create(&d, token(&here, "Create", "other", &d))).await.unwrap();
    assert!(matches!(done, Receipt::Done(_)), "forgotten with its document: {done:?}");
    written(store, Op::Insert(new(&a, "1"))).await;
}

/// Retries that overlap make one document.
pub(super) async fn concurrent(store: &dyn Store) {
    let scope = scope("tokens at once");
    let keys: Vec<_> = (0..16).map(|index| scope.key("thing", index.to_string())).collect();
    let tries = keys.iter().map(|key| store.commit(create(key, token(&scope, "Create", "same", key))));
    let receipts = join_all(tries).await;
    let made: Vec<_> = keys.iter().zip(&receipts).filter(|(_, it)| matches!(it, Ok(Receipt::Done(_)))).collect();
    assert_eq!(made.len(), 1, "{receipts:?}");
    let replays = receipts.iter().filter(|it| matches!(it, Ok(Receipt::Replayed(key)) if key == made[0].0));
    assert_eq!(replays.count(), 15);
}
