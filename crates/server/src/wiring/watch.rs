//! Joins metrics, alarms and the watch over spend, and lists what is spoken of other AWS services.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use outcrop_admission::quotas::burndown;
use outcrop_models::Catalogue;
use outcrop_models::catalogue::Status;
use outcrop_outbound::OutboundError;
use outcrop_resources::Resources;
use outcrop_telemetry::Slice;
use outcrop_telemetry::alarms::Alarms;
use outcrop_telemetry::alarms::actions::{Action, Actions, Notice};
use outcrop_telemetry::anomalies::spend::{Finding, Settings, Spend};
use outcrop_telemetry::audit::folder_of;
use outcrop_telemetry::cloudtrail::CloudTrail;
use outcrop_telemetry::cloudwatch::CloudWatch;
use outcrop_telemetry::metrics::Metrics;
use outcrop_telemetry::metrics::calls::{Calls, Facts, ModelFacts};
use tokio::sync::mpsc;

use super::{StartError, told};
use crate::compat::aws::Slices;
use crate::config::Config;

/// Findings that wait for their action.
const WAITING: usize = 64;

/// What watches, whatever the configuration becomes.
pub(crate) struct Watch {
    metrics: Arc<Metrics>,
    alarms: Arc<Alarms>,
    actions: Arc<Actions>,
    anomaly_action: Option<String>,
    found: Mutex<Option<mpsc::Receiver<Finding>>>,
    /// Models on their way out.
    legacy: Arc<RwLock<Vec<String>>>,
}

impl Watch {
    /// Opens the metrics in `folder` and the alarms in the store. Beside it, the consumer of calls.
    pub(crate) async fn open(
        config: &Config,
        folder: &Path,
        resources: &Resources,
    ) -> Result<(Self, Calls), StartError> {
        let settings = &config.cloudwatch;
        let metrics = Metrics::open(&folder.join("telemetry"), settings.max_series.get()).map_err(told)?;
        let metrics = Arc::new(metrics);
        let actions = Arc::new(actions(config)?);
        let alarms = Alarms::open(resources, Arc::clone(&metrics), Arc::clone(&actions)).await.map_err(told)?;
        let (tell, found) = mpsc::channel(WAITING);
        let watched = Settings { features: settings.features.clone(), max_subjects: settings.max_subjects };
        let spend = Spend::new(watched, Some(tell));
        let legacy = Arc::new(RwLock::new(Vec::new()));
        let calls = Calls::new(Arc::clone(&metrics), facts(&legacy), spend).map_err(told)?;
        let watch = Self {
            metrics,
            alarms: Arc::new(alarms),
            actions,
            anomaly_action: settings.anomaly_action.clone(),
            found: Mutex::new(Some(found)),
            legacy,
        };
        Ok((watch, calls))
    }

    /// Where numbers are kept.
    pub(crate) fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// What is spoken of CloudWatch.
    pub(crate) fn slice(&self) -> Arc<dyn Slice> {
        Arc::new(CloudWatch { metrics: Arc::clone(&self.metrics), alarms: Arc::clone(&self.alarms) })
    }

    /// Knows the models of another catalogue from now on.
    pub(crate) fn follow(&self, catalogue: &Catalogue) {
        let legacy = catalogue.iter().filter(|model| model.lifecycle.status == Status::Legacy);
        let mut legacy: Vec<String> = legacy.map(|model| model.id.clone()).collect();
        legacy.sort();
        *self.legacy.write().unwrap_or_else(PoisonError::into_inner) = legacy;
    }

    /// Judges alarms and tells findings, until it is dropped.
    pub(crate) async fn run(&self) {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).take();
        let told = async {
            let Some(mut found) = found else { return };
            while let Some(finding) = found.recv().await {
                if let Some(arn) = &self.anomaly_action {
                    let done = self.actions.run(arn, Notice::of_anomaly(&finding)).await;
                    tracing::info!(done, "unusual spend was told");
                }
            }
        };
        tokio::join!(Arc::clone(&self.alarms).run(), told);
    }
}

fn facts(legacy: &Arc<RwLock<Vec<String>>>) -> Facts {
    let legacy = Arc::clone(legacy);
    Arc::new(move |model: &str| {
        let known = legacy.read().unwrap_or_else(PoisonError::into_inner);
        let legacy = known.binary_search_by(|known| known.as_str().cmp(model)).is_ok();
        ModelFacts { legacy, burndown: burndown::rate(model) }
    })
}

/// What alarms' actions are bound to. Where only this machine may be called, others are not bound.
fn actions(config: &Config) -> Result<Actions, StartError> {
    let mut bound = HashMap::new();
    if config.alarm_actions.is_empty() {
        return Ok(Actions::default());
    }
    let outbound = config.outbound.open().map_err(told)?;
    for action in &config.alarm_actions {
        let made = match (&action.webhook, &action.command) {
            (Some(url), _) => match outbound.endpoint(url) {
                Ok(endpoint) => Action::Webhook(endpoint),
                Err(error @ OutboundError::Offline { .. }) => {
                    tracing::warn!(arn = action.arn, %error, "an alarm action is not bound");
                    continue;
                }
                Err(error) => return Err(StartError(format!("alarm_actions.webhook of {}: {error}", action.arn))),
            },
            (None, Some(command)) => Action::Command(command.clone()),
            (None, None) => continue,
        };
        bound.insert(action.arn.clone(), made);
    }
    Ok(Actions::new(bound))
}

/// What is spoken of other AWS services, each built by its owner.
pub(super) fn slices(data: &Path, watch: &Watch) -> Slices {
    Slices::new(vec![watch.slice(), Arc::new(CloudTrail::new(folder_of(data)))])
}
