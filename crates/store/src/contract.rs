//! The contract of a backend.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{Batch, Document, Key, Query, Receipt, Result, Scope, Secret, Tag};

/// Rows that last. What [`Store::commit`] has acknowledged is there after `kill -9` and a power cut, and every
/// read that starts afterwards sees it. Nothing blocks the runtime; a store that cannot keep up answers
/// [`Error::Busy`](crate::Error::Busy).
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Runs a batch, all of it or nothing. Dropping the future does not undo it.
    async fn commit(&self, batch: Batch) -> Result<Receipt>;
    /// The document at an address.
    async fn get(&self, key: Key) -> Result<Option<Document>>;
    /// The document of that unique name.
    async fn find(&self, scope: Scope, kind: String, name: String) -> Result<Option<Document>>;
    /// One page of documents.
    async fn list(&self, query: Query) -> Result<Vec<Document>>;
    /// A resource's tags, by key.
    async fn tags(&self, scope: Scope, arn: String) -> Result<Vec<Tag>>;
    /// A counter's value; 0 where nothing was ever added.
    async fn counter(&self, scope: Scope, counter: String) -> Result<i64>;
    /// The counters whose names begin with `prefix`, by name, at most so many.
    async fn counters(&self, scope: Scope, prefix: String, limit: usize) -> Result<Vec<(String, i64)>>;
    /// A secret.
    async fn secret(&self, kind: String, id: String) -> Result<Option<Secret>>;
    /// The ids of all secrets of a kind, in order.
    async fn secret_ids(&self, kind: String) -> Result<Vec<String>>;
    /// Another one after every commit that deleted a secret, here or in another process, by the time that commit is
    /// acknowledged: what was read under one mark is good for as long as the mark stays. It waits for nothing. None
    /// where nobody can tell.
    fn secrets_mark(&self) -> Option<u128>;
    /// What happened to documents after `sequence`, oldest first. [`Error::Lagged`](crate::Error::Lagged) where
    /// some of it has been forgotten: read everything again, then follow from [`Store::latest_change`].
    async fn changes(&self, sequence: u64, limit: usize) -> Result<Vec<Change>>;
    /// The sequence of the last change; 0 before the first.
    async fn latest_change(&self) -> Result<u64>;
    /// Marked changed after commits, so that followers of the feed and of queues wait without polling.
    fn watch(&self) -> Ticks;
}

/// Wakes whoever waits for commits: `ticks.changed().await`, then read. The value is a count of wake-ups.
pub type Ticks = tokio::sync::watch::Receiver<u64>;

/// What happened to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was inserted.
    Created,
    /// It was put.
    Updated,
    /// It was deleted.
    Deleted,
}

/// An entry of the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Grows with every change of the store.
    pub sequence: u64,
    /// Which document.
    pub key: Key,
    /// What happened.
    pub kind: ChangeKind,
    /// The version it came to; the last one where it was deleted.
    pub version: u64,
    /// When.
    pub at: Timestamp,
}
