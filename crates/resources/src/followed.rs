//! All documents of one kind in memory, for whoever may not wait for the store: read once, then kept fresh by the
//! store's change feed.

#[cfg(test)]
mod tests;

use outcrop_store::{Change, Cursor, Document, Error as StoreError, Key, Order, Query};
use tokio::sync::Mutex;

use crate::{Resources, Result, Scope};

/// They stand in one place, whoever's they are, because all of them are in memory; the id says whose each is.
const EVERYONE: Scope<'static> = Scope { account: "", region: "" };
/// Documents and changes that are read at a time.
const STRIDE: usize = 500;

/// What is in memory.
pub trait Memory: Send + Sync {
    /// Forgets everything else.
    fn replace(&self, all: Vec<Document>);
    /// Takes in what has changed, by id; `None` is gone.
    fn update(&self, changes: Vec<(String, Option<Document>)>);
}

/// The documents of one kind as `memory` holds them.
pub struct Followed<M> {
    resources: Resources,
    kind: &'static str,
    memory: M,
    /// The last change that is in memory.
    seen: Mutex<u64>,
}

impl<M: Memory> Followed<M> {
    /// Documents of `kind`, which are only ever written under [`key`]. Nothing is in memory before the first
    /// [`Followed::catch_up`].
    pub fn new(resources: Resources, kind: &'static str, memory: M) -> Self {
        Self { resources, kind, memory, seen: Mutex::new(0) }
    }

    /// The same with all of them read.
    pub async fn open(resources: Resources, kind: &'static str, memory: M) -> Result<Self> {
        let followed = Self::new(resources, kind, memory);
        let mut seen = followed.seen.lock().await;
        *seen = followed.read_all().await?;
        drop(seen);
        Ok(followed)
    }

    /// What is in memory.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Brings into memory what has changed since; what this call has seen committed is there when it returns.
    pub async fn catch_up(&self) -> Result<()> {
        let mut seen = self.seen.lock().await;
        loop {
            let changes = match self.resources.store.changes(*seen, STRIDE).await {
                Err(StoreError::Lagged { .. }) => {
                    *seen = self.read_all().await?;
                    return Ok(());
                }
                changes => changes?,
            };
            let Some(last) = changes.last().map(|change| change.sequence) else { return Ok(()) };
            self.apply(&changes).await?;
            *seen = last;
        }
    }

    /// Keeps memory fresh until it is dropped: others' writes arrive by the store's change feed.
    pub async fn follow(&self) {
        let mut ticks = self.resources.store.watch();
        while ticks.changed().await.is_ok() {
            if let Err(error) = self.catch_up().await {
                tracing::error!(kind = self.kind, %error, "memory is not up to date; the next change tries again");
            }
        }
    }

    async fn apply(&self, changes: &[Change]) -> Result<()> {
        let mut updates = Vec::new();
        for change in changes.iter().filter(|change| change.key.kind == self.kind) {
            let document = self.resources.store.get(change.key.clone()).await?;
            updates.push((change.key.id.clone(), document));
        }
        if !updates.is_empty() {
            self.memory.update(updates);
        }
        Ok(())
    }

    /// Reads everything; what changes meanwhile comes after the answered sequence.
    async fn read_all(&self) -> Result<u64> {
        let seen = self.resources.store.latest_change().await?;
        let (mut all, mut after) = (Vec::new(), None::<Cursor>);
        loop {
            let (scope, kind, order) = (EVERYONE.owned(), self.kind.to_owned(), Order::OldestFirst);
            let query = Query { scope, kind, parent: None, after, order, limit: STRIDE };
            let documents = self.resources.store.list(query).await?;
            let Some(last) = documents.last() else { break };
            after = Some(last.cursor);
            all.extend(documents);
        }
        self.memory.replace(all);
        Ok(seen)
    }
}

/// The document of `id`.
pub fn key(kind: &str, id: &str) -> Key {
    EVERYONE.owned().key(kind, id)
}
