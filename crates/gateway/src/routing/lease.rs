//! One attempt's hold on its target.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use outcrop_providers::{Cause, Failure};
use outcrop_telemetry::trace;
use tokio::time::Instant;

use super::breaker::{BreakerSettings, Entry};
use super::slot::Slot;
use super::target::Target;
use super::traced;

/// Counts as load while it lives, and tells the target's breaker how the attempt went. It lives as long as the answer.
pub struct Lease {
    target: Arc<Target>,
    tokens: u64,
    entry: Entry,
    settings: BreakerSettings,
    began: Instant,
    /// The breaker has heard how it went.
    told: bool,
    /// The attempt's span, where there are any.
    pub(super) trace: Option<trace::Span>,
    _slot: Slot,
}

/// Why a target was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// Its breaker is open, for so long.
    Open(Duration),
    /// It has all the calls that it may have.
    Full,
}

impl Lease {
    pub(super) fn take(target: &Arc<Target>, tokens: u64, settings: &BreakerSettings) -> Result<Self, Shut> {
        let slot = Slot::take(&target.state, target.max_concurrent).ok_or(Shut::Full)?;
        Self::with(slot, target, tokens, settings)
    }

    /// In a place that was waited for.
    pub(super) fn with(
        slot: Slot,
        target: &Arc<Target>,
        tokens: u64,
        settings: &BreakerSettings,
    ) -> Result<Self, Shut> {
        let entry = target.state.breaker.enter().map_err(Shut::Open)?;
        target.state.tokens.fetch_add(tokens, Relaxed);
        let (target, began, trace) = (Arc::clone(target), Instant::now(), traced::attempt(target));
        Ok(Self { target, tokens, entry, settings: *settings, began, told: false, trace, _slot: slot })
    }

    /// On whom.
    pub fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// The answer has begun.
    pub(super) fn begun(&mut self) {
        self.told = true;
        self.target.state.attempts.fetch_add(1, Relaxed);
        self.target.state.first_event.record(self.began.elapsed());
        self.trace.iter().for_each(|span| traced::begun(span, self.began.elapsed()));
        self.target.state.breaker.succeeded(self.entry, &self.settings);
        self.entry = Entry::Usual;
    }

    /// It did not come to its end.
    pub(crate) fn failed(&mut self, cause: Cause, retry_after: Option<Duration>) {
        self.told = true;
        self.trace.iter().for_each(|span| span.fail(traced::cause(cause)));
        let state = &self.target.state;
        state.failures.fetch_add(1, Relaxed);
        if let Some(how_long) = retry_after {
            state.rest(how_long);
        }
        if !cause.ill() {
            // Whoever refuses is there.
            state.breaker.succeeded(self.entry, &self.settings);
        } else if state.breaker.failed(self.entry, &self.settings) {
            tracing::warn!(asked = %self.target.name, ?cause, "left alone for a while: it fails too often");
        }
        self.entry = Entry::Usual;
    }

    /// No answer began.
    pub(super) fn refused(&mut self, failure: &Failure) {
        self.target.state.attempts.fetch_add(1, Relaxed);
        self.failed(failure.cause, failure.retry_after);
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.target.state.tokens.fetch_sub(self.tokens, Relaxed);
        if !self.told {
            self.trace.iter().for_each(|span| span.fail(traced::ABANDONED));
            self.target.state.breaker.abandoned(self.entry);
        }
    }
}
