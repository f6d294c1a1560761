//! From datapoints to a state, as the user guide's "How alarms treat missing data" has it.

/// What a state comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    Alarm,
    /// Not enough is known.
    Insufficient,
    /// The state stays.
    Stays,
}

/// How missing datapoints count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    Breaching,
    NotBreaching,
    Ignore,
    Missing,
}

impl Treatment {
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "breaching" => Self::Breaching,
            "notBreaching" => Self::NotBreaching,
            "ignore" => Self::Ignore,
            "missing" => Self::Missing,
            _ => return None,
        })
    }
}

/// Datapoints that are looked at beyond those that count, in case some are missing.
pub(crate) const MORE: usize = 2;

/// Whether a datapoint breaches, by the name of the comparison.
pub(crate) fn breaches(operator: &str, value: f64, threshold: f64) -> bool {
    match operator {
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "GreaterThanThreshold" => value > threshold,
        "LessThanThreshold" => value < threshold,
        "LessThanOrEqualToThreshold" => value <= threshold,
        _ => false,
    }
}

/// `newest_first`: whether each datapoint of the range breaches, none where it is missing. `to_alarm` of `periods` must.
pub(crate) fn verdict(newest_first: &[Option<bool>], to_alarm: usize, periods: usize, missing: Treatment) -> Verdict {
    let known: Vec<bool> = newest_first.iter().flatten().copied().take(periods).collect();
    let breaching = known.iter().filter(|breaches| **breaches).count();
    let fine = known.len() - breaching;
    let filled = periods - known.len();
    if breaching >= to_alarm {
        return Verdict::Alarm;
    }
    if fine > periods - to_alarm {
        return Verdict::Ok;
    }
    match missing {
        Treatment::Breaching if breaching + filled >= to_alarm => Verdict::Alarm,
        Treatment::Breaching | Treatment::NotBreaching => Verdict::Ok,
        Treatment::Ignore => Verdict::Stays,
        Treatment::Missing if known.is_empty() => Verdict::Insufficient,
        Treatment::Missing if breaching >= to_alarm.min(known.len()) => Verdict::Alarm,
        Treatment::Missing => Verdict::Ok,
    }
}
