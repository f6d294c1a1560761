//! Documents of one kind, of all accounts, in memory: for what a call must know without waiting for the store.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use outcrop_store::{Document, Error as StoreError, NewDocument, Op};
use serde::{Serialize, de::DeserializeOwned};

use crate::followed::{Followed, Memory, key};
use crate::{Error, Resources, Result};

/// How often a write is tried where others write the same document at the same time.
const TRIES: usize = 16;

/// The documents of one kind by id, kept in the store and in memory. Reading takes no lock and waits for nothing;
/// others' writes arrive by the store's change feed.
pub struct Mirror<T> {
    resources: Resources,
    kind: &'static str,
    followed: Followed<Parsed<T>>,
}

/// The documents as values, by id. Only who follows the store writes.
struct Parsed<T>(ArcSwap<HashMap<String, Arc<T>>>);

impl<T: DeserializeOwned + Send + Sync> Mirror<T> {
    /// Nothing is in memory before the first [`catch_up`](Self::catch_up).
    pub fn new(resources: &Resources, kind: &'static str) -> Self {
        let followed = Followed::new(resources.clone(), kind, Parsed(ArcSwap::default()));
        Self { resources: resources.clone(), kind, followed }
    }

    /// What is in memory now.
    pub fn now(&self) -> Arc<HashMap<String, Arc<T>>> {
        self.followed.memory().0.load_full()
    }

    /// The document of this id, as it is in memory.
    pub fn get(&self, id: &str) -> Option<Arc<T>> {
        self.followed.memory().0.load().get(id).cloned()
    }

    /// Removes a document, as a step of somebody's transaction.
    pub fn discard(&self, id: &str) -> Op {
        Op::Discard { key: key(self.kind, id) }
    }

    /// Brings into memory what has changed since; what this call has seen committed is there when it returns.
    pub async fn catch_up(&self) -> Result<()> {
        self.followed.catch_up().await
    }

    /// Keeps memory fresh until it is dropped.
    pub async fn follow(&self) {
        self.followed.follow().await;
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync> Mirror<T> {
    /// Adds a document, as a step of somebody's transaction.
    pub fn insert(&self, id: &str, value: &T) -> Result<Op> {
        let (key, body) = (key(self.kind, id), write(value)?);
        Ok(Op::Insert(NewDocument { key, name: None, parent: None, body, sealed_by: None }))
    }

    /// Replaces a document, as a step of somebody's transaction.
    pub fn put(&self, id: &str, value: &T) -> Result<Op> {
        Ok(Op::Put { key: key(self.kind, id), expect: None, name: None, body: write(value)? })
    }

    /// The document as it is in the store.
    pub async fn read(&self, id: &str) -> Result<Option<T>> {
        let document = self.resources.store.get(key(self.kind, id)).await?;
        document.map(|document| parse(self.kind, &document)).transpose()
    }

    /// Reads, alters and writes one document, which begins as the default; again from the start where another has
    /// written in between, so `change` may run more than once. Memory knows it when this returns.
    pub async fn update<E: From<Error>>(&self, id: &str, change: impl Fn(&mut T) -> Result<(), E>) -> Result<(), E>
    where
        T: Default,
    {
        for _ in 0..TRIES {
            let old = self.resources.store.get(key(self.kind, id)).await.map_err(Error::from)?;
            let mut value = old.as_ref().map(|old| parse(self.kind, old)).transpose()?.unwrap_or_default();
            change(&mut value)?;
            let op = match old {
                None => self.insert(id, &value)?,
                Some(old) => {
                    Op::Put { key: key(self.kind, id), expect: Some(old.version), name: None, body: write(&value)? }
                }
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
}

impl<T: DeserializeOwned + Send + Sync> Memory for Parsed<T> {
    fn replace(&self, all: Vec<Document>) {
        self.0.store(Arc::new(all.iter().filter_map(|it| Some((it.key.id.clone(), readable(it)?))).collect()));
    }

    fn update(&self, changes: Vec<(String, Option<Document>)>) {
        let mut all = HashMap::clone(&self.0.load());
        for (id, document) in changes {
            match document.as_ref().and_then(readable) {
                Some(value) => all.insert(id, value),
                None => all.remove(&id),
            };
        }
        self.0.store(Arc::new(all));
    }
}

fn parse<T: DeserializeOwned>(kind: &'static str, document: &Document) -> Result<T> {
    serde_json::from_slice(&document.body).map_err(|error| Error::Unreadable {
        kind,
        id: document.key.id.clone(),
        reason: error.to_string(),
    })
}

fn readable<T: DeserializeOwned>(document: &Document) -> Option<Arc<T>> {
    match serde_json::from_slice(&document.body) {
        Ok(value) => Some(Arc::new(value)),
        Err(error) => {
            let (kind, id) = (&document.key.kind, &document.key.id);
            tracing::error!(kind, id, %error, "a document cannot be read: it counts as if it were not there");
            None
        }
    }
}

fn write<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::Internal(error.to_string()))
}
