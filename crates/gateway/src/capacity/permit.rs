//! A call's place in a pool, given back when the call is over.

use std::sync::Arc;
use std::time::Instant;

use outcrop_telemetry::Tokens;

use super::pool::{Limits, Pool};

/// Holds a place, and the tokens that the call may take. Dropped without an answer, everything is given back: nobody
/// computed anything.
#[must_use = "the place is given back when this is dropped"]
pub struct Permit(Option<Held>);

struct Held {
    pool: Arc<Pool>,
    limits: Limits,
    reserved: u64,
    /// What counts when the call is over.
    used: u64,
}

impl Permit {
    /// A call that nobody counts.
    pub(super) fn unlimited() -> Self {
        Self(None)
    }

    pub(super) fn new(pool: Arc<Pool>, limits: Limits, reserved: u64) -> Self {
        Self(Some(Held { pool, limits, reserved, used: 0 }))
    }

    /// Counts what the call really took: what was read and not found in a cache, what was written to one, and the
    /// answer (the user guide's "Token burndown").
    pub fn settle(mut self, tokens: &Tokens) {
        if let Some(held) = &mut self.0 {
            held.used = tokens.input + tokens.output + tokens.cache_write;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pool.correct(self.limits, self.reserved, self.used, Instant::now());
        self.pool.leave();
    }
}
