//! One alarm against its metric.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::evaluate::{MORE, Treatment, Verdict, breaches, verdict};
use super::{Alarm, State};
use crate::SliceError;
use crate::cloudwatch::expression::Series;
use crate::cloudwatch::stat::Stat;
use crate::cloudwatch::{owner, query, units};
use crate::metrics::{MINUTE, Metric, Metrics, Reading};

/// The state that the alarm should be in; none where it stays as it is.
pub(super) fn judge(metrics: &Metrics, alarm: &Alarm, now: i64) -> Result<Option<State>, SliceError> {
    let whole = now.div_euclid(MINUTE) * MINUTE;
    // The running minute is not over. Where its value can only grow, and too much is what the alarm is about, it says
    // so already; in all other cases it has to be waited for.
    if grows(alarm) {
        let early = at(metrics, alarm, whole + MINUTE)?;
        if early.as_ref().is_some_and(|state| state.state_value == "ALARM") {
            return Ok(early);
        }
    }
    at(metrics, alarm, whole)
}

fn grows(alarm: &Alarm) -> bool {
    alarm.comparison_operator.starts_with("GreaterThan")
        && alarm.statistic.as_deref().is_some_and(|stat| matches!(stat, "Sum" | "SampleCount" | "Maximum"))
}

fn period(alarm: &Alarm) -> i64 {
    let queries = || query::read(&alarm.metrics).unwrap_or_default();
    let of_queries = || queries().iter().filter_map(query::Query::period).max();
    alarm.period.or_else(of_queries).unwrap_or(MINUTE).max(MINUTE)
}

/// The datapoints of the periods that end at `end`.
fn datapoints(metrics: &Metrics, alarm: &Alarm, from: i64, end: i64, period: i64) -> Result<Series, SliceError> {
    let (account, region) = alarm.owner();
    if !alarm.metrics.is_empty() {
        let queries = query::read(&alarm.metrics)?;
        let done = query::evaluate(metrics, (account, region), &queries, (from, end), false)?;
        let told = queries.iter().find(|query| query.returned);
        return Ok(told.and_then(|query| done.get(&query.id).cloned()).unwrap_or_default());
    }
    let (Some(namespace), Some(name)) = (&alarm.namespace, &alarm.metric_name) else { return Ok(Series::new()) };
    let stat = alarm.statistic.as_deref().or(alarm.extended_statistic.as_deref()).and_then(Stat::of);
    let Some(stat) = stat else { return Ok(Series::new()) };
    let dimensions = alarm.dimensions.iter().map(|one| (one.name.clone(), one.value.clone())).collect();
    let owner = owner(account, region, namespace);
    let metric = Metric::of(namespace.clone(), name.clone(), dimensions);
    let unit = alarm.unit.as_deref().and_then(units::known);
    let reading =
        Reading { owner: &owner, metric: &metric, unit, from, to: end, period, percentiles: stat.is_percentile() };
    let units = metrics.read(&reading).map_err(|error| SliceError {
        code: "InternalServiceFault",
        message: error.to_string(),
        status: 500,
    })?;
    let points = units.into_values().next().unwrap_or_default();
    Ok(points.iter().filter_map(|(at, point)| Some((*at, stat.value(point)?))).collect())
}

