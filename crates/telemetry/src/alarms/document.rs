//! What is kept of an alarm, in the words of the model, so that it is told as it is kept.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Items that are kept of one alarm's history.
const KEPT: usize = 100;
/// The longest data of an item.
const MAX_DATA: usize = 4095;

/// An alarm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are CloudWatch's own, and documented there")]
pub struct Alarm {
    pub alarm_name: String,
    pub alarm_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_description: Option<String>,
    pub alarm_configuration_updated_timestamp: f64,
    pub actions_enabled: bool,
    #[serde(rename = "OKActions")]
    pub ok_actions: Vec<String>,
    pub alarm_actions: Vec<String>,
    pub insufficient_data_actions: Vec<String>,
    #[serde(flatten)]
    pub state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_statistic: Option<String>,
    pub dimensions: Vec<Dimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    pub evaluation_periods: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<i64>,
    pub threshold: f64,
    pub comparison_operator: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluate_low_sample_count_percentile: Option<String>,
    /// Queries, as they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Value>,
}

/// A dimension as the model writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are CloudWatch's own, and documented there")]
pub struct Dimension {
    pub name: String,
    pub value: String,
}

/// In which state an alarm is, since when and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are CloudWatch's own, and documented there")]
pub struct State {
    pub state_value: String,
    pub state_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason_data: Option<String>,
    pub state_updated_timestamp: f64,
    pub state_transitioned_timestamp: f64,
}

impl State {
    /// Of an alarm that nobody has judged.
    pub fn first(at: i64) -> Self {
        let at = at as f64;
        Self {
            state_value: "INSUFFICIENT_DATA".into(),
            state_reason: "Unchecked: Initial alarm creation".into(),
            state_reason_data: None,
            state_updated_timestamp: at,
            state_transitioned_timestamp: at,
        }
    }

    /// As histories tell it.
    pub fn told(&self) -> Value {
        let data = self.state_reason_data.as_ref().and_then(|data| serde_json::from_str::<Value>(data).ok());
        json!({ "stateValue": self.state_value, "stateReason": self.state_reason, "stateReasonData": data })
    }
}

impl Alarm {
    /// What is to be done in the state that it is in.
    pub fn actions(&self) -> &[String] {
        match self.state.state_value.as_str() {
            "ALARM" => &self.alarm_actions,
            "OK" => &self.ok_actions,
            _ => &self.insufficient_data_actions,
        }
    }

    /// The account and Region in its ARN.
    pub fn owner(&self) -> (&str, &str) {
        let mut parts = self.alarm_arn.split(':').skip(3);
        let region = parts.next().unwrap_or_default();
        (parts.next().unwrap_or_default(), region)
    }
}

/// What happened to one alarm, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History(pub Vec<Item>);

impl History {
    /// One more; the oldest gives way.
    pub fn add(&mut self, item: Item) {
        self.0.push(item);
        let over = self.0.len().saturating_sub(KEPT);
        self.0.drain(..over);
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are CloudWatch's own, and documented there")]
pub struct Item {
    pub alarm_name: String,
    pub alarm_type: String,
    pub timestamp: f64,
    pub history_item_type: String,
    pub history_summary: String,
    pub history_data: String,
}

impl Item {
    /// Of something that happened to `alarm`.
    pub fn of(alarm: &Alarm, at: i64, kind: &str, summary: String, data: Value) -> Self {
        let data = data.to_string();
        Self {
            alarm_name: alarm.alarm_name.clone(),
            alarm_type: "MetricAlarm".into(),
            timestamp: at as f64,
            history_item_type: kind.into(),
            history_summary: summary.chars().take(255).collect(),
            // A part of JSON is none: what is too long is left out.
            history_data: if data.len() > MAX_DATA { r#"{"version":"1.0"}"#.into() } else { data },
        }
    }
}
