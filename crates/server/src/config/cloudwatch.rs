//! Metrics' history, alarms' actions, and what of spend is watched.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::{ConfigError, impossible};

/// `[cloudwatch]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct CloudWatch {
    pub max_series: NonZeroUsize,
    pub features: Vec<String>,
    pub max_subjects: usize,
    pub anomaly_action: Option<String>,
}

impl Default for CloudWatch {
    fn default() -> Self {
        Self {
            max_series: const { NonZeroUsize::new(50_000).unwrap() },
            features: vec!["feature".into()],
            max_subjects: 2_000,
            anomaly_action: None,
        }
    }
}

/// One of `[[alarm_actions]]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct AlarmAction {
    pub arn: String,
    pub webhook: Option<String>,
    pub command: Option<Vec<String>>,
}

pub(super) fn check(actions: &[AlarmAction]) -> Result<(), ConfigError> {
    for (place, action) in actions.iter().enumerate() {
        let arn = &action.arn;
        if !arn.starts_with("arn:") {
            return Err(impossible(
                "alarm_actions.arn",
                arn,
                "an ARN, such as arn:aws:sns:us-east-1:111122223333:oncall",
            ));
        }
        if actions.iter().take(place).any(|other| other.arn == *arn) {
            return Err(impossible("alarm_actions.arn", arn, "an ARN that no other action has"));
        }
        let command = action.command.as_ref().is_some_and(|command| !command.is_empty());
        if action.webhook.is_some() == command || action.command.is_some() && !command {
            return Err(impossible("alarm_actions", arn, "bound to either a webhook or a command"));
        }
    }
    Ok(())
}