fn at(metrics: &Metrics, alarm: &Alarm, end: i64) -> Result<Option<State>, SliceError> {
    let (period, periods) = (period(alarm), usize::try_from(alarm.evaluation_periods).unwrap_or(1).max(1));
    let to_alarm = alarm.datapoints_to_alarm.and_then(|n| usize::try_from(n).ok()).unwrap_or(periods).clamp(1, periods);
    let range = periods + MORE;
    let from = end - period * range as i64;
    let points = datapoints(metrics, alarm, from, end, period)?;
    let newest_first: Vec<(i64, Option<f64>)> =
        (1..=range as i64).map(|ago| end - period * ago).map(|at| (at, points.get(&at).copied())).collect();
    let breaching: Vec<Option<bool>> = newest_first
        .iter()
        .map(|(_, value)| value.map(|value| breaches(&alarm.comparison_operator, value, alarm.threshold)))
        .collect();
    let missing = alarm.treat_missing_data.as_deref().and_then(Treatment::of).unwrap_or(Treatment::Missing);
    let value = match verdict(&breaching, to_alarm, periods, missing) {
        Verdict::Stays => return Ok(None),
        Verdict::Ok => "OK",
        Verdict::Alarm => "ALARM",
        Verdict::Insufficient => "INSUFFICIENT_DATA",
    };
    let known: Vec<(i64, f64)> =
        newest_first.iter().filter_map(|(at, value)| Some((*at, (*value)?))).take(periods).collect();
    let data = json!({
        "version": "1.0", "queryDate": iso(end), "startDate": known.last().map(|(at, _)| iso(*at)),
        "statistic": alarm.statistic.as_deref().or(alarm.extended_statistic.as_deref()), "period": period,
        "recentDatapoints": known.iter().rev().map(|(_, value)| *value).collect::<Vec<_>>(),
        "threshold": alarm.threshold,
        "evaluatedDatapoints": known.iter().map(|(at, value)| json!({ "timestamp": iso(*at), "value": value })).collect::<Vec<_>>(),
    });
    Ok(Some(State {
        state_value: value.into(),
        state_reason: reason(alarm, value, &known, to_alarm, periods),
        state_reason_data: Some(data.to_string()).filter(|data| data.len() <= 4000),
        ..State::default()
    }))
}

fn reason(alarm: &Alarm, value: &str, known: &[(i64, f64)], to_alarm: usize, periods: usize) -> String {
    if value == "INSUFFICIENT_DATA" {
        return format!(
            "Insufficient Data: {periods} datapoint{} unknown.",
            if periods == 1 { " was" } else { "s were" }
        );
    }
    if known.is_empty() {
        let missing = alarm.treat_missing_data.as_deref().unwrap_or("missing");
        return format!(
            "Threshold Crossed: no datapoints were received for {periods} period(s) and missing datapoints were treated as [{missing}]."
        );
    }
    let breaches = |value: f64| breaches(&alarm.comparison_operator, value, alarm.threshold);
    let (word, wanted) = if value == "ALARM" { ("", true) } else { ("not ", false) };
    let fitting: Vec<_> = known.iter().filter(|(_, value)| breaches(*value) == wanted).collect();
    let shown: Vec<String> = fitting.iter().take(5).map(|(at, value)| format!("{value:?} ({})", short(*at))).collect();
    let operator = match alarm.comparison_operator.as_str() {
        "GreaterThanOrEqualToThreshold" => "greater than or equal to",
        "GreaterThanThreshold" => "greater than",
        "LessThanThreshold" => "less than",
        _ => "less than or equal to",
    };
    let (count, verb) = (fitting.len(), if fitting.len() == 1 { "was" } else { "were" });
    let transition = if value == "ALARM" { "OK -> ALARM" } else { "ALARM -> OK" };
    format!(
        "Threshold Crossed: {count} out of the last {} datapoints [{}] {verb} {word}{operator} the threshold ({:?}) \
         (minimum {} datapoint{} for {transition} transition).",
        known.len(),
        shown.join(", "),
        alarm.threshold,
        if value == "ALARM" { to_alarm } else { periods - to_alarm + 1 },
        if to_alarm == 1 { "" } else { "s" },
    )
}

fn iso(at: i64) -> String {
    let at = Timestamp::from_second(at).unwrap_or_default().to_zoned(TimeZone::UTC);
    at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

fn short(at: i64) -> String {
    let at = Timestamp::from_second(at).unwrap_or_default().to_zoned(TimeZone::UTC);
    at.strftime("%d/%m/%y %H:%M:%S").to_string()
}
