//! How callers of one account share its quota.
//!
//! With `n` callers active, a share is the quota divided by `n`. A caller's recent use is what it took, each token
//! weighing less by a factor of e a minute: who takes `x` tokens a minute has a recent use of `x`. Who is within its
//! share may fill the quota to its end. Who is beyond leaves some of the last quarter free, the more the further it
//! is beyond, so that whoever has less finds room at once, and those who are beyond come to be equal.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A caller that did not ask for so long is not active.
const ACTIVE: Duration = Duration::from_secs(60);
/// Of the quota, what callers beyond their share leave free for those within.
const FREE: f64 = 0.25;
/// Callers that one quota tells apart, and that all of them do together; the others count as one.
const MOST: usize = 4_096;
const MOST_IN_ALL: usize = 200_000;
/// The others.
const OTHERS: u64 = 0;

/// Callers that are remembered, of all quotas together.
pub(super) type Remembered = Arc<AtomicUsize>;

pub(super) struct Callers {
    recent: HashMap<u64, Recent>,
    looked: Instant,
    remembered: Remembered,
}

#[derive(Clone, Copy)]
struct Recent {
    used: f64,
    at: Instant,
}

impl Recent {
    fn now(&mut self, now: Instant) -> f64 {
        self.used *= (-now.saturating_duration_since(self.at).as_secs_f64() / 60.0).exp();
        self.at = self.at.max(now);
        self.used
    }
}

impl Callers {
    pub(super) fn new(now: Instant, remembered: Remembered) -> Self {
        Self { recent: HashMap::new(), looked: now, remembered }
    }

    /// The recent use of `caller`, who asks now, in shares of `quota`.
    pub(super) fn shares(&mut self, caller: u64, quota: f64, now: Instant) -> f64 {
        self.forget(now);
        let caller = self.known(caller, now);
        let active = self.recent.len();
        let used = self.recent.get_mut(&caller).map_or(0.0, |recent| recent.now(now));
        // Who is alone has all of it.
        if active < 2 || quota <= 0.0 { 0.0 } else { used * active as f64 / quota }
    }

    /// How many ask.
    pub(super) fn active(&self) -> usize {
        self.recent.len()
    }

    /// Counts tokens that `caller` took, or gave back where they are negative, at `then`.
    pub(super) fn count(&mut self, caller: u64, tokens: f64, then: Instant, now: Instant) {
        let caller = if self.recent.contains_key(&caller) { caller } else { OTHERS };
        if let Some(recent) = self.recent.get_mut(&caller) {
            let weight = (-now.saturating_duration_since(then).as_secs_f64() / 60.0).exp();
            recent.used = (recent.now(now) + tokens * weight).max(0.0);
        }
    }

    fn known(&mut self, caller: u64, now: Instant) -> u64 {
        let full = self.recent.len() >= MOST || self.remembered.load(Relaxed) >= MOST_IN_ALL;
        let caller = if full && !self.recent.contains_key(&caller) { OTHERS } else { caller };
        let remembered = &self.remembered;
        self.recent.entry(caller).or_insert_with(|| {
            remembered.fetch_add(1, Relaxed);
            Recent { used: 0.0, at: now }
        });
        caller
    }

    /// Once a second, those who ask no longer.
    fn forget(&mut self, now: Instant) {
        if now.saturating_duration_since(self.looked) < Duration::from_secs(1) {
            return;
        }
        self.looked = now;
        let before = self.recent.len();
        self.recent.retain(|_, recent| now.saturating_duration_since(recent.at) < ACTIVE);
        self.remembered.fetch_sub(before - self.recent.len(), Relaxed);
    }
}

impl Drop for Callers {
    fn drop(&mut self) {
        self.remembered.fetch_sub(self.recent.len(), Relaxed);
    }
}

/// To where a caller with so many shares may fill `quota`.
pub(super) fn line(quota: f64, shares: f64) -> f64 {
    if shares <= 1.0 { quota } else { quota - quota * FREE * (1.0 - 1.0 / shares) }
}
