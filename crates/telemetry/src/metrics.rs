//! Metrics as CloudWatch has them: numbers by minute, under a namespace, a name and dimensions, for an account and a
//! Region; kept at falling resolution.
//!
//! [`Metrics`] is the one place. Points are merged in memory and written to a SQLite file of their own at every tick of
//! the hub, so that a crash loses at most a second; readers see both, and never wait for the file to be written.
//! [`calls`] makes the `AWS/Bedrock` and `AWS/Billing` metrics from entries, [`guardrails`] those of `AWS/Bedrock/Guardrails`.

pub mod calls;
pub mod charges;
mod file;
pub mod guardrails;
mod point;
mod series;
mod sketch;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::Connection;
use rust_decimal::Decimal;

pub use point::Point;
use series::{Book, Id};
pub use series::{Dimensions, Listed, Metric, Owner};

/// A minute: the finest that is kept. High-resolution metrics are taken, and kept by the minute too.
pub const MINUTE: i64 = 60;
/// Series that are thinned out at once.
const SHARE: u32 = 64;

/// Why metrics could not be read or taken.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The file.
    #[error("the metrics file: {0}")]
    File(#[from] rusqlite::Error),
    /// The folder of the file.
    #[error("the metrics folder: {0}")]
    Folder(#[from] std::io::Error),
    /// More series than the configuration admits.
    #[error("there are {0} series of metrics already, which is the most that the configuration admits")]
    Full(usize),
}

/// All metrics of this server.
#[derive(Debug)]
pub struct Metrics {
    file: file::File,
    live: Mutex<Live>,
    /// Connections that nobody reads with now.
    idle: Mutex<Vec<Connection>>,
}

/// Points by series and minute, in seconds since 1970.
type Points = BTreeMap<(Id, i64), Point>;

#[derive(Debug, Default)]
struct Live {
    book: Book,
    /// Not yet in the file.
    waiting: Points,
    /// On the way into the file: not there for readers that began before.
    leaving: Points,
    /// Points for which no series could be made.
    refused: u64,
}

/// What is read of one metric.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Whose.
    pub owner: &'a Owner,
    /// Of which.
    pub metric: &'a Metric,
    /// Only what was reported in this unit.
    pub unit: Option<&'a str>,
    /// From here on, in seconds since 1970.
    pub from: i64,
    /// Up to here, not with it.
    pub to: i64,
    /// Seconds of one answer's point; counted from `from`.
    pub period: i64,
    /// Percentiles are asked for.
    pub percentiles: bool,
}

impl Metrics {
    /// Opens the file in `folder`, or makes it. At most `max_series` series are taken.
    pub fn open(folder: &Path, max_series: usize) -> Result<Self, MetricsError> {
        std::fs::create_dir_all(folder)?;
        let file = file::File::open(&folder.join("metrics.db"))?;
        let book = Book::new(file.series()?, max_series);
        Ok(Self { file, live: Mutex::new(Live { book, ..Live::default() }), idle: Mutex::default() })
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The series of a metric in a unit, made where there is none.
    pub fn series(&self, owner: &Owner, metric: &Metric, unit: &'static str) -> Result<Id, MetricsError> {
        let mut live = self.live();
        let found = live.book.find_or_make(owner, metric, unit);
        if found.is_err() {
            live.refused += 1;
            if live.refused.is_power_of_two() {
                tracing::warn!(
                    refused = live.refused,
                    "points of metrics were refused: `metrics.max_series` is reached"
                );
            }
        }
        found
    }

    /// Adds points, each of a series and a moment in seconds since 1970.
    pub fn add(&self, points: impl IntoIterator<Item = (Id, i64, Point)>) {
        let mut live = self.live();
        for (id, at, point) in points {
            live.book.seen(id, at);
            let minute = at.div_euclid(MINUTE) * MINUTE;
            match live.waiting.entry((id, minute)) {
                std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(point)),
                std::collections::btree_map::Entry::Occupied(mut place) => place.get_mut().merge(&point),
            }
        }
    }

    /// Adds one value.
    pub fn put(
        &self,
        owner: &Owner,
        metric: &Metric,
        unit: &'static str,
        at: i64,
        value: f64,
    ) -> Result<(), MetricsError> {
        let id = self.series(owner, metric, unit)?;
        self.add([(id, at, Point::of(value))]);
        Ok(())
    }

    /// Points that were refused for want of room.
    pub fn refused(&self) -> u64 {
        self.live().refused
    }

