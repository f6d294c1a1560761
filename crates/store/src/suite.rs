//! The contract as tests, for every backend: [`run`] on an empty store, [`run_blobs`] on an empty blob store.
//! A failure panics with what was expected, as a test's assertion does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod blobs;
mod documents;
mod feed;
mod paging;
mod queue;
mod sealed;
mod small;
mod tokens;

use crate::{
    Batch, Blobs, Document, Encryption, Key, KeySource, NewDocument, Op, OtherSource, Outcome, Result, Scope, Store,
};

/// The name of the key that the store under test must have.
pub const KEY: &str = "suite";

/// How a store must be opened for the suite: with a key named [`KEY`], and without a default one.
pub fn encryption() -> Encryption {
    let text = "5a".repeat(32);
    let read = std::sync::Arc::new(move || Ok(text.clone()));
    let source = OtherSource { what: "the suite".to_owned(), live: true, read };
    Encryption { keys: [(KEY.to_owned(), KeySource::Other(source))].into(), default_key: None }
}

/// Everything a [`Store`] promises that can be seen from outside.
pub async fn run(store: &dyn Store) {
    feed::starts_empty(store).await;
    documents::life(store).await;
    documents::conditions(store).await;
    documents::names(store).await;
    documents::all_or_nothing(store).await;
    documents::scopes(store).await;
    documents::concurrent_puts(store).await;
    paging::orders_and_parents(store).await;
    paging::under_churn(store).await;
    tokens::replay(store).await;
    tokens::concurrent(store).await;
    small::tags(store).await;
    small::counters(store).await;
    small::secrets(store).await;
    queue::leases(store).await;
    queue::with_documents(store).await;
    sealed::documents(store).await;
    sealed::queue_rows(store).await;
    sealed::unknown_names(store).await;
    feed::follows(store).await;
}

/// Everything a [`Blobs`] promises that can be seen from outside.
pub async fn run_blobs(store: &dyn Blobs) {
    blobs::life(store).await;
    blobs::limit(store).await;
    blobs::broken_source(store).await;
    blobs::open_readers(store).await;
    sealed::blobs(store).await;
}

fn scope(account: &str) -> Scope {
    Scope::new(account, "us-east-1")
}

fn new(key: &Key, body: &str) -> NewDocument {
    NewDocument { key: key.clone(), name: None, parent: None, body: body.into(), sealed_by: None }
}

fn put(key: &Key, expect: Option<u64>, body: &str) -> Op {
    Op::Put { key: key.clone(), expect, name: None, body: body.into() }
}

async fn commit(store: &dyn Store, op: Op) -> Result<Outcome> {
    let mut outcomes = store.commit(Batch::from(op)).await?.outcomes();
    assert_eq!(outcomes.len(), 1, "one outcome for each operation");
    Ok(outcomes.remove(0))
}

async fn written(store: &dyn Store, op: Op) -> Document {
    match commit(store, op).await.unwrap() {
        Outcome::Document(document) => document,
        other => panic!("a document is the outcome, not {other:?}"),
    }
}
