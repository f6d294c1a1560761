//! `GetMetricStatistics`.

use serde_json::{Map, Value, json};

use super::input::{Input, combination, invalid, missing};
use super::stat::Stat;
use super::{failed, owner_of};
use crate::SliceError;
use crate::metrics::{Metric, Metrics, Reading};
use outcrop_access::Context;

/// The most points of one answer.
const MOST: i64 = 1440;

pub(super) fn get(metrics: &Metrics, cx: &Context, input: &Value) -> Result<Value, SliceError> {
    let input = Input::of(input, "input")?;
    let namespace = input.required("Namespace", 255)?.to_owned();
    let name = input.required("MetricName", 255)?.to_owned();
    let (from, to) = range(input)?;
    let period = period(input.integer("Period")?.ok_or_else(|| missing("Period"))?)?;
    let (plain, extended) = (input.texts("Statistics")?, input.texts("ExtendedStatistics")?);
    if plain.is_empty() && extended.is_empty() {
        return Err(missing("Statistics or ExtendedStatistics"));
    }
    if plain.len() > 5 || extended.len() > 10 {
        return Err(combination("At most 5 Statistics and 10 ExtendedStatistics can be asked for at once."));
    }
    let known = |list: &[&str], of: fn(&str) -> Option<Stat>, parameter: &str| {
        let one = |name: &&str| match of(name) {
            Some(stat) => Ok(((*name).to_owned(), stat)),
            None => Err(invalid(format!("The value {name} for parameter {parameter} is invalid."))),
        };
        list.iter().map(one).collect::<Result<Vec<_>, _>>()
    };
    let plain = known(&plain, Stat::plain, "Statistics")?;
    let extended = known(&extended, Stat::percentile, "ExtendedStatistics")?;
    let unit = input.unit()?;
    let points = (to - from).div_euclid(period) + i64::from((to - from) % period != 0);
    if points > MOST {
        return Err(combination(format!(
            "You have requested up to {points} datapoints, which exceeds the limit of {MOST}. You may reduce the \
             datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    let owner = owner_of(cx, &namespace);
    let metric = Metric::of(namespace, name.clone(), input.dimensions()?);
    let percentiles = !extended.is_empty();
    let reading = Reading { owner: &owner, metric: &metric, unit, from, to, period, percentiles };
    let mut points = Vec::new();
    for (unit, found) in metrics.read(&reading).map_err(failed)? {
        for (at, point) in found {
            let mut told = Map::new();
            told.insert("Timestamp".into(), json!(at as f64));
            for (name, stat) in &plain {
                told.insert(name.clone(), json!(stat.value(&point)));
            }
            told.insert("Unit".into(), unit.into());
            let values = extended.iter().filter_map(|(name, stat)| Some((name.clone(), json!(stat.value(&point)?))));
            let values: Map<String, Value> = values.collect();
            if !values.is_empty() {
                told.insert("ExtendedStatistics".into(), values.into());
            }
            if !plain.is_empty() || told.contains_key("ExtendedStatistics") {
                points.push(Value::Object(told));
            }
        }
    }
    Ok(json!({ "Label": name, "Datapoints": points }))
}

/// From StartTime, on a whole minute, up to EndTime.
pub(super) fn range(input: Input<'_>) -> Result<(i64, i64), SliceError> {
    let from = input.time("StartTime")?.ok_or_else(|| missing("StartTime"))?;
    let to = input.time("EndTime")?.ok_or_else(|| missing("EndTime"))?;
    if from >= to {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    Ok((from.div_euclid(60) * 60, to))
}

/// A period in seconds. Those of high resolution are taken; what is kept is kept by the minute.
pub(super) fn period(seconds: i64) -> Result<i64, SliceError> {
    match seconds {
        1 | 5 | 10 | 20 | 30 => Ok(60),
        60.. if seconds % 60 == 0 => Ok(seconds),
        _ => Err(invalid("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")),
    }
}
