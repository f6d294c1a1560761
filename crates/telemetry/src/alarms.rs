//! Alarms: a metric, a threshold, a state, and what is done when the state changes.
//!
//! They last with the store and are followed from it, so that every node knows all; what they are judged by is in
//! `evaluate`, which is pure. [`Alarms::run`] judges all of them every ten seconds.

pub mod actions;
mod document;
pub(crate) mod evaluate;
mod judge;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use outcrop_resources::{Mirror, Resources};
use outcrop_store::Batch;

use crate::metrics::{Metrics, now};
use actions::{Actions, Notice};
pub use document::{Alarm, Dimension, History, Item, State};

/// How often all are judged.
pub const EVERY: Duration = Duration::from_secs(10);

/// Why an alarm could not be kept or read.
pub type Error = outcrop_resources::Error;

/// All alarms.
pub struct Alarms {
    resources: Resources,
    alarms: Mirror<Alarm>,
    history: Mirror<History>,
    metrics: Arc<Metrics>,
    actions: Arc<Actions>,
}

/// Why an alarm stays as it is.
enum Unchanged {
    Gone,
    Failed(Error),
}

impl From<Error> for Unchanged {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The ARN of an alarm.
pub fn arn(account: &str, region: &str, name: &str) -> String {
    format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}")
}

impl Alarms {
    /// The alarms that the store has.
    pub async fn open(resources: &Resources, metrics: Arc<Metrics>, actions: Arc<Actions>) -> Result<Self, Error> {
        let alarms = Self {
            resources: resources.clone(),
            alarms: Mirror::new(resources, "cloudwatch-alarm"),
            history: Mirror::new(resources, "cloudwatch-alarm-history"),
            metrics,
            actions,
        };
        alarms.alarms.catch_up().await?;
        alarms.history.catch_up().await?;
        Ok(alarms)
    }

    /// The alarm of an ARN.
    pub fn get(&self, arn: &str) -> Option<Arc<Alarm>> {
        self.alarms.get(arn)
    }

    /// An account's alarms in a Region, by name.
    pub fn of(&self, account: &str, region: &str) -> Vec<Arc<Alarm>> {
        let prefix = arn(account, region, "");
        let all = self.alarms.now();
        let mut found: Vec<_> = all.values().filter(|alarm| alarm.alarm_arn.starts_with(&prefix)).cloned().collect();
        found.sort_by(|a, b| a.alarm_name.cmp(&b.alarm_name));
        found
    }

    /// The history of an account's alarms in a Region, those that are gone included.
    pub fn history(&self, account: &str, region: &str) -> Vec<Arc<History>> {
        let prefix = arn(account, region, "");
        let all = self.history.now();
        all.iter().filter(|(arn, _)| arn.starts_with(&prefix)).map(|(_, history)| Arc::clone(history)).collect()
    }

    /// Makes an alarm, or gives one a new rule; a state stays until the new rule is judged.
    pub async fn put(&self, alarm: Alarm) -> Result<(), Error> {
        let (arn, at) = (alarm.alarm_arn.clone(), now());
        let known = self.get(&arn).is_some();
        self.alarms
            .update(&arn, |stored: &mut Alarm| {
                let state = (!stored.alarm_arn.is_empty()).then(|| stored.state.clone());
                *stored = alarm.clone();
                stored.state = state.unwrap_or_else(|| State::first(at));
                Ok::<_, Error>(())
            })
            .await?;
        let summary = format!("Alarm \"{}\" {}", alarm.alarm_name, if known { "updated" } else { "created" });
        self.note(&arn, Item::of(&alarm, at, "ConfigurationUpdate", summary, serde_json::json!({ "version": "1.0" })))
            .await
    }

    /// Changes one alarm, if it is there. Whether it was.
    pub async fn change(&self, arn: &str, change: impl Fn(&mut Alarm)) -> Result<bool, Error> {
        if self.get(arn).is_none() {
            return Ok(false);
        }
        let changed = self.alarms.update(arn, |stored: &mut Alarm| {
            if stored.alarm_arn.is_empty() {
                // It was deleted meanwhile, and is not made anew by this.
                return Err(Unchanged::Gone);
            }
            change(stored);
            Ok(())
        });
        match changed.await {
            Ok(()) => Ok(true),
            Err(Unchanged::Gone) => Ok(false),
            Err(Unchanged::Failed(error)) => Err(error),
        }
    }

