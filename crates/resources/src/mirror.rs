//! Documents of one kind, of all accounts, in memory: for what a call must know without waiting for the store.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use outcrop_store::{Cursor, Document, Error as StoreError, Key, NewDocument, Op, Order, Query};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Mutex;

use crate::{Error, Resources, Result, Scope};

/// All of them stand in one place, because all of them are in memory; the id says whose each is.
const EVERYONE: Scope<'static> = Scope { account: "", region: "" };
/// How often a write is tried where others write the same document at the same time.
const TRIES: usize = 16;
/// Documents and changes that are read at a time.
const STRIDE: usize = 500;

/// The documents of one kind by id, kept in the store and in memory. Reading takes no lock and waits for nothing;
/// others' writes arrive by the store's change feed.
pub struct Mirror<T> {
    resources: Resources,
    kind: &'static str,
    in_memory: ArcSwap<HashMap<String, Arc<T>>>,
    /// The last change that is in memory; none before the first reading.
    seen: Mutex<Option<u64>>,
}

impl<T> Mirror<T> {
    /// Nothing is in memory before the first [`catch_up`](Self::catch_up).
    pub fn new(resources: &Resources, kind: &'static str) -> Self {
        Self { resources: resources.clone(), kind, in_memory: ArcSwap::default(), seen: Mutex::new(None) }
    }

    /// What is in memory now.
    pub fn now(&self) -> Arc<HashMap<String, Arc<T>>> {
        self.in_memory.load_full()
    }

    /// The document of this id, as it is in memory.
    pub fn get(&self, id: &str) -> Option<Arc<T>> {
        self.in_memory.load().get(id).cloned()
    }

    /// Removes a document, as a step of somebody's transaction.
    pub fn discard(&self, id: &str) -> Op {
        Op::Discard { key: self.key(id) }
    }

    fn key(&self, id: &str) -> Key {
        EVERYONE.owned().key(self.kind, id)
    }
}

impl<T: Serialize + DeserializeOwned> Mirror<T> {
    /// Adds a document, as a step of somebody's transaction.
    pub fn insert(&self, id: &str, value: &T) -> Result<Op> {
        let (key, body) = (self.key(id), write(value)?);
        Ok(Op::Insert(NewDocument { key, name: None, parent: None, body, sealed_by: None }))
    }

    /// Replaces a document, as a step of somebody's transaction.
    pub fn put(&self, id: &str, value: &T) -> Result<Op> {
        Ok(Op::Put { key: self.key(id), expect: None, name: None, body: write(value)? })
    }

    /// The document as it is in the store.
    pub async fn read(&self, id: &str) -> Result<Option<T>> {
        let document = self.resources.store.get(self.key(id)).await?;
        document.map(|document| self.parse(&document)).transpose()
    }

    /// Reads, alters and writes one document, which begins as the default; again from the start where another has
    /// written in between, so `change` may run more than once. Memory knows it when this returns.
    pub async fn update<E: From<Error>>(&self, id: &str, change: impl Fn(&mut T) -> Result<(), E>) -> Result<(), E>
    where
        T: Default,
    {
        for _ in 0..TRIES {
            let old = self.resources.store.get(self.key(id)).await.map_err(Error::from)?;
            let mut value = old.as_ref().map(|old| self.parse(old)).transpose()?.unwrap_or_default();
            change(&mut value)?;
            let op = match old {
                None => self.insert(id, &value)?,
                Some(old) => Op::Put { key: self.key(id), expect: Some(old.version), name: None, body: write(&value)? },
            };
            match self.resources.store.commit(op.into()).await {
                Ok(_) => return Ok(self.catch_up().await?),
                // Another has written or removed it in between.
                Err(StoreError::Exists { .. } | StoreError::Stale { .. } | StoreError::Missing { .. }) => {}
                Err(error) => return Err(Error::from(error).into()),
            }
        }
        Err(Error::Store(StoreError::Busy).into())
    }

    /// Brings into memory what has changed since; what this call has seen committed is there when it returns.
    pub async fn catch_up(&self) -> Result<()> {
        let mut seen = self.seen.lock().await;
        loop {
            let Some(last) = *seen else {
                *seen = Some(self.read_all().await?);
                return Ok(());
            };
            let changes = match self.resources.store.changes(last, STRIDE).await {
                Err(StoreError::Lagged { .. }) => {
                    *seen = None;
                    continue;
                }
                changes => changes?,
            };
            let Some(last) = changes.last().map(|change| change.sequence) else { return Ok(()) };
            let mut updates = Vec::new();
            for change in changes.iter().filter(|change| change.key.kind == self.kind) {
                let document = self.resources.store.get(change.key.clone()).await?;
                updates.push((change.key.id.clone(), document.and_then(|document| self.readable(&document))));
            }
            if !updates.is_empty() {
                self.apply(updates);
            }
            *seen = Some(last);
        }
    }

    /// Keeps memory fresh until it is dropped.
    pub async fn follow(&self) {
        let mut ticks = self.resources.store.watch();
        while ticks.changed().await.is_ok() {
            if let Err(error) = self.catch_up().await {
                tracing::error!(kind = self.kind, %error, "memory is not up to date; the next change tries again");
            }
        }
    }

    /// Only who holds `seen` writes, so nothing is lost between load and store.
    fn apply(&self, updates: Vec<(String, Option<Arc<T>>)>) {
        let mut all = HashMap::clone(&self.in_memory.load());
        for (id, value) in updates {
            match value {
                Some(value) => all.insert(id, value),
                None => all.remove(&id),
            };
        }
        self.in_memory.store(Arc::new(all));
    }

    /// Reads everything; what changes meanwhile comes after the answered sequence.
    async fn read_all(&self) -> Result<u64> {
        let seen = self.resources.store.latest_change().await?;
        let (mut all, mut after) = (HashMap::new(), None::<Cursor>);
        loop {
            let (scope, kind, order) = (EVERYONE.owned(), self.kind.to_owned(), Order::OldestFirst);
            let query = Query { scope, kind, parent: None, after, order, limit: STRIDE };
            let documents = self.resources.store.list(query).await?;
            let Some(last) = documents.last() else { break };
            after = Some(last.cursor);
            let readable = |document: &Document| Some((document.key.id.clone(), self.readable(document)?));
            all.extend(documents.iter().filter_map(readable));
        }
        self.in_memory.store(Arc::new(all));
        Ok(seen)
    }

    fn parse(&self, document: &Document) -> Result<T> {
        serde_json::from_slice(&document.body).map_err(|error| Error::Unreadable {
            kind: self.kind,
            id: document.key.id.clone(),
            reason: error.to_string(),
        })
    }

    fn readable(&self, document: &Document) -> Option<Arc<T>> {
        match self.parse(document) {
            Ok(value) => Some(Arc::new(value)),
            Err(error) => {
                tracing::error!(%error, "it counts as if it were not there");
                None
            }
        }
    }
}

fn write<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::Internal(error.to_string()))
}
