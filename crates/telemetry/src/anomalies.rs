//! Whether an hour's spend is unlike the hours before it, without a threshold that somebody would have to set.
//!
//! An hour is held against the same hour of the week in the last eight weeks; where less than four weeks are known,
//! against the same hour of the day in the last two; where less than [`LEAST_HOURS`] are known, nothing is said. What is
//! usual is the median, so that one odd day does not become the new usual; how much it varies is the median deviation of
//! these hours and of both their neighbours, each from its own median. All of it is of logarithms, for spend varies by
//! factors and not by dollars.
//! [`spend`] keeps the hours by key and by feature and says what it finds.

pub mod spend;
#[cfg(test)]
mod tests;

/// Hours of a week.
pub const WEEK: usize = 168;
/// Hours that are remembered.
pub const REMEMBERED: usize = 8 * WEEK;
/// Less history says nothing: a week of days.
pub const LEAST_HOURS: usize = 7 * 24;
/// From this score on an hour is an anomaly: so many median deviations, scaled to standard deviations, above the median.
pub const ANOMALY: f64 = 6.0;

/// What a median deviation has to be multiplied with to be a standard deviation, where the noise is normal.
const TO_DEVIATIONS: f64 = 1.4826;
/// Hours are never taken for steadier than this: 25 % around the median.
const STEADIEST: f64 = 0.25;

/// How unusual `value` is after `before`, the hours until then, oldest first, zeros included. Negative where it is less
/// than usual; none where not enough is known.
pub fn score(before: &[f32], value: f64) -> Option<f64> {
    if before.len() < LEAST_HOURS {
        return None;
    }
    let before = &before[before.len().saturating_sub(REMEMBERED)..];
    // A typical hour that cost anything: below it dollars are small change, and differences are not told by factors.
    let scale = median(before.iter().copied().filter(|spent| *spent > 0.0).map(f64::from).collect())?;
    let weekly = before.len() >= 4 * WEEK;
    let (season, seasons) = if weekly { (WEEK, 8) } else { (24, 14) };
    let size = |spent: f64| (1.0 + spent.max(0.0) / scale).ln();
    // The hours of one place in the season: the hour itself, or its neighbour before or after.
    let slot = |shift: usize| -> Vec<f64> {
        let ago = (1..=seasons).map(|ago| ago * season + 1 - shift);
        let hours = ago.filter_map(|ago| before.len().checked_sub(ago).and_then(|place| before.get(place)));
        hours.map(|spent| size(f64::from(*spent))).collect()
    };
    let usual = median(slot(1))?;
    let mut deviations = Vec::new();
    for shift in 0..3 {
        let hours = slot(shift);
        if let Some(middle) = median(hours.clone()) {
            deviations.extend(hours.iter().map(|size| (size - middle).abs()));
        }
    }
    let deviation = median(deviations)?;
    Some((size(value) - usual) / (TO_DEVIATIONS * deviation).max(STEADIEST))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}
