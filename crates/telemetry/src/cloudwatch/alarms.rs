//! The operations on alarms.

mod put;
mod show;

use outcrop_access::Context;
use serde_json::Value;

use super::input::{Input, bounded, invalid, missing};
use crate::SliceError;
use crate::alarms::{Alarms, Error, State, arn};

/// The most alarms that one call deletes or names.
const MOST_NAMES: usize = 100;

pub(super) async fn call(alarms: &Alarms, cx: &Context, operation: &str, input: &Value) -> Result<Value, SliceError> {
    let input = Input::of(input, "input")?;
    match operation {
        "PutMetricAlarm" => put::put(alarms, cx, input).await,
        "DescribeAlarms" => show::alarms(alarms, cx, input),
        "DescribeAlarmHistory" => show::history(alarms, cx, input),
        "DeleteAlarms" => delete(alarms, cx, input).await,
        "SetAlarmState" => set_state(alarms, cx, input).await,
        "EnableAlarmActions" | "DisableAlarmActions" => actions(alarms, cx, operation, input).await,
        other => Err(SliceError::client("UnknownOperationException", format!("There is no operation {other}."))),
    }
}

fn kept(error: Error) -> SliceError {
    tracing::error!(%error, "alarms could not be kept");
    SliceError { code: "InternalServiceFault", message: "The alarm could not be kept.".into(), status: 500 }
}

fn arn_of(cx: &Context, name: &str) -> String {
    arn(&cx.caller.account, &cx.region, name)
}

/// ARNs of the alarms named, each of which the caller may do this to.
fn named(cx: &Context, operation: &str, input: Input<'_>) -> Result<Vec<String>, SliceError> {
    let names = input.texts("AlarmNames")?;
    if names.is_empty() {
        return Err(missing("AlarmNames"));
    }
    if names.len() > MOST_NAMES {
        return Err(invalid(format!("The collection AlarmNames must not have a size greater than {MOST_NAMES}.")));
    }
    let mut arns: Vec<String> = Vec::new();
    for name in names {
        bounded("AlarmNames", name, 255)?;
        let arn = arn_of(cx, name);
        cx.allow(&format!("cloudwatch:{operation}"), &arn)?;
        arns.push(arn);
    }
    arns.sort();
    arns.dedup();
    Ok(arns)
}

async fn delete(alarms: &Alarms, cx: &Context, input: Input<'_>) -> Result<Value, SliceError> {
    let arns = named(cx, "DeleteAlarms", input)?;
    if let Some(unknown) = arns.iter().find(|arn| alarms.get(arn).is_none()) {
        let name = unknown.split(':').skip(6).collect::<Vec<_>>().join(":");
        let message = format!("Some alarms do not exist: {name}. No alarm was deleted.");
        return Err(SliceError { code: "ResourceNotFound", message, status: 404 });
    }
    alarms.delete(&arns).await.map_err(kept)?;
    Ok(Value::Null)
}

async fn set_state(alarms: &Alarms, cx: &Context, input: Input<'_>) -> Result<Value, SliceError> {
    let arn = arn_of(cx, input.required("AlarmName", 255)?);
    cx.allow("cloudwatch:SetAlarmState", &arn)?;
    let value = input.required("StateValue", 64)?;
    if !matches!(value, "OK" | "ALARM" | "INSUFFICIENT_DATA") {
        return Err(invalid(format!("The value {value} for parameter StateValue is invalid.")));
    }
    let reason = input.text("StateReason")?.ok_or_else(|| missing("StateReason"))?;
    if reason.chars().count() > 1023 {
        return Err(invalid("The parameter StateReason must have at most 1023 characters."));
    }
    let data = input.text("StateReasonData")?;
    if data.is_some_and(|data| data.len() > 4000 || serde_json::from_str::<Value>(data).is_err()) {
        let message = "The parameter StateReasonData must be JSON of at most 4000 characters.";
        return Err(SliceError::client("InvalidFormatFault", message));
    }
    let state = State {
        state_value: value.to_owned(),
        state_reason: reason.to_owned(),
        state_reason_data: data.map(str::to_owned),
        ..State::default()
    };
    if alarms.set_state(&arn, state).await.map_err(kept)? {
        return Ok(Value::Null);
    }
    let message = "The named alarm does not exist.".to_owned();
    Err(SliceError { code: "ResourceNotFound", message, status: 404 })
}

async fn actions(alarms: &Alarms, cx: &Context, operation: &str, input: Input<'_>) -> Result<Value, SliceError> {
    let enabled = operation == "EnableAlarmActions";
    for arn in named(cx, operation, input)? {
        // An alarm that is not there is passed over, as AWS does.
        alarms.change(&arn, |alarm| alarm.actions_enabled = enabled).await.map_err(kept)?;
    }
    Ok(Value::Null)
}
