//! `DescribeAlarms` and `DescribeAlarmHistory`.

use outcrop_access::Context;
use serde_json::{Value, json};

use super::super::input::{Input, combination, invalid};
use super::MOST_NAMES;
use crate::SliceError;
use crate::alarms::Alarms;

pub(super) fn alarms(alarms: &Alarms, cx: &Context, input: Input<'_>) -> Result<Value, SliceError> {
    cx.allow("cloudwatch:DescribeAlarms", &super::arn_of(cx, "*"))?;
    let (names, prefix) = (input.texts("AlarmNames")?, input.text("AlarmNamePrefix")?);
    if !names.is_empty() && prefix.is_some() {
        return Err(combination("AlarmNames and AlarmNamePrefix may not be given together."));
    }
    if names.len() > MOST_NAMES {
        return Err(invalid(format!("The collection AlarmNames must not have a size greater than {MOST_NAMES}.")));
    }
    let types = input.texts("AlarmTypes")?;
    let state = input.text("StateValue")?;
    let action = input.text("ActionPrefix")?;
    let related = input.get("ChildrenOfAlarmName").or_else(|| input.get("ParentsOfAlarmName"));
    // Only composite alarms have children and parents, and there are none.
    let none = related.is_some() || !types.is_empty() && !types.contains(&"MetricAlarm");
    let (after, limit) = page(input)?;
    let mut found = Vec::new();
    let mut next = None;
    for alarm in alarms.of(&cx.caller.account, &cx.region) {
        let has_action = |prefix: &str| {
            let all = [&alarm.ok_actions, &alarm.alarm_actions, &alarm.insufficient_data_actions];
            all.into_iter().flatten().any(|arn| arn.starts_with(prefix))
        };
        let fits = (names.is_empty() || names.contains(&alarm.alarm_name.as_str()))
            && prefix.is_none_or(|prefix| alarm.alarm_name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state.state_value == state)
            && action.is_none_or(has_action)
            && after.as_ref().is_none_or(|after| alarm.alarm_name > *after);
        if none || !fits {
            continue;
        }
        if found.len() == limit {
            next = found.last().map(|alarm: &Value| alarm["AlarmName"].clone());
            break;
        }
        let told = serde_json::to_value(&*alarm);
        found.push(told.map_err(|error| super::kept(crate::alarms::Error::Internal(error.to_string())))?);
    }
    let mut output = json!({ "MetricAlarms": found, "CompositeAlarms": [] });
    if let Some(next) = next {
        output["NextToken"] = next;
    }
    Ok(output)
}

pub(super) fn history(alarms: &Alarms, cx: &Context, input: Input<'_>) -> Result<Value, SliceError> {
    let name = input.text("AlarmName")?;
    cx.allow("cloudwatch:DescribeAlarmHistory", &super::arn_of(cx, name.unwrap_or("*")))?;
    let kind = input.text("HistoryItemType")?;
    let types = input.texts("AlarmTypes")?;
    let (from, to) = (input.time("StartDate")?, input.time("EndDate")?);
    let newest_first = match input.text("ScanBy")? {
        None | Some("TimestampDescending") => true,
        Some("TimestampAscending") => false,
        Some(other) => return Err(invalid(format!("The value {other} for parameter ScanBy is invalid."))),
    };
    let (after, limit) = page(input)?;
    let bad = || SliceError::client("InvalidNextToken", "The parameter NextToken is invalid.");
    let begin: usize = after.map_or(Ok(0), |token| token.parse().map_err(|_| bad()))?;
    let histories = alarms.history(&cx.caller.account, &cx.region);
    let mut items: Vec<_> = histories
        .iter()
        .flat_map(|history| &history.0)
        .filter(|item| name.is_none_or(|name| item.alarm_name == name))
        .filter(|item| kind.is_none_or(|kind| item.history_item_type == kind))
        .filter(|item| types.is_empty() || types.contains(&item.alarm_type.as_str()))
        .filter(|item| from.is_none_or(|from| item.timestamp >= from as f64))
        .filter(|item| to.is_none_or(|to| item.timestamp <= to as f64))
        .collect();
    items.sort_by(|a, b| a.timestamp.total_cmp(&b.timestamp));
    if newest_first {
        items.reverse();
    }
    let here: Vec<Value> = items.iter().skip(begin).take(limit).map(|item| json!(item)).collect();
    let next = begin + here.len();
    let mut output = json!({ "AlarmHistoryItems": here });
    if next < items.len() {
        output["NextToken"] = next.to_string().into();
    }
    Ok(output)
}

fn page(input: Input<'_>) -> Result<(Option<String>, usize), SliceError> {
    let limit = input.integer("MaxRecords")?.unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(invalid("The parameter MaxRecords must be between 1 and 100."));
    }
    Ok((input.text("NextToken")?.map(str::to_owned), limit as usize))
}
