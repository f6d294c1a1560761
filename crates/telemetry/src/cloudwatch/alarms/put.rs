//! `PutMetricAlarm`.

use outcrop_access::Context;
use serde_json::Value;

use super::super::input::{Input, combination, invalid, missing};
use super::super::stat::Stat;
use super::super::{query, statistics};
use super::{arn_of, kept};
use crate::SliceError;
use crate::alarms::evaluate::Treatment;
use crate::alarms::{Alarm, Alarms, Dimension};
use crate::metrics::now;

/// The most alarms of an account in a Region, as AWS has it.
const MOST: usize = 5_000;
const OPERATORS: [&str; 4] =
    ["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"];
/// A week: evaluation periods times period must not be longer, where a period is an hour or more; a day else.
const WEEK: i64 = 7 * 24 * 60 * 60;
const DAY: i64 = 24 * 60 * 60;
/// Members that belong to kinds of alarms that are not built.
const NOT_BUILT: [&str; 5] =
    ["ThresholdMetricId", "EvaluationWindow", "WarmUpConfiguration", "EvaluationCriteria", "EvaluationInterval"];

pub(super) async fn put(alarms: &Alarms, cx: &Context, input: Input<'_>) -> Result<Value, SliceError> {
    let name = input.required("AlarmName", 255)?;
    let arn = arn_of(cx, name);
    cx.allow("cloudwatch:PutMetricAlarm", &arn)?;
    let alarm = read(name, arn, input)?;
    if alarms.get(&alarm.alarm_arn).is_none() && alarms.of(&cx.caller.account, &cx.region).len() >= MOST {
        let message = format!("The account has {MOST} alarms in this Region already.");
        return Err(SliceError::client("LimitExceededFault", message));
    }
    alarms.put(alarm).await.map_err(kept)?;
    Ok(Value::Null)
}

fn read(name: &str, arn: String, input: Input<'_>) -> Result<Alarm, SliceError> {
    if let Some(member) = NOT_BUILT.into_iter().find(|member| input.get(member).is_some()) {
        return Err(invalid(format!("The parameter {member} is not built in this version of Outcrop.")));
    }
    let operator = input.required("ComparisonOperator", 64)?;
    if !OPERATORS.contains(&operator) {
        let known = OPERATORS.join(", ");
        return Err(invalid(format!(
            "The value {operator} for parameter ComparisonOperator must be one of {known}; bands of anomaly detection are not built."
        )));
    }
    let periods = input.integer("EvaluationPeriods")?.ok_or_else(|| missing("EvaluationPeriods"))?;
    let to_alarm = input.integer("DatapointsToAlarm")?;
    if periods < 1 {
        return Err(invalid("The parameter EvaluationPeriods must be greater than or equal to 1."));
    }
    if to_alarm.is_some_and(|to_alarm| !(1..=periods).contains(&to_alarm)) {
        return Err(invalid("The parameter DatapointsToAlarm must be between 1 and EvaluationPeriods."));
    }
    let threshold = input.number("Threshold")?.ok_or_else(|| missing("Threshold"))?;
    let missing_data = input.text("TreatMissingData")?;
    if let Some(name) = missing_data.filter(|name| Treatment::of(name).is_none()) {
        return Err(invalid(format!(
            "The value {name} for parameter TreatMissingData must be one of breaching, notBreaching, ignore, missing."
        )));
    }
    let low_count = input.text("EvaluateLowSampleCountPercentile")?;
    if low_count.is_some_and(|name| !matches!(name, "evaluate" | "ignore")) {
        return Err(invalid("The parameter EvaluateLowSampleCountPercentile must be evaluate or ignore."));
    }
    let description = input.text("AlarmDescription")?;
    if description.is_some_and(|text| text.chars().count() > 1024) {
        return Err(invalid("The parameter AlarmDescription must have at most 1024 characters."));
    }
    let mut alarm = Alarm {
        alarm_name: name.to_owned(),
        alarm_arn: arn,
        alarm_description: description.map(str::to_owned),
        alarm_configuration_updated_timestamp: now() as f64,
        actions_enabled: input.flag("ActionsEnabled")?.unwrap_or(true),
        ok_actions: actions(input, "OKActions")?,
        alarm_actions: actions(input, "AlarmActions")?,
        insufficient_data_actions: actions(input, "InsufficientDataActions")?,
        evaluation_periods: periods,
        datapoints_to_alarm: to_alarm,
        threshold,
        comparison_operator: operator.to_owned(),
        treat_missing_data: missing_data.map(str::to_owned),
        evaluate_low_sample_count_percentile: low_count.map(str::to_owned),
        ..Alarm::default()
    };
    let period = if input.list("Metrics")?.is_empty() { one(input, &mut alarm)? } else { several(input, &mut alarm)? };
    let longest = if period >= 3600 { WEEK } else { DAY };
    if period.saturating_mul(periods) > longest {
        return Err(invalid(format!(
            "Metrics cannot be checked across more than {longest} seconds (EvaluationPeriods * Period)."
        )));
    }
    Ok(alarm)
}

