//! What can be asked of the ledger.

use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use super::NONE;
use crate::Entry;
use crate::ledger::day_of;
use crate::prices::tier_of;

/// What calls are told apart by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// `month`, in UTC: `2026-11`.
    Month,
    /// `day`, in UTC: `2026-11-21`.
    Day,
    /// `hour`, in UTC: `2026-11-21T12`.
    Hour,
    /// `model`: the id under which metrics count the call.
    Model,
    /// `account`.
    Account,
    /// `region`.
    Region,
    /// `principal`: the caller's ARN.
    Principal,
    /// `key`: the access key or API key.
    Key,
    /// `profile`: the ARN of the application inference profile or provisioned model.
    Profile,
    /// `operation`.
    Operation,
    /// `provider`.
    Provider,
    /// `tier`: the one that the call got.
    Tier,
    /// `tag:KEY`.
    Tag(String),
    /// `metadata:KEY`, of the call's own `requestMetadata`.
    Metadata(String),
}

const PLAIN: [(&str, By); 12] = [
    ("month", By::Month),
    ("day", By::Day),
    ("hour", By::Hour),
    ("model", By::Model),
    ("account", By::Account),
    ("region", By::Region),
    ("principal", By::Principal),
    ("key", By::Key),
    ("profile", By::Profile),
    ("operation", By::Operation),
    ("provider", By::Provider),
    ("tier", By::Tier),
];

/// A question that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueryError(pub String);

impl FromStr for By {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        match text.split_once(':') {
            Some(("tag", key)) if !key.is_empty() => return Ok(Self::Tag(key.to_owned())),
            Some(("metadata", key)) if !key.is_empty() => return Ok(Self::Metadata(key.to_owned())),
            _ => {}
        }
        let known = PLAIN.iter().find(|(name, _)| *name == text).map(|(_, by)| by.clone());
        known.ok_or_else(|| {
            let names: Vec<_> = PLAIN.iter().map(|(name, _)| *name).collect();
            QueryError(format!(
                "`{text}` is nothing to group or filter by: use {}, tag:KEY or metadata:KEY",
                names.join(", ")
            ))
        })
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(key) => write!(f, "tag:{key}"),
            Self::Metadata(key) => write!(f, "metadata:{key}"),
            plain => f.write_str(PLAIN.iter().find(|(_, by)| by == plain).map_or("", |(name, _)| name)),
        }
    }
}

impl By {
    /// Whether it is a time.
    pub fn is_time(&self) -> bool {
        matches!(self, Self::Month | Self::Day | Self::Hour)
    }

    /// Writes the value of a call to `to`.
    pub fn write(&self, entry: &Entry, to: &mut String) {
        let value = match self {
            Self::Month | Self::Day => {
                let day = day_of(entry.at);
                // Writing to a string cannot fail.
                let _ = match self {
                    Self::Month => write!(to, "{:04}-{:02}", day.year(), day.month()),
                    _ => write!(to, "{day}"),
                };
                return;
            }
            Self::Hour => {
                let at = entry.at.to_zoned(TimeZone::UTC);
                let _ = write!(to, "{}T{:02}", at.date(), at.hour());
                return;
            }
            Self::Model => Some(entry.model.as_str()),
            Self::Account => Some(entry.account.as_str()),
            Self::Region => Some(entry.region.as_str()),
            Self::Principal => Some(entry.principal.as_str()),
            Self::Key => entry.key.as_deref(),
            Self::Profile => entry.profile.as_deref(),
            Self::Operation => Some(entry.operation.as_str()),
            Self::Provider => entry.provider.as_deref(),
            Self::Tier => Some(tier_of(entry)),
            Self::Tag(key) => entry.tags.get(key).map(String::as_str),
            Self::Metadata(key) => entry.metadata.get(key).map(String::as_str),
        };
        to.push_str(value.filter(|value| !value.is_empty()).unwrap_or(NONE));
    }
}

/// Only calls whose value is this; `*` at its end stands for whatever follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of what.
    pub by: By,
    /// The value.
    pub value: String,
}

impl FromStr for Filter {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        let (by, value) = text
            .split_once('=')
            .ok_or_else(|| QueryError(format!("`{text}` is no filter: write NAME=VALUE, such as tag:team=search")))?;
        Ok(Self { by: by.parse()?, value: value.to_owned() })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.by, self.value)
    }
}

impl Filter {
    fn fits(&self, entry: &Entry) -> bool {
        let mut value = String::new();
        self.by.write(entry, &mut value);
        match self.value.strip_suffix('*') {
            Some(beginning) => value.starts_with(beginning),
            None => value == self.value,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Calls that ended in it.
    pub time: Range<Timestamp>,
    /// What rows are told apart by; one row of all where it is empty.
    pub by: Vec<By>,
    /// Filters of one name: one of them fits. Filters of several names: each fits.
    pub filters: Vec<Filter>,
}

impl Query {
    /// Read as people write it: `day,model`; filters one by one; times as [`time`] reads them. Without times, the last
    /// 30 days.
    pub fn parse(
        by: &str,
        filters: &[String],
        from: Option<&str>,
        to: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, QueryError> {
        let by =
            by.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::parse).collect::<Result<_, _>>()?;
        let filters = filters.iter().map(|one| one.parse()).collect::<Result<_, _>>()?;
        let start = time(from.unwrap_or("30d"), now, false)?;
        // A call that ends this very moment is one of those until now.
        let end = to.map_or(Ok(now.saturating_add(1.second()).unwrap_or(now)), |to| time(to, now, true))?;
        if start >= end {
            return Err(QueryError(format!(
                "the time from {start} to {end} is none: the end is not after the beginning"
            )));
        }
        Ok(Self { time: start..end, by, filters })
    }

    /// Whether a call is asked for, its time aside.
    pub fn wants(&self, entry: &Entry) -> bool {
        self.filters.iter().enumerate().all(|(n, filter)| {
            let same = |other: &&Filter| other.by == filter.by;
            // Told once for all filters of one name, at the first of them.
            self.filters[..n].iter().any(|other| same(&other))
                || self.filters.iter().filter(same).any(|filter| filter.fits(entry))
        })
    }
}

/// A time as people write it: `2026-11-01` (in UTC; as an end, the end of that day), `2026-11-01T08:00:00Z`, `today`,
/// or so long ago: `7d`, `24h`, `90m`.
pub fn time(text: &str, now: Timestamp, end: bool) -> Result<Timestamp, QueryError> {
    let told = || {
        QueryError(format!(
            "`{text}` is no time: write 2026-11-01, 2026-11-01T08:00:00Z, today, or how long ago: 7d, 24h"
        ))
    };
    let midnight = |day: Date| {
        let day = if end { day.tomorrow().map_err(|_| told())? } else { day };
        day.to_zoned(TimeZone::UTC).map(|at| at.timestamp()).map_err(|_| told())
    };
    if text == "today" {
        return midnight(day_of(now));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(day) = text.parse::<Date>() {
        return midnight(day);
    }
    let unit = text.chars().last().ok_or_else(told)?;
    let many: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| told())?;
    let hours = match unit {
        'd' => Span::new().try_hours(many.saturating_mul(24)),
        'h' => Span::new().try_hours(many),
        'm' => Span::new().try_minutes(many),
        _ => return Err(told()),
    };
    now.checked_sub(hours.map_err(|_| told())?).map_err(|_| told())
}
