//! Keys in the store: what `outcrop keys create` makes and `outcrop serve` asks.

use super::known::Known;
use super::{AccessKey, ApiKey, Key, Keys, Use};
use crate::AccessError;
use async_trait::async_trait;
use jiff::Timestamp;
use outcrop_store::{Batch, Error, Op, Scope, Secret, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Instant;

const ACCESS: &str = "access-key";
const API: &str = "api-key";
/// Sessions' keys; apart from the others, which are few and listed.
const SESSION: &str = "session-key";
/// Counters, because they are written often and nobody follows them: seconds since 1970.
const USED: &str = "key-used";

/// The kind of an access key's secret, which its id tells.
fn kind_of(id: &str) -> &'static str {
    if id.starts_with("ASIA") { SESSION } else { ACCESS }
}

fn used(key: &Key) -> (Scope, String) {
    used_by_id(key.account(), key.id())
}

fn used_by_id(account: &str, id: &str) -> (Scope, String) {
    (Scope::new(account, ""), format!("{USED}/{id}"))
}

/// Keys as secrets of a store. What calls ask for is remembered for a moment, under the store's mark: a key that
/// another process makes, replaces or removes counts at once.
#[derive(Clone)]
pub struct StoredKeys {
    store: Arc<dyn Store>,
    access: Arc<Known<AccessKey>>,
    api: Arc<Known<ApiKey>>,
}

impl StoredKeys {
    /// The keys in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, access: Arc::default(), api: Arc::default() }
    }

    /// A key that calls ask for. Whom nobody knows is not remembered: it may be made the next moment.
    async fn known<T: DeserializeOwned>(
        &self,
        known: &Known<T>,
        kind: &str,
        id: &str,
    ) -> Result<Option<Arc<T>>, AccessError> {
        // Before the store is asked: what is taken away while it answers has another mark.
        let (mark, began) = (self.store.secrets_mark(), Instant::now());
        if let Some(key) = mark.and_then(|mark| known.get(mark, id)) {
            return Ok(Some(key));
        }
        let key = self.read(kind, id).await?.map(Arc::new);
        if let (Some(mark), Some(key)) = (mark, &key) {
            known.put(mark, id, key, began);
        }
        Ok(key)
    }

    async fn read<T: DeserializeOwned>(&self, kind: &str, id: &str) -> Result<Option<T>, AccessError> {
        let secret = self.store.secret(kind.to_owned(), id.to_owned()).await.map_err(unavailable)?;
        // The error of serde names places and expectations, never what is stored.
        secret.map(|secret| serde_json::from_slice(secret.expose())).transpose().map_err(unavailable)
    }

    async fn read_all<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>, AccessError> {
        let mut all = Vec::new();
        for id in self.store.secret_ids(kind.to_owned()).await.map_err(unavailable)? {
            // One that was removed in between is not there any more.
            all.extend(self.read(kind, &id).await?);
        }
        Ok(all)
    }

    async fn insert(&self, kind: &str, id: &str, key: &impl Serialize) -> Result<(), AccessError> {
        let secret = Secret::new(serde_json::to_vec(key).map_err(unavailable)?);
        let insert = Op::InsertSecret { kind: kind.to_owned(), id: id.to_owned(), secret };
        self.store.commit(Batch::from(insert)).await.map_err(unavailable)?;
        Ok(())
    }

    async fn put(&self, kind: &str, id: &str, key: &impl Serialize) -> Result<bool, AccessError> {
        let secret = Secret::new(serde_json::to_vec(key).map_err(unavailable)?);
        let (kind, id) = (kind.to_owned(), id.to_owned());
        let delete = Op::DeleteSecret { kind: kind.clone(), id: id.clone() };
        found(self.store.commit(Batch::new([delete, Op::InsertSecret { kind, id, secret }])).await)
    }

    /// Sets a counter back, so that nothing is known of a key that is gone.
    async fn forget_use(&self, account: &str, id: &str) -> Result<(), AccessError> {
        let (scope, counter) = used_by_id(account, id);
        let value = self.store.counter(scope.clone(), counter.clone()).await.map_err(unavailable)?;
        if value != 0 {
            let back = Op::Add { scope, counter, by: -value, min: i64::MIN, max: i64::MAX };
            self.store.commit(Batch::from(back)).await.map_err(unavailable)?;
        }
        Ok(())
    }

    async fn delete(&self, kind: &str, id: &str) -> Result<bool, AccessError> {
        let delete = Op::DeleteSecret { kind: kind.to_owned(), id: id.to_owned() };
        found(self.store.commit(Batch::from(delete)).await)
    }
}

