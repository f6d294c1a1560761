//! Keys that last as long as the process.

use super::{AccessKey, ApiKey, Key, Keys, Use};
use crate::AccessError;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// Keys in memory, for tests and for servers that get theirs from elsewhere.
#[derive(Debug, Default)]
pub struct MemoryKeys {
    keys: RwLock<Vec<Key>>,
    uses: RwLock<HashMap<String, Timestamp>>,
}

impl MemoryKeys {
    fn read(&self) -> RwLockReadGuard<'_, Vec<Key>> {
        // No code panics while it holds the lock; a poisoned list is whole all the same.
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Keys for MemoryKeys {
    async fn access_key(&self, id: &str) -> Result<Option<Arc<AccessKey>>, AccessError> {
        Ok(self.read().iter().find_map(|key| match key {
            Key::Access(key) if key.id == id => Some(Arc::new(key.clone())),
            _ => None,
        }))
    }

    async fn api_key(&self, hash: &str) -> Result<Option<Arc<ApiKey>>, AccessError> {
        Ok(self.read().iter().find_map(|key| match key {
            Key::Api(key) if key.hash == hash => Some(Arc::new(key.clone())),
            _ => None,
        }))
    }

    async fn add(&self, key: Key) -> Result<(), AccessError> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).push(key);
        Ok(())
    }

    async fn replace(&self, key: Key) -> Result<bool, AccessError> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let known = keys.iter_mut().find(|known| known.id() == key.id());
        Ok(known.map(|known| *known = key).is_some())
    }

    async fn list(&self) -> Result<Vec<Key>, AccessError> {
        let long_term = |key: &&Key| !matches!(key, Key::Access(AccessKey { session: Some(_), .. }));
        let mut keys: Vec<Key> = self.read().iter().filter(long_term).cloned().collect();
        keys.sort_by_key(Key::created_at);
        Ok(keys)
    }

    async fn sessions(&self) -> Result<Vec<AccessKey>, AccessError> {
        let session = |key: &Key| match key {
            Key::Access(key) if key.session.is_some() => Some(key.clone()),
            _ => None,
        };
        let mut keys: Vec<AccessKey> = self.read().iter().filter_map(session).collect();
        keys.sort_by_key(|key| key.created_at);
        Ok(keys)
    }

    async fn remove(&self, id: &str) -> Result<bool, AccessError> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let before = keys.len();
        keys.retain(|key| key.id() != id);
        Ok(keys.len() < before)
    }

    async fn last_used(&self, key: &Key) -> Result<Option<Timestamp>, AccessError> {
        Ok(self.uses.read().unwrap_or_else(PoisonError::into_inner).get(key.id()).copied())
    }

    async fn record_uses(&self, uses: Vec<Use>) -> Result<(), AccessError> {
        let mut known = self.uses.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(uses.into_iter().map(|one| (one.id, one.at)));
        Ok(())
    }
}