    /// Deletes alarms, all or none. Their history stays.
    pub async fn delete(&self, arns: &[String]) -> Result<(), Error> {
        let gone: Vec<_> = arns.iter().filter_map(|arn| self.get(arn)).collect();
        let ops: Vec<_> = arns.iter().map(|arn| self.alarms.discard(arn)).collect();
        self.resources.store().commit(Batch::new(ops)).await.map_err(Error::from)?;
        self.alarms.catch_up().await?;
        for alarm in gone {
            let summary = format!("Alarm \"{}\" deleted", alarm.alarm_name);
            let item = Item::of(&alarm, now(), "ConfigurationUpdate", summary, serde_json::json!({ "version": "1.0" }));
            self.note(&alarm.alarm_arn, item).await?;
        }
        Ok(())
    }

    async fn note(&self, arn: &str, item: Item) -> Result<(), Error> {
        self.history
            .update(arn, |history: &mut History| {
                history.add(item.clone());
                Ok(())
            })
            .await
    }

    /// Puts an alarm into a state and does what is bound to that. Whether the alarm is there.
    pub async fn set_state(&self, arn: &str, state: State) -> Result<bool, Error> {
        let Some(before) = self.get(arn) else { return Ok(false) };
        let at = now();
        let moved = before.state.state_value != state.state_value;
        let mut state = State { state_updated_timestamp: at as f64, ..state };
        state.state_transitioned_timestamp = if moved { at as f64 } else { before.state.state_transitioned_timestamp };
        if !self.change(arn, |alarm| alarm.state = state.clone()).await? {
            return Ok(false);
        }
        if !moved {
            return Ok(true);
        }
        let (old, new) = (&before.state, &state);
        let summary = format!("Alarm updated from {} to {}", old.state_value, new.state_value);
        let data = serde_json::json!({ "version": "1.0", "oldState": old.told(), "newState": new.told() });
        self.note(arn, Item::of(&before, at, "StateUpdate", summary, data)).await?;
        tracing::info!(
            arn,
            from = old.state_value,
            to = new.state_value,
            reason = new.state_reason,
            "an alarm changed"
        );
        let alarm = Alarm { state: state.clone(), ..Alarm::clone(&before) };
        let done = join_all(alarm.actions().iter().map(|action| self.act(&alarm, &old.state_value, at, action))).await;
        for item in done {
            self.note(arn, item).await?;
        }
        Ok(true)
    }

    /// Does one action of an alarm that has come from the state `old`; what the history says of it.
    async fn act(&self, alarm: &Alarm, old: &str, at: i64, action: &str) -> Item {
        let summary = if alarm.actions_enabled {
            self.actions.run(action, Notice::of_alarm(alarm, old, at)).await
        } else {
            format!("Did not execute action {action}: the actions of this alarm are disabled")
        };
        let state = if summary.starts_with("Successfully") { "Succeeded" } else { "Failed" };
        let data = serde_json::json!({
            "actionState": state, "stateUpdateTimestamp": at * 1000, "notificationResource": action,
        });
        Item::of(alarm, at, "Action", summary, data)
    }

    /// Judges every alarm every ten seconds, until it is dropped.
    pub async fn run(self: Arc<Self>) {
        let followed = async { tokio::join!(self.alarms.follow(), self.history.follow()) };
        let judged = async {
            let mut due = tokio::time::interval(EVERY);
            due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                due.tick().await;
                self.judge_all(now()).await;
            }
        };
        tokio::join!(followed, judged);
    }

    /// Judges all once, as of `now`.
    pub async fn judge_all(&self, now: i64) {
        let alarms = self.alarms.now();
        let mut changed = Vec::new();
        for alarm in alarms.values() {
            let (metrics, judged) = (Arc::clone(&self.metrics), Arc::clone(alarm));
            match tokio::task::spawn_blocking(move || judge::judge(&metrics, &judged, now)).await {
                Ok(Ok(Some(state))) if state.state_value != alarm.state.state_value => changed.push((alarm, state)),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::warn!(arn = alarm.alarm_arn, %error, "an alarm could not be judged"),
                Err(error) => tracing::error!(arn = alarm.alarm_arn, %error, "judging an alarm ended"),
            }
        }
        // Together, so that the slow action of one does not keep the others waiting.
        let set = changed.into_iter().map(async |(alarm, state)| {
            if let Err(error) = self.set_state(&alarm.alarm_arn, state).await {
                tracing::error!(arn = alarm.alarm_arn, %error, "an alarm's state could not be kept");
            }
        });
        join_all(set).await;
    }
}
