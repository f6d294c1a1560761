//! Keys in the store: what `outcrop keys create` makes and `outcrop serve` asks.

use super::{AccessKey, ApiKey, Key, Keys};
use crate::AccessError;
use async_trait::async_trait;
use outcrop_store::{Batch, Error, Op, Secret, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

const ACCESS: &str = "access-key";
const API: &str = "api-key";

/// Keys as secrets of a store. Nothing is cached: a key that another process makes or removes counts at once.
#[derive(Clone)]
pub struct StoredKeys {
    store: Arc<dyn Store>,
}

impl StoredKeys {
    /// The keys in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
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

    async fn delete(&self, kind: &str, id: &str) -> Result<bool, AccessError> {
        let delete = Op::DeleteSecret { kind: kind.to_owned(), id: id.to_owned() };
        match self.store.commit(Batch::from(delete)).await {
            Ok(_) => Ok(true),
            Err(Error::Missing { .. }) => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }
}

#[async_trait]
impl Keys for StoredKeys {
    async fn access_key(&self, id: &str) -> Result<Option<AccessKey>, AccessError> {
        self.read(ACCESS, id).await
    }

    async fn api_key(&self, hash: &str) -> Result<Option<ApiKey>, AccessError> {
        self.read(API, hash).await
    }

    async fn add(&self, key: Key) -> Result<(), AccessError> {
        match key {
            Key::Access(key) => self.insert(ACCESS, &key.id, &key).await,
            Key::Api(key) => self.insert(API, &key.hash, &key).await,
        }
    }

    async fn list(&self) -> Result<Vec<Key>, AccessError> {
        let mut keys: Vec<Key> = self.read_all(ACCESS).await?.into_iter().map(Key::Access).collect();
        keys.extend(self.read_all(API).await?.into_iter().map(Key::Api));
        keys.sort_by_key(Key::created_at);
        Ok(keys)
    }

    async fn remove(&self, id: &str) -> Result<bool, AccessError> {
        if self.delete(ACCESS, id).await? {
            return Ok(true);
        }
        let known: Vec<ApiKey> = self.read_all(API).await?;
        match known.iter().find(|key| key.id == id) {
            Some(key) => self.delete(API, &key.hash).await,
            None => Ok(false),
        }
    }
}

fn unavailable(error: impl std::fmt::Display) -> AccessError {
    AccessError::Unavailable(error.to_string())
}
