//! `ListMetrics`.

use outcrop_access::Context;
use serde_json::{Value, json};

use super::input::{Input, bounded, invalid};
use crate::SliceError;
use crate::metrics::charges::GLOBAL;
use crate::metrics::{Metric, Metrics, Owner, now};

const PAGE: usize = 500;
/// A metric without points for two weeks is not listed.
const LISTED: i64 = 14 * 24 * 60 * 60;
const RECENTLY: i64 = 3 * 60 * 60;

pub(super) fn list(metrics: &Metrics, cx: &Context, input: &Value) -> Result<Value, SliceError> {
    let input = Input::of(input, "input")?;
    let (namespace, name) = (input.text("Namespace")?, input.text("MetricName")?);
    for (parameter, text) in [("Namespace", namespace), ("MetricName", name)] {
        text.map_or(Ok(()), |text| bounded(parameter, text, 255))?;
    }
    let mut filters = Vec::new();
    for filter in input.list("Dimensions")? {
        let filter = Input::of(filter, "Dimensions")?;
        filters.push((filter.required("Name", 255)?, filter.text("Value")?));
    }
    if filters.len() > 10 {
        return Err(invalid("The collection Dimensions must not have a size greater than 10."));
    }
    let since = match input.text("RecentlyActive")? {
        None => LISTED,
        Some("PT3H") => RECENTLY,
        Some(other) => return Err(invalid(format!("The value {other} for parameter RecentlyActive is invalid."))),
    };
    let since = now() - since;
    let matches = |metric: &Metric| {
        let has = |(name, value): &(&str, Option<&str>)| {
            metric.dimensions.iter().any(|(known, is)| known == name && value.is_none_or(|value| value == is))
        };
        namespace.is_none_or(|namespace| namespace == metric.namespace)
            && name.is_none_or(|name| name == metric.name)
            && filters.iter().all(has)
    };
    // First what the account has in the Region, then what it has once.
    let places = [&cx.region as &str, GLOBAL];
    let (mut place, mut after) = read_token(input.text("NextToken")?)?;
    let (mut found, mut next) = (Vec::new(), None);
    while let Some(region) = places.get(place) {
        let owner = Owner::new(&cx.caller.account, region);
        let listed = metrics.list(&owner, since, after, matches, PAGE - found.len());
        found.extend(listed.metrics);
        if let Some(more) = listed.next {
            next = Some(format!("{place}.{more}"));
            break;
        }
        (place, after) = (place + 1, 0);
    }
    let found: Vec<Value> = found.iter().map(metric_value).collect();
    let mut output = json!({ "Metrics": found });
    if let Some(next) = next {
        output["NextToken"] = next.into();
    }
    Ok(output)
}

fn read_token(token: Option<&str>) -> Result<(usize, u32), SliceError> {
    let Some(token) = token else { return Ok((0, 0)) };
    let read = |token: &str| {
        let (place, after) = token.split_once('.')?;
        Some((place.parse().ok().filter(|place| *place < 2)?, after.parse().ok()?))
    };
    read(token).ok_or_else(|| invalid("The parameter NextToken is invalid."))
}

/// A metric as answers name it.
pub(super) fn metric_value(metric: &Metric) -> Value {
    let dimension = |(name, value): &(String, String)| json!({ "Name": name, "Value": value });
    let dimensions: Vec<Value> = metric.dimensions.iter().map(dimension).collect();
    json!({ "Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions })
}
