//! What was spent: sums over the usage ledger, by any combination of what calls are told apart by.
//!
//! Sums are exact decimals. A call without a price is counted as one without a price, never as one that cost nothing.
//! Memory is bounded: a month is read a line at a time, and groups beyond [`MOST_GROUPS`] are summed up as `(other)`.
//!
//! Start at [`Query`], what is asked, and [`report`], which answers.

pub mod focus;
mod query;
pub mod show;
mod sums;
pub mod tasks;
#[cfg(test)]
mod tests;
pub mod units;

pub use query::{By, Filter, Query, QueryError, time};
pub use sums::Sums;

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::ledger::{self, LedgerError};
use crate::{Entry, Prices};

/// The most groups of one report; whatever else there is becomes one more, called [`OTHER`].
pub const MOST_GROUPS: usize = 100_000;
/// The group of what does not say: a call without that tag.
pub const NONE: &str = "(none)";
/// The group of everything beyond [`MOST_GROUPS`].
pub const OTHER: &str = "(other)";

/// One line of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The values of what was grouped by, in its order.
    pub group: Vec<String>,
    /// What was used and spent.
    pub sums: Sums,
}

/// What was spent.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was asked.
    pub query: Query,
    /// In the order of time where grouped by a time first, else the dearest first.
    pub rows: Vec<Row>,
    /// Of all.
    pub total: Sums,
    /// What could not be read, in words.
    pub problems: Vec<String>,
}

/// Answers `query` from the ledger of a data folder. `prices` are for hours of provisioned throughput only: what a call
/// cost was written down with it.
pub fn report(data: &Path, prices: &Prices, query: &Query) -> Result<Report, LedgerError> {
    let mut adder = Adder::new(query.clone());
    for entry in ledger::read(data, query.time.clone())? {
        match entry {
            Ok(entry) => adder.add(&entry, 0),
            Err(error) => adder.problem(&error),
        }
    }
    units::hours(data, prices, query.time.clone(), |entry, units| adder.add(entry, units))?;
    Ok(adder.done())
}

/// Adds up calls, one after another.
#[derive(Debug)]
pub struct Adder {
    query: Query,
    groups: HashMap<String, Sums>,
    total: Sums,
    problems: Vec<String>,
    key: String,
}

/// Between the values of a group's key. No value has it: it is no character that a header or an ARN can have.
const BETWEEN: char = '\u{1f}';

impl Adder {
    /// Nothing so far.
    pub fn new(query: Query) -> Self {
        Self { query, groups: HashMap::new(), total: Sums::default(), problems: Vec::new(), key: String::new() }
    }

    /// Adds a call, or so many hours of a model unit, if it is asked for.
    pub fn add(&mut self, entry: &Entry, unit_hours: u64) {
        if !self.query.wants(entry) {
            return;
        }
        self.total.add(entry, unit_hours);
        self.key.clear();
        for (n, by) in self.query.by.iter().enumerate() {
            if n > 0 {
                self.key.push(BETWEEN);
            }
            by.write(entry, &mut self.key);
        }
        if !self.groups.contains_key(&self.key) {
            if self.groups.len() >= MOST_GROUPS {
                let others = vec![OTHER; self.query.by.len()];
                self.key = others.join(&BETWEEN.to_string());
            }
            self.groups.entry(self.key.clone()).or_default();
        }
        if let Some(sums) = self.groups.get_mut(&self.key) {
            sums.add(entry, unit_hours);
        }
    }

    /// A part of the ledger could not be read: said once, not for every line.
    pub fn problem(&mut self, error: &LedgerError) {
        let told = error.to_string();
        if self.problems.len() < 20 && !self.problems.contains(&told) {
            self.problems.push(told);
        }
    }

    /// The report.
    pub fn done(self) -> Report {
        let group = |key: String| match self.query.by.is_empty() {
            true => Vec::new(),
            false => key.split(BETWEEN).map(str::to_owned).collect(),
        };
        let mut rows: Vec<_> = self.groups.into_iter().map(|(key, sums)| Row { group: group(key), sums }).collect();
        let by_time = self.query.by.first().is_some_and(By::is_time);
        rows.sort_by(|a, b| match by_time {
            true => a.group[0].cmp(&b.group[0]).then(b.sums.cost.cmp(&a.sums.cost)).then(a.group.cmp(&b.group)),
            false => b.sums.cost.cmp(&a.sums.cost).then(a.group.cmp(&b.group)),
        });
        Report { query: self.query, rows, total: self.total, problems: self.problems }
    }
}

impl Report {
    /// The same as programs read it. Money is a string, exact to the last digit.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let named = self.query.by.iter().map(By::to_string).zip(row.group.iter().cloned().map(Value::from));
            let mut value = json!({ "group": named.collect::<serde_json::Map<_, _>>() });
            if let (Some(value), Value::Object(sums)) = (value.as_object_mut(), row.sums.json()) {
                value.extend(sums);
            }
            value
        });
        json!({
            "from": self.query.time.start.to_string(),
            "to": self.query.time.end.to_string(),
            "currency": "USD",
            "by": self.query.by.iter().map(By::to_string).collect::<Vec<_>>(),
            "filters": self.query.filters.iter().map(Filter::to_string).collect::<Vec<_>>(),
            "rows": rows.collect::<Vec<_>>(),
            "total": self.total.json(),
            "problems": self.problems,
        })
    }
}
