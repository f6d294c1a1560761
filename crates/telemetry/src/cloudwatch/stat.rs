//! Statistics by name.

use crate::metrics::Point;

/// What is told of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stat {
    /// How many values.
    SampleCount,
    /// Their mean.
    Average,
    /// Their sum.
    Sum,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
    /// The value below which so many in a hundred lie.
    Percentile(f64),
}

impl Stat {
    /// `SampleCount`, `Average`, `Sum`, `Minimum` or `Maximum`.
    pub fn plain(name: &str) -> Option<Self> {
        Some(match name {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => return None,
        })
    }

    /// `p50`, `p99.9`: up to ten digits behind the point.
    pub fn percentile(name: &str) -> Option<Self> {
        let digits = name.strip_prefix('p')?;
        let plain = digits.len() <= 14 && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let percent: f64 = digits.parse().ok().filter(|_| plain)?;
        (0.0..=100.0).contains(&percent).then_some(Self::Percentile(percent))
    }

    /// Either.
    pub fn of(name: &str) -> Option<Self> {
        Self::plain(name).or_else(|| Self::percentile(name))
    }

    /// Whether a percentile has to be known for it.
    pub fn is_percentile(self) -> bool {
        matches!(self, Self::Percentile(_))
    }

    /// What it is of a point; none where that is not known.
    pub fn value(self, point: &Point) -> Option<f64> {
        match self {
            Self::SampleCount => Some(point.count),
            Self::Average => Some(point.average()),
            Self::Sum => Some(point.sum),
            Self::Minimum => Some(point.min),
            Self::Maximum => Some(point.max),
            Self::Percentile(percent) => point.percentile(percent),
        }
    }
}
