//! What an alarm does: ARNs that the configuration binds to a webhook or a command. Callers name ARNs, and never an
//! address or a program; one that is not bound is noted in the alarm's history, and nothing else happens.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use outcrop_outbound::Endpoint;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::Alarm;
use crate::anomalies::spend::Finding;

/// How long a webhook or a command may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What an ARN is bound to.
#[derive(Clone)]
pub enum Action {
    /// The notice is posted there.
    Webhook(Endpoint),
    /// The program and its arguments; the notice comes by standard input.
    Command(Vec<String>),
}

/// All that are bound.
#[derive(Default)]
pub struct Actions(HashMap<String, Action>);

/// What an action is told: the JSON that CloudWatch publishes to a topic of SNS.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    subject: String,
    message: Value,
}

impl Notice {
    /// Of an alarm that has come from the state `old` to the one that it is in.
    pub fn of_alarm(alarm: &Alarm, old: &str, at: i64) -> Self {
        let (account, region) = alarm.owner();
        let (state, name) = (&alarm.state.state_value, &alarm.alarm_name);
        let dimension = |one: &super::Dimension| json!({ "value": one.value, "name": one.name });
        let extended = alarm.extended_statistic.is_some();
        let trigger = json!({
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "StatisticType": if extended { "ExtendedStatistic" } else { "Statistic" },
            "Statistic": alarm.statistic.as_deref().map(str::to_uppercase),
            "ExtendedStatistic": alarm.extended_statistic,
            "Unit": alarm.unit,
            "Dimensions": alarm.dimensions.iter().map(dimension).collect::<Vec<_>>(),
            "Metrics": (!alarm.metrics.is_empty()).then_some(&alarm.metrics),
            "Period": alarm.period,
            "EvaluationPeriods": alarm.evaluation_periods,
            "DatapointsToAlarm": alarm.datapoints_to_alarm,
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": alarm.threshold,
            "TreatMissingData": alarm.treat_missing_data.as_deref().unwrap_or("missing"),
            "EvaluateLowSampleCountPercentile": alarm.evaluate_low_sample_count_percentile.as_deref().unwrap_or(""),
        });
        let message = json!({
            "AlarmName": name,
            "AlarmDescription": alarm.alarm_description,
            "AWSAccountId": account,
            "AlarmConfigurationUpdatedTimestamp": iso(alarm.alarm_configuration_updated_timestamp as i64),
            "NewStateValue": state,
            "NewStateReason": alarm.state.state_reason,
            "StateChangeTime": iso(at),
            "Region": region,
            "AlarmArn": alarm.alarm_arn,
            "OldStateValue": old,
            "OKActions": alarm.ok_actions,
            "AlarmActions": alarm.alarm_actions,
            "InsufficientDataActions": alarm.insufficient_data_actions,
            "Trigger": trigger,
        });
        Self { subject: format!("{state}: \"{name}\" in {region}"), message }
    }

    /// Of spend that is unlike what was before.
    pub fn of_anomaly(finding: &Finding) -> Self {
        let subject = format!("ANOMALY: spend of {} {}", finding.by, finding.value);
        Self { subject, message: json!({ "SpendAnomaly": finding, "DetectedTime": iso(finding.at) }) }
    }

    /// The notification, as SNS posts it to an HTTP endpoint: the message is a string of JSON inside.
    fn body(&self, arn: &str) -> Value {
        json!({
            "Type": "Notification",
            "TopicArn": arn,
            "Subject": self.subject,
            "Message": self.message.to_string(),
            "Timestamp": iso(Timestamp::now().as_second()),
        })
    }
}

impl Actions {
    /// These.
    pub fn new(bound: HashMap<String, Action>) -> Self {
        Self(bound)
    }

    /// Does what an ARN is bound to; the answer is a line for the history.
    pub async fn run(&self, arn: &str, notice: Notice) -> String {
        let Some(action) = self.0.get(arn) else {
            return format!("Did not execute action {arn}: it is not bound by this server's configuration");
        };
        let body = notice.body(arn).to_string();
        let done = match action {
            Action::Webhook(endpoint) => tokio::time::timeout(PATIENCE, post(endpoint, arn, body)).await,
            Action::Command(command) => tokio::time::timeout(PATIENCE, start(command, body)).await,
        };
        match done.unwrap_or_else(|_| Err("it took too long".into())) {
            Ok(()) => format!("Successfully executed action {arn}"),
            Err(why) => {
                tracing::warn!(arn, why, "an alarm's action failed");
                format!("Failed to execute action {arn}. Received error: \"{why}\"")
            }
        }
    }
}

async fn post(endpoint: &Endpoint, arn: &str, body: String) -> Result<(), String> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(endpoint.uri(""))
        .header(header::CONTENT_TYPE, "text/plain; charset=UTF-8")
        .header("x-amz-sns-message-type", "Notification")
        .header("x-amz-sns-topic-arn", arn)
        .body(Bytes::from(body))
        .map_err(|error| error.to_string())?;
    let answer = endpoint.send(request).await.map_err(|error| error.to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status().as_u16())) }
}

async fn start(command: &[String], body: String) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("the command is empty")?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("it did not start: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read its input is none that failed.
        let _ = stdin.write_all(body.as_bytes()).await;
    }
    let status = child.wait().await.map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("it ended with {status}")) }
}

fn iso(at: i64) -> String {
    let at = Timestamp::from_second(at).unwrap_or_default().to_zoned(TimeZone::UTC);
    at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}
