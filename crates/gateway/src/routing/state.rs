//! What is learnt about targets, beyond the life of one configuration.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::Breaker;
use super::budget::Budget;
use super::histogram::Histogram;
use super::slot::Queue;
use super::variant::Variant;

/// Health and load of one provider's model. Nothing here waits for anything.
#[derive(Debug)]
pub struct State {
    pub(super) breaker: Breaker,
    /// Attempts under way.
    pub(super) in_flight: AtomicU64,
    /// Tokens of the attempts under way, as they were estimated where targets are chosen by them.
    pub(super) tokens: AtomicU64,
    /// Attempts that were made, and those that failed.
    pub(super) attempts: AtomicU64,
    pub(super) failures: AtomicU64,
    /// From an attempt's beginning to its first event.
    pub(super) first_event: Histogram,
    pub(super) queue: Queue,
    base: Instant,
    /// Until when the target asked to be left alone, in milliseconds since `base`.
    rests_until: AtomicU64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            breaker: Breaker::default(),
            in_flight: AtomicU64::new(0),
            tokens: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            first_event: Histogram::default(),
            queue: Queue::default(),
            base: Instant::now(),
            rests_until: AtomicU64::new(0),
        }
    }
}

/// A minute is the window of most providers' quotas; what asks for more is asked again all the same.
const LONGEST_REST: Duration = Duration::from_secs(60);

impl State {
    /// Whether it asked to be left alone, and still does.
    pub fn rests(&self) -> bool {
        let until = self.rests_until.load(Relaxed);
        until != 0 && u128::from(until) > self.base.elapsed().as_millis()
    }

    pub(super) fn rest(&self, how_long: Duration) {
        let until = self.base.elapsed() + how_long.min(LONGEST_REST);
        self.rests_until.fetch_max(u64::try_from(until.as_millis()).unwrap_or_default(), Relaxed);
    }
}

/// What stays the same when a configuration is read anew: a provider's identity and its name for the model; a route's
/// model and a target's name.
type Key = (String, String);

/// The states of all targets, and the budgets of all routes, whichever configuration names them.
#[derive(Debug, Default)]
pub struct Registry {
    states: Mutex<HashMap<Key, Arc<State>>>,
    budgets: Mutex<HashMap<String, Arc<Budget>>>,
    variants: Mutex<HashMap<Key, Arc<Variant>>>,
}

impl Registry {
    pub(super) fn state(&self, identity: &str, model: &str) -> Arc<State> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(states.entry((identity.to_owned(), model.to_owned())).or_default())
    }

    pub(super) fn budget(&self, model: &str) -> Arc<Budget> {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(budgets.entry(model.to_owned()).or_default())
    }

    pub(super) fn variant(&self, model: &str, name: &str) -> Arc<Variant> {
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(variants.entry((model.to_owned(), name.to_owned())).or_default())
    }

    /// Forgets what no configuration names any more.
    pub fn sweep(&self) {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, state| Arc::strong_count(state) > 1);
        self.budgets.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, budget| Arc::strong_count(budget) > 1);
        self.variants.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, v| Arc::strong_count(v) > 1);
    }
}
