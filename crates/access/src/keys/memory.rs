//! Keys that last as long as the process.

use super::{AccessKey, ApiKey, Key, Keys};
use crate::AccessError;
use async_trait::async_trait;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Keys in memory, for tests and for servers that get theirs from elsewhere.
#[derive(Debug, Default)]
pub struct MemoryKeys {
    keys: RwLock<Vec<Key>>,
}

impl MemoryKeys {
    fn read(&self) -> RwLockReadGuard<'_, Vec<Key>> {
        // No code panics while it holds the lock; a poisoned list is whole all the same.
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Keys for MemoryKeys {
    async fn access_key(&self, id: &str) -> Result<Option<AccessKey>, AccessError> {
        Ok(self.read().iter().find_map(|key| match key {
            Key::Access(key) if key.id == id => Some(key.clone()),
            _ => None,
        }))
    }

    async fn api_key(&self, hash: &str) -> Result<Option<ApiKey>, AccessError> {
        Ok(self.read().iter().find_map(|key| match key {
            Key::Api(key) if key.hash == hash => Some(key.clone()),
            _ => None,
        }))
    }

    async fn add(&self, key: Key) -> Result<(), AccessError> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).push(key);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Key>, AccessError> {
        let mut keys = self.read().clone();
        keys.sort_by_key(Key::created_at);
        Ok(keys)
    }

    async fn remove(&self, id: &str) -> Result<bool, AccessError> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let before = keys.len();
        keys.retain(|key| key.id() != id);
        Ok(keys.len() < before)
    }
}
