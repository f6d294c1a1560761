//! `PutMetricData`.

use outcrop_access::Context;
use serde_json::Value;

use super::input::{Input, combination, invalid, missing, number};
use super::{failed, owner_of};
use crate::SliceError;
use crate::metrics::{Metric, Metrics, Point, now};

/// The most of one call, and of one datum.
const MOST_DATA: usize = 1000;
const MOST_VALUES: usize = 150;
/// Neither smaller nor greater: 2^360.
const GREATEST: f64 = 2.348_542_582_773_833_2e108;
const PAST: i64 = 14 * 24 * 60 * 60;
const FUTURE: i64 = 2 * 60 * 60;

/// All of it or nothing: data are read before the first is taken.
pub(super) fn put(metrics: &Metrics, cx: &Context, input: &Value) -> Result<Value, SliceError> {
    let input = Input::of(input, "input")?;
    let namespace = input.required("Namespace", 255)?;
    if namespace.starts_with("AWS/") || namespace.starts_with("Outcrop/") || namespace.starts_with(':') {
        return Err(invalid(format!("The value {namespace} for parameter Namespace is invalid.")));
    }
    let mut data: Vec<&Value> = input.list("MetricData")?.iter().collect();
    for entity in input.list("EntityMetricData")? {
        data.extend(Input::of(entity, "EntityMetricData")?.list("MetricData")?);
    }
    if data.is_empty() {
        return Err(missing("MetricData"));
    }
    if data.len() > MOST_DATA {
        return Err(invalid(format!("The collection MetricData must not have a size greater than {MOST_DATA}.")));
    }
    let now = now();
    let read = |datum: &&Value| read(namespace, Input::of(datum, "MetricData")?, now);
    let data = data.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let owner = owner_of(cx, namespace);
    let mut points = Vec::with_capacity(data.len());
    for (metric, unit, at, point) in data {
        points.push((metrics.series(&owner, &metric, unit).map_err(failed)?, at, point));
    }
    metrics.add(points);
    Ok(Value::Null)
}

fn read(namespace: &str, datum: Input<'_>, now: i64) -> Result<(Metric, &'static str, i64, Point), SliceError> {
    let name = datum.required("MetricName", 255)?;
    let at = datum.time("Timestamp")?.unwrap_or(now);
    if at < now - PAST || at > now + FUTURE {
        return Err(invalid(
            "The parameter Timestamp must be at most two weeks in the past and two hours in the future.",
        ));
    }
    if datum.integer("StorageResolution")?.is_some_and(|seconds| !matches!(seconds, 1 | 60)) {
        return Err(invalid("The parameter StorageResolution must be 1 or 60."));
    }
    let point = point(datum)?;
    let metric = Metric::of(namespace.to_owned(), name.to_owned(), datum.dimensions()?);
    Ok((metric, datum.unit()?.unwrap_or("None"), at, point))
}

fn point(datum: Input<'_>) -> Result<Point, SliceError> {
    let (value, set, values) = (datum.number("Value")?, datum.get("StatisticValues"), datum.list("Values")?);
    let given = [value.is_some(), set.is_some(), !values.is_empty()].into_iter().filter(|given| *given).count();
    match given {
        0 => return Err(missing("Value, Values or StatisticValues")),
        1 => {}
        _ => return Err(combination("Only one of Value, Values and StatisticValues may be given.")),
    }
    if let Some(set) = set {
        let set = Input::of(set, "StatisticValues")?;
        let part =
            |name: &str| set.number(name)?.ok_or_else(|| missing(&format!("StatisticValues.{name}"))).and_then(fits);
        let (count, sum) = (part("SampleCount")?, part("Sum")?);
        let (min, max) = (part("Minimum")?, part("Maximum")?);
        if count <= 0.0 || min > max {
            return Err(invalid("StatisticValues must have a SampleCount above 0 and no Minimum above its Maximum."));
        }
        return Ok(Point::summary(count, sum, min, max));
    }
    if let Some(value) = value {
        return Ok(Point::of(fits(value)?));
    }
    let counts = datum.list("Counts")?;
    if values.len() > MOST_VALUES {
        return Err(invalid(format!("The collection Values must not have a size greater than {MOST_VALUES}.")));
    }
    if !counts.is_empty() && counts.len() != values.len() {
        return Err(combination("The parameters Values and Counts must be of the same size."));
    }
    let mut whole: Option<Point> = None;
    for (place, value) in values.iter().enumerate() {
        let count = counts.get(place).map_or(Ok(1.0), |count| number("Counts", count)).and_then(fits)?;
        if count <= 0.0 {
            return Err(invalid("The parameter Counts must hold numbers above 0."));
        }
        let point = Point::times(fits(number("Values", value)?)?, count);
        match &mut whole {
            Some(whole) => whole.merge(&point),
            None => whole = Some(point),
        }
    }
    whole.ok_or_else(|| missing("Values"))
}

fn fits(value: f64) -> Result<f64, SliceError> {
    if value.abs() <= GREATEST {
        return Ok(value);
    }
    Err(invalid("A value is outside of what is taken, which is from -2^360 to 2^360."))
}
