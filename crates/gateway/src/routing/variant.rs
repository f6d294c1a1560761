//! What became of the calls that one target of one route answered: what tests of variants are decided by.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use outcrop_api::bedrock_runtime::TokenUsage;
use outcrop_models::catalogue::Price;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::histogram::Histogram;
use crate::meter::{Outcome, Record};

/// Counts since the start of the server. Each is one atomic addition.
#[derive(Debug, Default)]
pub struct Variant {
    pub(super) calls: AtomicU64,
    pub(super) answered: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) input: AtomicU64,
    pub(super) output: AtomicU64,
    /// List price, in millionths of a US dollar.
    pub(super) cost: AtomicU64,
    /// Second attempts that were made before the first had failed.
    pub(super) hedges: AtomicU64,
    pub(super) first_event: Histogram,
    pub(super) total: Histogram,
}

impl Variant {
    /// A call is over.
    pub fn note(&self, record: &Record, price: Option<&Price>) {
        self.calls.fetch_add(1, Relaxed);
        match record.outcome {
            Outcome::Answered => {
                self.answered.fetch_add(1, Relaxed);
                self.total.record(record.total);
            }
            Outcome::Failed(_) => {
                self.failed.fetch_add(1, Relaxed);
            }
            Outcome::Gone => {}
        }
        if let Some(first) = record.first_event {
            self.first_event.record(first);
        }
        let count = |tokens: i32| u64::try_from(tokens).unwrap_or_default();
        self.input.fetch_add(count(record.usage.input_tokens), Relaxed);
        self.output.fetch_add(count(record.usage.output_tokens), Relaxed);
        if let Some(price) = price.filter(|_| !record.cached) {
            self.cost.fetch_add(cost(&record.usage, price), Relaxed);
        }
    }
}

/// What `usage` costs by `price`, in millionths of a US dollar. Prices are dollars for a million tokens, so a token
/// costs as many millionths as the price has dollars.
fn cost(usage: &TokenUsage, price: &Price) -> u64 {
    let part = |tokens: Option<i32>, price: Option<Decimal>| {
        Decimal::from(tokens.unwrap_or(0).max(0)).saturating_mul(price.unwrap_or_default())
    };
    let sum = part(Some(usage.input_tokens), price.input)
        .saturating_add(part(Some(usage.output_tokens), price.output))
        .saturating_add(part(usage.cache_read_input_tokens, price.cache_read))
        .saturating_add(part(usage.cache_write_input_tokens, price.cache_write));
    sum.round().to_u64().unwrap_or_default()
}
