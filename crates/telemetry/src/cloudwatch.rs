//! The part of CloudWatch that is spoken here: metrics read and put, and alarms on them.
//!
//! One file an operation, or one for those of a kind; [`CloudWatch`] is the table of them.

pub(crate) mod alarms;
mod data;
pub(crate) mod expression;
pub(crate) mod input;
mod list;
mod put;
pub(crate) mod query;
pub mod stat;
mod statistics;
#[cfg(test)]
mod tests;
pub mod units;

use std::sync::Arc;

use async_trait::async_trait;
use outcrop_access::Context;
use serde_json::Value;

use crate::alarms::Alarms;
use crate::metrics::charges::GLOBAL;
use crate::metrics::{Metrics, MetricsError, Owner};
use crate::{Slice, SliceError};

/// The slice.
pub struct CloudWatch {
    /// What is read and put.
    pub metrics: Arc<Metrics>,
    /// What is watched.
    pub alarms: Arc<Alarms>,
}

/// Whose a metric of a namespace is: what an account has once is there in every Region.
pub(crate) fn owner(account: &str, region: &str, namespace: &str) -> Owner {
    let global = matches!(namespace, "AWS/Billing" | crate::anomalies::spend::NAMESPACE);
    Owner::new(account, if global { GLOBAL } else { region })
}

fn owner_of(cx: &Context, namespace: &str) -> Owner {
    owner(&cx.caller.account, &cx.region, namespace)
}

/// What the caller reads where metrics fail.
fn failed(error: MetricsError) -> SliceError {
    match error {
        MetricsError::Full(_) => SliceError::client("LimitExceededFault", error.to_string()),
        _ => {
            tracing::error!(%error, "metrics could not be read");
            let message = "The metrics could not be read.".to_owned();
            SliceError { code: "InternalServiceFault", message, status: 500 }
        }
    }
}

/// Reading the file takes a while, and would hold up others on the same thread.
async fn aside(
    metrics: &Arc<Metrics>,
    cx: &Context,
    input: Value,
    run: fn(&Metrics, &Context, &Value) -> Result<Value, SliceError>,
) -> Result<Value, SliceError> {
    let (metrics, cx) = (Arc::clone(metrics), cx.clone());
    let done = tokio::task::spawn_blocking(move || run(&metrics, &cx, &input)).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "reading metrics ended");
        Err(SliceError { code: "InternalServiceFault", message: "The metrics could not be read.".into(), status: 500 })
    })
}

#[async_trait]
impl Slice for CloudWatch {
    fn signing_name(&self) -> &'static str {
        "monitoring"
    }

    fn target_prefix(&self) -> &'static str {
        "GraniteServiceVersion20100801"
    }

    async fn call(&self, cx: &Context, operation: &str, input: Value) -> Result<Value, SliceError> {
        let on_no_one = || cx.allow(&format!("cloudwatch:{operation}"), "*");
        match operation {
            "GetMetricStatistics" => {
                on_no_one()?;
                aside(&self.metrics, cx, input, statistics::get).await
            }
            "GetMetricData" => {
                on_no_one()?;
                aside(&self.metrics, cx, input, data::get).await
            }
            "ListMetrics" => {
                on_no_one()?;
                aside(&self.metrics, cx, input, list::list).await
            }
            "PutMetricData" => {
                // Its only condition key: a policy may let somebody write to one namespace.
                let namespace = input["Namespace"].as_str();
                cx.ask("cloudwatch:PutMetricData").maybe("cloudwatch:namespace", namespace).check()?;
                aside(&self.metrics, cx, input, put::put).await
            }
            _ => alarms::call(&self.alarms, cx, operation, &input).await,
        }
    }

    fn operations(&self) -> &'static [&'static str] {
        &[
            "DeleteAlarms",
            "DescribeAlarmHistory",
            "DescribeAlarms",
            "DisableAlarmActions",
            "EnableAlarmActions",
            "GetMetricData",
            "GetMetricStatistics",
            "ListMetrics",
            "PutMetricAlarm",
            "PutMetricData",
            "SetAlarmState",
        ]
    }

    fn timestamps(&self) -> &'static [&'static str] {
        &[
            "AlarmConfigurationUpdatedTimestamp",
            "EndDate",
            "EndTime",
            "StartDate",
            "StartTime",
            "StateTransitionedTimestamp",
            "StateUpdatedTimestamp",
            "Timestamp",
            "Timestamps",
        ]
    }
}
