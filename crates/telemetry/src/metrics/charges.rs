//! `AWS/Billing` EstimatedCharges: what an account has spent since the month began, in dollars.
//!
//! The sum is exact and lasts; the metric is its value, told whenever it grows and every five minutes besides, so that an
//! alarm has something to look at. It belongs to the account, so it is there in every Region (AWS has it in one).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Metric, Metrics, MetricsError, Owner};
use crate::Entry;

/// The Region of what an account has once.
pub const GLOBAL: &str = "aws-global";
/// How often a sum that stays is told again, in seconds.
const AGAIN: i64 = 300;

#[derive(Debug)]
pub(super) struct Charges {
    /// Dollars by month and account.
    sums: BTreeMap<(String, String), Decimal>,
    /// Months of which the file's sums are here.
    loaded: BTreeSet<String>,
    /// What has grown since the last tick.
    grown: BTreeSet<(String, String)>,
    /// What was handed out to be written last.
    last: BTreeSet<(String, String)>,
    told: i64,
}

/// `2026-11`, in UTC as the bill is.
fn month(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string()
}

fn month_of(now: i64) -> String {
    Timestamp::from_second(now).map(month).unwrap_or_default()
}

impl Charges {
    pub fn open(metrics: &Metrics, now: i64) -> Result<Self, MetricsError> {
        let mut charges = Self {
            sums: BTreeMap::new(),
            loaded: BTreeSet::new(),
            grown: BTreeSet::new(),
            last: BTreeSet::new(),
            told: 0,
        };
        charges.load(metrics, &month_of(now))?;
        Ok(charges)
    }

    fn load(&mut self, metrics: &Metrics, month: &str) -> Result<(), MetricsError> {
        if !self.loaded.contains(month) {
            let known = metrics.charges(month)?;
            self.sums.extend(known.into_iter().map(|(account, sum)| ((month.to_owned(), account), sum)));
            self.loaded.insert(month.to_owned());
        }
        Ok(())
    }

    pub fn take(&mut self, entry: &Entry, metrics: &Metrics) {
        let Some(cost) = entry.dollars().filter(|cost| !cost.is_zero()) else { return };
        let month = month(entry.at);
        // A clock that jumps may bring back a month that was over.
        if let Err(error) = self.load(metrics, &month) {
            tracing::error!(%error, month, "the charges of the month could not be read");
        }
        let key = (month, entry.account.clone());
        let sum = self.sums.entry(key.clone()).or_default();
        *sum = sum.saturating_add(cost);
        self.grown.insert(key);
    }

    /// Tells the metric, and hands out what has to be written: account, month, dollars.
    pub fn tick(&mut self, metrics: &Metrics, now: i64) -> Vec<(String, String, Decimal)> {
        let month = month_of(now);
        let again = (now - self.told).abs() >= AGAIN;
        if again {
            self.told = now;
            // Months that are over are in the file.
            self.loaded.retain(|known| *known >= month || self.grown.iter().any(|key| key.0 == *known));
            self.sums.retain(|key, _| self.loaded.contains(&key.0));
        }
        for (key, sum) in &self.sums {
            if key.0 == month && (again || self.grown.contains(key)) {
                tell(metrics, &key.1, now, *sum);
            }
        }
        self.last = std::mem::take(&mut self.grown);
        let sum = |key: &(String, String)| Some((key.1.clone(), key.0.clone(), *self.sums.get(key)?));
        self.last.iter().filter_map(sum).collect()
    }

    /// What was handed out last was not written.
    pub fn again(&mut self) {
        self.grown.append(&mut self.last);
    }
}

fn tell(metrics: &Metrics, account: &str, at: i64, sum: Decimal) {
    let (owner, dollars) = (Owner::new(account, GLOBAL), sum.to_f64().unwrap_or_default());
    let (currency, service) = (("Currency", "USD"), ("ServiceName", "AmazonBedrock"));
    for dimensions in [&[currency][..], &[currency, service]] {
        // A refusal was counted and logged where it was made.
        let _ = metrics.put(&owner, &Metric::new("AWS/Billing", "EstimatedCharges", dimensions), "None", at, dollars);
    }
}
