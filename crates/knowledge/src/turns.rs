//! One at a time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use outcrop_queue::Held;
use tokio::sync::{Mutex, MutexGuard};

/// So many names can have their turns at once.
const LANES: usize = 64;

/// Turns by name. Two names may share one, which only costs time.
#[derive(Clone)]
pub struct Turns(Arc<[Mutex<()>]>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..LANES).map(|_| Mutex::default()).collect())
    }
}

impl Turns {
    /// Waits for the turn of a name, so that others have the task's place meanwhile.
    pub(crate) async fn of(&self, name: &str, held: &Held) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default();
        match self.0[lane].try_lock() {
            Ok(turn) => turn,
            Err(_) => held.aside(self.0[lane].lock()).await,
        }
    }
}