#[async_trait]
impl Keys for StoredKeys {
    async fn access_key(&self, id: &str) -> Result<Option<Arc<AccessKey>>, AccessError> {
        self.known(&self.access, kind_of(id), id).await
    }

    async fn api_key(&self, hash: &str) -> Result<Option<Arc<ApiKey>>, AccessError> {
        self.known(&self.api, API, hash).await
    }

    async fn add(&self, key: Key) -> Result<(), AccessError> {
        match key {
            Key::Access(key) => self.insert(kind_of(&key.id), &key.id, &key).await,
            Key::Api(key) => self.insert(API, &key.hash, &key).await,
        }
    }

    async fn replace(&self, key: Key) -> Result<bool, AccessError> {
        match key {
            Key::Access(key) => self.put(kind_of(&key.id), &key.id, &key).await,
            Key::Api(key) => self.put(API, &key.hash, &key).await,
        }
    }

    async fn list(&self) -> Result<Vec<Key>, AccessError> {
        let mut keys: Vec<Key> = self.read_all(ACCESS).await?.into_iter().map(Key::Access).collect();
        keys.extend(self.read_all(API).await?.into_iter().map(Key::Api));
        keys.sort_by_key(Key::created_at);
        Ok(keys)
    }

    async fn sessions(&self) -> Result<Vec<AccessKey>, AccessError> {
        let mut keys: Vec<AccessKey> = self.read_all(SESSION).await?;
        keys.sort_by_key(|key| key.created_at);
        Ok(keys)
    }

    async fn remove(&self, id: &str) -> Result<bool, AccessError> {
        if let Some(key) = self.access_key(id).await? {
            let removed = self.delete(kind_of(id), id).await?;
            if key.session.is_none() {
                self.forget_use(&key.account, id).await?;
            }
            return Ok(removed);
        }
        let known: Vec<ApiKey> = self.read_all(API).await?;
        let Some(key) = known.iter().find(|key| key.id == id) else { return Ok(false) };
        let removed = self.delete(API, &key.hash).await?;
        self.forget_use(&key.account, id).await?;
        Ok(removed)
    }

    async fn last_used(&self, key: &Key) -> Result<Option<Timestamp>, AccessError> {
        let (scope, counter) = used(key);
        let seconds = self.store.counter(scope, counter).await.map_err(unavailable)?;
        Ok(if seconds > 0 { Timestamp::from_second(seconds).ok() } else { None })
    }

    async fn record_uses(&self, uses: Vec<Use>) -> Result<(), AccessError> {
        let mut ops = Vec::with_capacity(uses.len());
        for one in uses {
            let (scope, counter) = used_by_id(&one.account, &one.id);
            let known = self.store.counter(scope.clone(), counter.clone()).await.map_err(unavailable)?;
            let by = one.at.as_second() - known;
            // Two servers that write at once may add twice; the next minute's write sets it right, down too.
            if by != 0 {
                ops.push(Op::Add { scope, counter, by, min: i64::MIN, max: i64::MAX });
            }
        }
        if !ops.is_empty() {
            self.store.commit(Batch::new(ops)).await.map_err(unavailable)?;
        }
        Ok(())
    }
}

fn found<T>(committed: Result<T, Error>) -> Result<bool, AccessError> {
    match committed {
        Ok(_) => Ok(true),
        Err(Error::Missing { .. }) => Ok(false),
        Err(error) => Err(unavailable(error)),
    }
}

fn unavailable(error: impl std::fmt::Display) -> AccessError {
    AccessError::Unavailable(error.to_string())
}
