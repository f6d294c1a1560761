//! How many repetitions a route may add to a load that already fails.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// A thousandth of a repetition is the smallest unit.
const ONE: i64 = 1000;
/// What a quiet route may repeat.
const RESERVE: i64 = 10 * ONE;

/// A token bucket, as gRPC and Finagle have it: every call puts in a share of a repetition, every repetition takes a
/// whole one out. However much fails, repetitions stay that share of the calls.
#[derive(Debug)]
pub struct Budget(AtomicI64);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicI64::new(RESERVE))
    }
}

impl Budget {
    /// One without a reserve: nothing is granted before it was paid in.
    pub fn empty() -> Self {
        Self(AtomicI64::new(0))
    }

    /// A call came, which buys `share` of a repetition.
    pub fn deposit(&self, share: f64) {
        let more = (share * ONE as f64) as i64;
        // Above the reserve nothing is saved up: an hour of health must not pay for a storm.
        let _ = self.0.fetch_update(Relaxed, Relaxed, |have| (have < RESERVE).then(|| (have + more).min(RESERVE)));
    }

    /// Takes a repetition, if there is one.
    pub fn withdraw(&self) -> bool {
        self.0.fetch_update(Relaxed, Relaxed, |have| (have >= ONE).then(|| have - ONE)).is_ok()
    }
}
