//! Which metrics there are.

use std::collections::{BTreeMap, HashMap};

use super::MetricsError;

/// The number of a series: here and in the file.
pub type Id = u32;

/// Names and values, in the order of the names.
pub type Dimensions = Vec<(String, String)>;

/// Whose metrics: an account in a Region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// Its number.
    pub account: String,
    /// The Region; `aws-global` for what an account has once.
    pub region: String,
}

impl Owner {
    /// An account in a Region.
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned() }
    }
}

/// What a metric is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Metric {
    /// `AWS/Bedrock`.
    pub namespace: String,
    /// `InputTokenCount`.
    pub name: String,
    /// In the order of their names.
    pub dimensions: Dimensions,
}

impl Metric {
    /// A metric, its dimensions in any order.
    pub fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let dimensions = dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::of(namespace.to_owned(), name.to_owned(), dimensions)
    }

    /// Whether callers put it, and not the server.
    pub(super) fn is_put(&self) -> bool {
        !self.namespace.starts_with("AWS/") && !self.namespace.starts_with("Outcrop/")
    }

    /// The same from parts of its own.
    pub fn of(namespace: String, name: String, mut dimensions: Dimensions) -> Self {
        dimensions.sort();
        Self { namespace, name, dimensions }
    }
}

/// A series as the file keeps it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub id: Id,
    pub owner: Owner,
    pub metric: Metric,
    pub unit: &'static str,
    /// When it last had a point.
    pub last: i64,
}

/// One page of metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// In order.
    pub metrics: Vec<Metric>,
    /// Where to go on, where there is more.
    pub next: Option<u32>,
}

/// The series of one metric, by unit.
type Units = Vec<(&'static str, Id)>;

/// All series, by number and by name.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// By place; a number is the place plus one.
    rows: Vec<Row>,
    by_owner: HashMap<Owner, BTreeMap<Metric, Units>>,
    /// How many of the rows the file has.
    written: usize,
    most: usize,
    /// Series that callers put, by account.
    put: HashMap<String, usize>,
}

impl Book {
    /// The series that the file has, in the order of their numbers.
    pub fn new(rows: Vec<Row>, most: usize) -> Self {
        let mut book = Self { written: rows.len(), most, ..Self::default() };
        for row in rows {
            book.enter(row);
        }
        book
    }

    fn enter(&mut self, row: Row) {
        let units = self.by_owner.entry(row.owner.clone()).or_default().entry(row.metric.clone()).or_default();
        units.push((row.unit, row.id));
        if row.metric.is_put() {
            *self.put.entry(row.owner.account.clone()).or_default() += 1;
        }
        self.rows.push(row);
    }

    pub fn find_or_make(&mut self, owner: &Owner, metric: &Metric, unit: &'static str) -> Result<Id, MetricsError> {
        let known = self.by_owner.get(owner).and_then(|metrics| metrics.get(metric));
        if let Some((_, id)) = known.into_iter().flatten().find(|(known, _)| *known == unit) {
            return Ok(*id);
        }
        if self.rows.len() >= self.most {
            return Err(MetricsError::Full(self.most));
        }
        // A quarter is kept for what the server itself counts, and one account takes no more than another: nobody's
        // alarms go blind because somebody else puts metrics.
        let each = (self.most / 4).max(1);
        let of_all = self.put.values().sum::<usize>();
        let own = self.put.get(&owner.account).copied().unwrap_or_default();
        if metric.is_put() && (own >= each || of_all >= self.most - self.most / 4) {
            return Err(MetricsError::Full(if own >= each { each } else { self.most }));
        }
        let id = u32::try_from(self.rows.len() + 1).map_err(|_| MetricsError::Full(self.most))?;
        self.enter(Row { id, owner: owner.clone(), metric: metric.clone(), unit, last: 0 });
        Ok(id)
    }

    /// The greatest number.
    pub fn last(&self) -> Id {
        self.rows.len() as Id
    }

    pub fn seen(&mut self, id: Id, at: i64) {
        if let Some(row) = self.rows.get_mut(id as usize - 1) {
            row.last = row.last.max(at);
        }
    }

    pub fn find(&self, owner: &Owner, metric: &Metric, unit: Option<&str>) -> Vec<(Id, &'static str)> {
        let known = self.by_owner.get(owner).and_then(|metrics| metrics.get(metric));
        let wanted = |(known, _): &&(&'static str, Id)| unit.is_none_or(|unit| unit == *known);
        known.into_iter().flatten().filter(wanted).map(|(unit, id)| (*id, *unit)).collect()
    }

    /// What the file does not have yet.
    pub fn fresh(&self) -> Vec<Row> {
        self.rows.get(self.written..).unwrap_or_default().to_vec()
    }

    pub fn written(&mut self, more: usize) {
        self.written += more;
    }

    /// Where a page begins is told as the place of a metric in the order of all of an owner's: a metric that is made
    /// between two pages may be told twice or not at all, as in CloudWatch.
    pub fn list(
        &self,
        owner: &Owner,
        since: i64,
        after: u32,
        matches: impl Fn(&Metric) -> bool,
        limit: usize,
    ) -> Listed {
        let mut listed = Listed::default();
        let Some(metrics) = self.by_owner.get(owner) else { return listed };
        for (place, (metric, units)) in metrics.iter().enumerate().skip(after as usize) {
            let last = units.iter().filter_map(|(_, id)| self.rows.get(*id as usize - 1)).map(|row| row.last).max();
            if last.is_none_or(|last| last < since) || !matches(metric) {
                continue;
            }
            if listed.metrics.len() == limit {
                listed.next = u32::try_from(place).ok();
                return listed;
            }
            listed.metrics.push(metric.clone());
        }
        listed
    }
}
