//! What became of the calls that one target of one route answered: what tests of variants are decided by.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use outcrop_telemetry::{Entry, Outcome};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::histogram::Histogram;

/// Parts of a dollar.
pub(super) const NANO: u64 = 1_000_000_000;

/// Counts since the start of the server. Each is one atomic addition.
#[derive(Debug, Default)]
pub struct Variant {
    pub(super) calls: AtomicU64,
    pub(super) answered: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) input: AtomicU64,
    pub(super) output: AtomicU64,
    /// In billionths of a US dollar; calls without a price count for nothing here.
    pub(super) cost: AtomicU64,
    /// Second attempts that were made before the first had failed.
    pub(super) hedges: AtomicU64,
    pub(super) first_event: Histogram,
    pub(super) total: Histogram,
}

impl Variant {
    /// A call is over.
    pub fn note(&self, entry: &Entry, first_event: Option<Duration>, total: Duration) {
        self.calls.fetch_add(1, Relaxed);
        match entry.outcome {
            Outcome::Answered => {
                self.answered.fetch_add(1, Relaxed);
                self.total.record(total);
            }
            Outcome::Gone => {}
            _ => {
                self.failed.fetch_add(1, Relaxed);
            }
        }
        if let Some(first) = first_event {
            self.first_event.record(first);
        }
        self.input.fetch_add(entry.tokens.input, Relaxed);
        self.output.fetch_add(entry.tokens.output, Relaxed);
        let nano = entry.cost.and_then(|cost| cost.saturating_mul(Decimal::from(NANO)).round().to_u64());
        self.cost.fetch_add(nano.unwrap_or_default(), Relaxed);
    }
}
