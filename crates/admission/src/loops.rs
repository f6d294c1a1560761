//! Callers that send nearly the same call again and again.
//!
//! A program that is stuck repeats itself: the same conversation with another time of day, another id, another
//! counter in it. What such calls have in common is their [`likeness`]; a caller that exceeds a number of alike calls
//! in a time is refused every further one until it has left off for a while.
//!
//! Never: judges what is said, keeps a word of it.
//!
//! Start at [`Loops::check`].

mod likeness;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use outcrop_api::{Fault, Kind};

use crate::Call;
pub use likeness::likeness;

const SHARDS: usize = 16;
/// Conversations that are remembered at a time. Beyond it new ones are not looked at until old ones are forgotten.
const MOST: usize = 65_536;

/// When a caller is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Alike calls that a caller may send in the time below; nobody is looked at where it is not said.
    pub calls: Option<u32>,
    /// The time in which they are counted.
    pub window: Duration,
    /// How long the caller must leave off.
    pub pause: Duration,
    /// Keys and principals that may repeat themselves.
    pub except: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { calls: None, window: Duration::from_secs(60), pause: Duration::from_secs(300), except: Vec::new() }
    }
}

/// Who repeats what, under the settings of one configuration.
pub struct Loops {
    settings: Settings,
    shared: Arc<Shared>,
}

struct Shared {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    most: usize,
}

#[derive(Default)]
struct Shard {
    seen: HashMap<u64, Seen>,
    looked: Option<Instant>,
}

/// Alike calls of one caller.
#[derive(Clone, Copy)]
struct Seen {
    /// Calls that count; over the window they count less and less.
    calls: f64,
    at: Instant,
    stopped: Option<Instant>,
}

impl Default for Loops {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Loops {
    /// Nobody has said anything yet.
    pub fn new(settings: Settings) -> Self {
        Self::with(settings, MOST)
    }

    fn with(settings: Settings, most: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { settings, shared: Arc::new(Shared { shards, hasher: RandomState::new(), most: most.div_ceil(SHARDS) }) }
    }

    /// The same callers under other settings.
    #[must_use]
    pub fn under(&self, settings: Settings) -> Self {
        Self { settings, shared: Arc::clone(&self.shared) }
    }

    /// Whether anybody is looked at: if not, nobody has to compute a [`Call::likeness`].
    pub fn looks(&self) -> bool {
        self.settings.calls.is_some()
    }

    /// Counts a call, and refuses it where it is one too many.
    pub fn check(&self, call: &Call<'_>) -> Result<(), Fault> {
        self.check_at(call, Instant::now())
    }

    fn check_at(&self, call: &Call<'_>, now: Instant) -> Result<(), Fault> {
        let (Some(most), Some(likeness)) = (self.settings.calls, call.likeness) else { return Ok(()) };
        let caller = call.key.unwrap_or(call.principal);
        let free = |one: &String| one == caller || one == call.principal;
        if self.settings.except.iter().any(free) {
            return Ok(());
        }
        let id = self.shared.hasher.hash_one((call.account, caller, call.model, likeness));
        let mut shard = self.shared.shards[(id >> 56) as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
        if shard.seen.len() >= self.shared.most && !shard.seen.contains_key(&id) {
            shard.forget(&self.settings, now);
            if shard.seen.len() >= self.shared.most {
                return Ok(());
            }
        }
        let window = self.settings.window.as_secs_f64().max(0.001);
        let seen = shard.seen.entry(id).or_insert(Seen { calls: 0.0, at: now, stopped: None });
        let quiet = now.saturating_duration_since(seen.at);
        if seen.stopped.is_some() {
            // Whoever goes on stays stopped: only leaving off helps.
            if quiet < self.settings.pause {
                seen.at = now;
                return Err(self.refusal(most));
            }
            *seen = Seen { calls: 0.0, at: now, stopped: None };
        }
        let most_now = f64::from(most);
        seen.calls = (seen.calls - quiet.as_secs_f64() * most_now / window).max(0.0) + 1.0;
        seen.at = now;
        if seen.calls > most_now + 0.01 {
            seen.stopped = Some(now);
            drop(shard);
            tracing::warn!(
                account = call.account,
                principal = call.principal,
                model = call.model,
                "a caller was stopped: it repeats itself"
            );
            return Err(self.refusal(most));
        }
        Ok(())
    }

    fn refusal(&self, most: u32) -> Fault {
        let (window, pause) = (self.settings.window.as_secs(), self.settings.pause.as_secs());
        let text = format!(
            "This call was refused by the loop detector: you sent more than {most} nearly identical calls in {window} \
             seconds (rule loops.calls). Stop sending it for {pause} seconds and it is admitted again; where the \
             repetition is meant, the operator can list this key or principal under loops.except, or raise loops.calls."
        );
        Fault::new(Kind::AccessDenied, text)
    }

    /// How many conversations are remembered.
    pub fn known(&self) -> usize {
        self.shared.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).seen.len()).sum()
    }
}

impl std::fmt::Debug for Loops {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loops").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Shard {
    /// At most once a second, those of whom nothing counts any more.
    fn forget(&mut self, settings: &Settings, now: Instant) {
        if self.looked.is_some_and(|looked| now.saturating_duration_since(looked) < Duration::from_secs(1)) {
            return;
        }
        self.looked = Some(now);
        self.seen.retain(|_, seen| {
            let long = if seen.stopped.is_some() { settings.pause } else { settings.window };
            now.saturating_duration_since(seen.at) < long
        });
    }
}
