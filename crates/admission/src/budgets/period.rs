//! Days and months, in UTC.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// The time for which a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// From midnight to midnight, UTC.
    Day,
    /// From the first of a month to the first of the next, UTC.
    Month,
}

/// One day or month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: Date,
    pub(super) begins: Timestamp,
    pub(super) ends: Timestamp,
}

impl Period {
    /// The one that `now` is in.
    pub(super) fn at(self, now: Timestamp) -> Span {
        let day = now.to_zoned(TimeZone::UTC).date();
        match self {
            Self::Day => Span::new(day, day.checked_add(1.day())),
            Self::Month => Span::new(day.first_of_month(), day.first_of_month().checked_add(1.month())),
        }
    }

    /// The one before.
    pub(super) fn before(self, span: Span) -> Span {
        self.at(span.begins.checked_sub(1.second()).unwrap_or(span.begins))
    }

    /// Its name, as the configuration has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

impl Span {
    fn new(start: Date, end: Result<Date, jiff::Error>) -> Self {
        // What has no end in the calendar does not end.
        let at = |date: Date| date.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp());
        Self { start, begins: at(start), ends: end.map_or(Timestamp::MAX, at) }
    }
}
