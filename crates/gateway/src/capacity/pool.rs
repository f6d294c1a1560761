//! One pool: tokens that come back over a minute, and places for calls.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much there is of a pool. It may change from call to call, with units and configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) tokens_per_minute: Option<u64>,
    pub(super) concurrency: Option<u64>,
}

/// Which limit keeps a call out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// All places are taken.
    Calls,
    /// The tokens come back in this time.
    Tokens { wait: Duration },
}

/// What is taken from a pool. The lock is held for a few additions and never across an await.
pub(super) struct Pool(Mutex<Taken>);

struct Taken {
    /// Tokens that are not back yet.
    tokens: f64,
    /// When they were last counted.
    counted: Instant,
    /// Calls under way.
    calls: u64,
}

impl Pool {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Taken { tokens: 0.0, counted: now, calls: 0 }))
    }

    /// Takes a place and `tokens`; answers how many were taken. A call that asks for more than a minute has gets in
    /// when all of them are there: it could not otherwise at all.
    pub(super) fn take(&self, limits: Limits, tokens: u64, now: Instant) -> Result<u64, Refused> {
        let mut taken = self.lock();
        if limits.concurrency.is_some_and(|most| taken.calls >= most) {
            return Err(Refused::Calls);
        }
        let mut wanted = 0;
        if let Some(minute) = limits.tokens_per_minute {
            wanted = tokens.min(minute);
            taken.refill(minute, now);
            let over = taken.tokens + wanted as f64 - minute as f64;
            // A hundredth of a token is the clock's, not the caller's.
            if minute == 0 || over > 0.01 {
                let wait = if minute == 0 { 60.0 } else { over * 60.0 / minute as f64 };
                return Err(Refused::Tokens { wait: Duration::from_secs_f64(wait) });
            }
            taken.tokens += wanted as f64;
        }
        taken.calls += 1;
        Ok(wanted)
    }

    /// Counts `used` in place of `reserved`. What was used beyond is owed: it is taken from what comes back.
    pub(super) fn correct(&self, limits: Limits, reserved: u64, used: u64, now: Instant) {
        let Some(minute) = limits.tokens_per_minute else { return };
        let mut taken = self.lock();
        taken.refill(minute, now);
        taken.tokens = (taken.tokens - reserved as f64 + used as f64).max(0.0);
    }

    /// Gives a call's place back.
    pub(super) fn leave(&self) {
        let mut taken = self.lock();
        taken.calls = taken.calls.saturating_sub(1);
    }

    /// Whether nobody is in it and nobody was for so long.
    pub(super) fn idle_since(&self, now: Instant, long: Duration) -> bool {
        let taken = self.lock();
        taken.calls == 0 && now.saturating_duration_since(taken.counted) >= long
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn refill(&mut self, minute: u64, now: Instant) {
        let back = now.saturating_duration_since(self.counted).as_secs_f64() * minute as f64 / 60.0;
        self.tokens = (self.tokens - back).max(0.0);
        self.counted = self.counted.max(now);
    }
}
