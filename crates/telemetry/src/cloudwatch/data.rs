//! `GetMetricData`.

use outcrop_access::Context;
use serde_json::{Value, json};

use super::input::{Input, invalid, missing};
use super::query;
use super::statistics::range;
use crate::SliceError;
use crate::metrics::Metrics;

/// The most points of one answer.
const MOST: i64 = 100_800;
/// The most that a query may be computed over, answered or not: 455 days of minutes.
const MOST_OF_QUERY: i64 = 700_000;

pub(super) fn get(metrics: &Metrics, cx: &Context, input: &Value) -> Result<Value, SliceError> {
    let input = Input::of(input, "input")?;
    let (from, to) = range(input)?;
    let queries = input.list("MetricDataQueries")?;
    if queries.is_empty() {
        return Err(missing("MetricDataQueries"));
    }
    let queries = query::read(queries)?;
    let most = input.integer("MaxDatapoints")?.unwrap_or(MOST);
    if !(1..=MOST).contains(&most) {
        return Err(invalid(format!("The parameter MaxDatapoints must be between 1 and {MOST}.")));
    }
    let newest_first = match input.text("ScanBy")? {
        None | Some("TimestampDescending") => true,
        Some("TimestampAscending") => false,
        Some(other) => return Err(invalid(format!("The value {other} for parameter ScanBy is invalid."))),
    };
    let asked: i64 = queries.iter().filter_map(|query| Some((to - from) / query.period()?)).sum();
    if asked > MOST_OF_QUERY {
        return Err(invalid(
            "The queries ask for too many datapoints. Increase the periods, or decrease the time range.",
        ));
    }
    let bad = || SliceError::client("InvalidNextToken", "The parameter NextToken is invalid.");
    let begin: usize = input.text("NextToken")?.map_or(Ok(0), |token| token.parse().map_err(|_| bad()))?;
    let done = query::evaluate(metrics, (&cx.caller.account, &cx.region), &queries, (from, to), true)?;
    let returned: Vec<_> = queries.iter().filter(|query| query.returned).collect();
    // Every query goes on at the same place of its points.
    let share = (most as usize / returned.len().max(1)).max(1);
    let (mut results, mut more) = (Vec::new(), false);
    for query in returned {
        let points: Vec<_> = done.get(&query.id).into_iter().flatten().map(|(at, value)| (*at, *value)).collect();
        let ordered: Vec<_> = if newest_first { points.into_iter().rev().collect() } else { points };
        let here = ordered.get(begin.min(ordered.len())..).unwrap_or_default();
        let (here, partial) = (&here[..here.len().min(share)], here.len() > share);
        more |= partial;
        results.push(json!({
            "Id": query.id,
            "Label": query.label,
            "Timestamps": here.iter().map(|(at, _)| *at as f64).collect::<Vec<_>>(),
            "Values": here.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            "StatusCode": if partial { "PartialData" } else { "Complete" },
        }));
    }
    let mut output = json!({ "MetricDataResults": results, "Messages": [] });
    if more {
        output["NextToken"] = (begin + share).to_string().into();
    }
    Ok(output)
}
