//! When keys were last used: noted in memory by requests, written by one task.

use super::{Keys, Use};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How exactly a last use is known: a key that is used all the time is written this often.
const EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How long the task waits for more before it writes.
const GATHER: Duration = Duration::from_millis(500);
/// Keys that are remembered at a time. Beyond it memory is given back, and keys are written again sooner.
const MOST: usize = 100_000;

/// The uses of keys that are still to be written.
#[derive(Debug, Default)]
pub struct Usage {
    state: Mutex<State>,
    woken: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// When each key's use was last noted.
    noted: HashMap<String, Timestamp>,
    pending: HashMap<String, Use>,
}

impl Usage {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock; a poisoned map is whole all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a key was used. Cheap: most calls are one look-up.
    pub fn note(&self, id: &str, account: &str, at: Timestamp) {
        let mut state = self.state();
        if state.noted.get(id).is_some_and(|noted| at.duration_since(*noted) < EVERY) {
            return;
        }
        if state.noted.len() >= MOST {
            state.noted.clear();
        }
        state.noted.insert(id.to_owned(), at);
        state.pending.insert(id.to_owned(), Use { id: id.to_owned(), account: account.to_owned(), at });
        drop(state);
        self.woken.notify_one();
    }

    /// Writes what was noted, all of it at once; what cannot be written stays noted.
    pub async fn flush(&self, keys: &dyn Keys) -> Result<(), crate::AccessError> {
        let uses: Vec<Use> = std::mem::take(&mut self.state().pending).into_values().collect();
        if uses.is_empty() {
            return Ok(());
        }
        let written = keys.record_uses(uses.clone()).await;
        if written.is_err() {
            let mut state = self.state();
            for one in uses {
                state.pending.entry(one.id.clone()).or_insert(one);
            }
        }
        written
    }

    /// Writes from time to time, without end. Who drops it [flushes](Self::flush) what is left.
    pub async fn run(&self, keys: &dyn Keys) {
        loop {
            self.woken.notified().await;
            tokio::time::sleep(GATHER).await;
            if let Err(error) = self.flush(keys).await {
                tracing::warn!(%error, "the last use of keys could not be written");
            }
        }
    }
}