    /// Writes what waits to the file. `charges`: what accounts have spent, to be written in the same transaction.
    pub fn flush(&self, charges: &[(String, String, Decimal)]) -> Result<(), MetricsError> {
        let (points, fresh) = {
            let mut live = self.live();
            if live.waiting.is_empty() && charges.is_empty() && live.leaving.is_empty() {
                return Ok(());
            }
            // What could not be written the last time goes again.
            let mut points = std::mem::take(&mut live.waiting);
            for (at, point) in std::mem::take(&mut live.leaving) {
                points.entry(at).and_modify(|known| known.merge(&point)).or_insert(point);
            }
            live.leaving.clone_from(&points);
            (points, live.book.fresh())
        };
        let mut writer = self.file.writer();
        let transaction = writer.transaction()?;
        file::write(&transaction, &fresh, &points, charges)?;
        // Readers take their view of the file under the same lock, so they see a point here or there, never twice.
        let mut live = self.live();
        transaction.commit()?;
        live.leaving.clear();
        live.book.written(fresh.len());
        Ok(())
    }

    /// Thins out what has become old, as CloudWatch does: 60 seconds for 15 days, 300 for 63, 3,600 for 455. A call
    /// does so for a few series from `from` on, so that the hub is not held up; the answer is where to go on.
    pub fn thin_out(&self, from: u32, now: i64) -> Result<Option<u32>, MetricsError> {
        let to = self.live().book.last().min(from.saturating_add(SHARE));
        let mut writer = self.file.writer();
        let transaction = writer.transaction()?;
        for id in from.max(1)..=to {
            file::thin_out(&transaction, id, now)?;
        }
        transaction.commit()?;
        Ok((to < self.live().book.last()).then_some(to + 1))
    }

    /// The points of a metric by period and unit, oldest first.
    pub fn read(&self, reading: &Reading<'_>) -> Result<BTreeMap<&'static str, BTreeMap<i64, Point>>, MetricsError> {
        let (from, to, period) = (reading.from, reading.to, reading.period.max(1));
        let reader = self.reader()?;
        let (series, fresh) = {
            let live = self.live();
            let series = live.book.find(reading.owner, reading.metric, reading.unit);
            file::begin(&reader)?;
            let mut fresh = Vec::new();
            for (id, _) in &series {
                for points in [&live.leaving, &live.waiting] {
                    let range = points.range((*id, from)..(*id, to.max(from)));
                    fresh.extend(range.map(|((id, at), point)| (*id, *at, point.clone())));
                }
            }
            (series, fresh)
        };
        let mut units: BTreeMap<&'static str, BTreeMap<i64, Point>> = BTreeMap::new();
        let start = |at: i64| from + (at - from).div_euclid(period) * period;
        for (id, unit) in series {
            let points = units.entry(unit).or_default();
            let mut take = |at: i64, point: Point| {
                points.entry(start(at)).and_modify(|known: &mut Point| known.merge(&point)).or_insert(point);
            };
            file::read(&reader, id, (from, to, period), reading.percentiles, &mut take)?;
            fresh.iter().filter(|(of, ..)| *of == id).for_each(|(_, at, point)| take(*at, point.clone()));
        }
        file::end(&reader)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        units.retain(|_, points| !points.is_empty());
        Ok(units)
    }

    fn reader(&self) -> Result<Connection, MetricsError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(idle.map_or_else(|| self.file.reader(), Ok)?)
    }

    /// The metrics of an owner that had points since `since`, in order, from the one after `after`.
    pub fn list(
        &self,
        owner: &Owner,
        since: i64,
        after: u32,
        matches: impl Fn(&Metric) -> bool,
        limit: usize,
    ) -> Listed {
        self.live().book.list(owner, since, after, matches, limit)
    }

    /// What accounts have spent in a month, by account.
    pub fn charges(&self, month: &str) -> Result<BTreeMap<String, Decimal>, MetricsError> {
        Ok(self.file.charges(month)?)
    }

    /// Sums by hour of one metric since `from`: what a baseline is made of.
    pub fn hourly(
        &self,
        owner: &Owner,
        metric: &Metric,
        from: i64,
        to: i64,
    ) -> Result<BTreeMap<i64, f64>, MetricsError> {
        let from = from.div_euclid(3600) * 3600;
        let reading = Reading { owner, metric, unit: None, from, to, period: 3600, percentiles: false };
        let mut hours = BTreeMap::new();
        for points in self.read(&reading)?.values() {
            for (at, point) in points {
                *hours.entry(*at).or_insert(0.0) += point.sum;
            }
        }
        Ok(hours)
    }
}

/// Now, in seconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_second()
}
