//! Keys that were read a moment ago, so that a call need not wait for the store.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How long a key is good without a look into the store. Whoever takes a key away changes the store's mark before it
/// says so, and then it is gone at once; this is for one that dies in between.
const FRESH: Duration = Duration::from_secs(1);
/// Keys that are remembered at a time; beyond it memory is given back.
const MOST: usize = 10_000;

/// Keys of one kind as they were under one mark of the store.
#[derive(Debug)]
pub(super) struct Known<T>(RwLock<Read<T>>);

#[derive(Debug)]
struct Read<T> {
    mark: u128,
    keys: HashMap<String, (Arc<T>, Instant)>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(RwLock::new(Read { mark: 0, keys: HashMap::new() }))
    }
}

impl<T> Known<T> {
    /// The key of `id`, if it was read a moment ago and nothing was taken away since.
    pub(super) fn get(&self, mark: u128, id: &str) -> Option<Arc<T>> {
        // No code panics while it holds the lock; a poisoned map is whole all the same.
        let read = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (key, at) = read.keys.get(id)?;
        (read.mark == mark && at.elapsed() < FRESH).then(|| Arc::clone(key))
    }

    /// Remembers what was read of `id`, under a mark that was taken before, at `began`.
    pub(super) fn put(&self, mark: u128, id: &str, key: &Arc<T>, began: Instant) {
        let mut read = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if read.mark != mark || read.keys.len() >= MOST {
            read.keys.clear();
            read.mark = mark;
        }
        read.keys.insert(id.to_owned(), (Arc::clone(key), began));
    }
}
