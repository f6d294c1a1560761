//! What is counted and measured, in one form for everybody who asks: Prometheus ([`crate::prometheus`]) and OTLP
//! ([`crate::otlp`]) show the same families, so that nothing is counted twice and no two of them disagree.
//!
//! Whoever has numbers of its own adds a [`Source`] to [`Meters`]; it is asked when somebody looks, and never before.

mod calls;
mod process;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

pub use calls::{Calls, Label, Labels};
pub use process::Process;

/// One thing that is counted or measured, in all its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Its name as OpenTelemetry has it, with dots; Prometheus's follows from it and the unit.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// In what.
    pub unit: Unit,
    /// How it moves.
    pub kind: Kind,
    /// Its series.
    pub points: Vec<Point>,
}

/// How a number moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only ever up, from the start of the process.
    Counter,
    /// Up and down.
    Gauge,
    /// By how often it was how large.
    Histogram,
}

/// A unit of measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A plain number of what is named here: `{token}`.
    Of(&'static str),
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// US dollars.
    Dollars,
    /// A share of one.
    Ratio,
}

impl Unit {
    /// As UCUM, and so OpenTelemetry, writes it.
    pub const fn ucum(self) -> &'static str {
        match self {
            Self::Of(what) => what,
            Self::Seconds => "s",
            Self::Bytes => "By",
            Self::Dollars => "USD",
            Self::Ratio => "1",
        }
    }

    /// What ends the names of Prometheus.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Of(_) => "",
            Self::Seconds => "_seconds",
            Self::Bytes => "_bytes",
            Self::Dollars => "_dollars",
            Self::Ratio => "_ratio",
        }
    }
}

/// One series at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// What tells it from the others: OpenTelemetry's attribute names, with dots.
    pub labels: Vec<(Cow<'static, str>, String)>,
    /// How much.
    pub value: Value,
}

/// What a series says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a counter or a gauge.
    Number(f64),
    /// Of a histogram.
    Histogram(Histogram),
}

/// How often something was how large.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The upper bound of each bucket but the last, which has none.
    pub bounds: &'static [f64],
    /// How many fell into each; one more than there are bounds.
    pub counts: Box<[u64]>,
    /// All of them together.
    pub sum: f64,
}

impl Histogram {
    /// An empty one.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1].into(), sum: 0.0 }
    }

    /// Counts `value`.
    pub fn record(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let at = self.bounds.partition_point(|bound| *bound < value);
        self.counts[at] += 1;
        self.sum += value;
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Family {
    /// A family without series.
    pub const fn new(name: &'static str, kind: Kind, unit: Unit, help: &'static str) -> Self {
        Self { name, help, unit, kind, points: Vec::new() }
    }

    /// A counter.
    pub const fn counter(name: &'static str, unit: Unit, help: &'static str) -> Self {
        Self::new(name, Kind::Counter, unit, help)
    }

    /// A gauge.
    pub const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Self {
        Self::new(name, Kind::Gauge, unit, help)
    }

    /// Adds a series.
    pub fn push<const N: usize>(&mut self, labels: [(&'static str, &str); N], value: f64) {
        let labels = labels.into_iter().map(|(name, value)| (Cow::Borrowed(name), value.to_owned())).collect();
        self.points.push(Point { labels, value: Value::Number(value) });
    }

    /// The family with one series that has no labels.
    #[must_use]
    pub fn of(mut self, value: f64) -> Self {
        self.push([], value);
        self
    }
}

/// Somebody who has numbers to show. Asked on the thread of whoever looks: it must not wait for anything.
pub trait Source: Send + Sync {
    /// The numbers of this moment.
    fn families(&self) -> Vec<Family>;
}

impl<F: Fn() -> Vec<Family> + Send + Sync> Source for F {
    fn families(&self) -> Vec<Family> {
        self()
    }
}

/// All sources of numbers.
pub struct Meters {
    sources: RwLock<Vec<Arc<dyn Source>>>,
    /// Since when counters count.
    pub(crate) began: SystemTime,
}

impl Default for Meters {
    fn default() -> Self {
        Self { sources: RwLock::default(), began: SystemTime::now() }
    }
}

impl Meters {
    /// `source` has numbers, too.
    pub fn add(&self, source: impl Source + 'static) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(source));
    }

    /// Everybody's numbers, by name. Families of one name that several sources give are one.
    pub fn gather(&self) -> Vec<Family> {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut gathered: BTreeMap<&'static str, Family> = BTreeMap::new();
        for mut family in sources.iter().flat_map(|source| source.families()) {
            match gathered.get_mut(family.name) {
                Some(known) => known.points.append(&mut family.points),
                None => drop(gathered.insert(family.name, family)),
            }
        }
        gathered.into_values().filter(|family| !family.points.is_empty()).collect()
    }
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}