/// An alarm on one metric.
fn one(input: Input<'_>, alarm: &mut Alarm) -> Result<i64, SliceError> {
    let (statistic, extended) = (input.text("Statistic")?, input.text("ExtendedStatistic")?);
    match (statistic, extended) {
        (Some(name), None) if Stat::plain(name).is_none() => {
            return Err(invalid(format!("The value {name} for parameter Statistic is invalid.")));
        }
        (None, Some(name)) if Stat::percentile(name).is_none() => {
            return Err(invalid(format!("The value {name} for parameter ExtendedStatistic is invalid.")));
        }
        (Some(_), None) | (None, Some(_)) => {}
        (None, None) => return Err(missing("Statistic or ExtendedStatistic")),
        (Some(_), Some(_)) => return Err(combination("Statistic and ExtendedStatistic may not be given together.")),
    }
    let period = statistics::period(input.integer("Period")?.ok_or_else(|| missing("Period"))?)?;
    alarm.metric_name = Some(input.required("MetricName", 255)?.to_owned());
    alarm.namespace = Some(input.required("Namespace", 255)?.to_owned());
    alarm.statistic = statistic.map(str::to_owned);
    alarm.extended_statistic = extended.map(str::to_owned);
    alarm.dimensions = input.dimensions()?.into_iter().map(|(name, value)| Dimension { name, value }).collect();
    alarm.period = Some(period);
    alarm.unit = input.unit()?.map(str::to_owned);
    Ok(period)
}

/// An alarm on what an expression or a query comes to.
fn several(input: Input<'_>, alarm: &mut Alarm) -> Result<i64, SliceError> {
    for member in ["MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit"] {
        if input.get(member).is_some_and(|value| value != &Value::Array(Vec::new())) {
            return Err(combination(format!("The parameters Metrics and {member} may not be given together.")));
        }
    }
    let list = input.list("Metrics")?;
    let queries = query::read(list)?;
    if queries.iter().filter(|query| query.returned).count() != 1 {
        return Err(invalid("Exactly one of the parameter Metrics must have ReturnData true."));
    }
    alarm.metrics = list.to_vec();
    Ok(queries.iter().filter_map(query::Query::period).max().unwrap_or(60))
}

/// ARNs of actions. What they do is the configuration's to say.
fn actions(input: Input<'_>, name: &str) -> Result<Vec<String>, SliceError> {
    let actions = input.texts(name)?;
    if actions.len() > 5 {
        return Err(invalid(format!("The collection {name} must not have a size greater than 5.")));
    }
    if let Some(wrong) = actions.iter().find(|arn| !arn.starts_with("arn:") || arn.chars().count() > 1024) {
        let shown: String = wrong.chars().take(64).collect();
        return Err(invalid(format!("Invalid arn syntax: {shown}")));
    }
    Ok(actions.into_iter().map(str::to_owned).collect())
}
