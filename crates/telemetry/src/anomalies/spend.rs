//! Spend by key and by feature, watched hour by hour.
//!
//! A feature is the value of one of the configured names among a call's tags and request metadata. Dollars go into the
//! metric `Outcrop/Spend` Dollars, from which the hours before a restart are read again, and scores into AnomalyScore.

use std::collections::{BTreeMap, HashMap, VecDeque};

use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use tokio::sync::mpsc;

use super::{ANOMALY, REMEMBERED, score};
use crate::Entry;
use crate::metrics::charges::GLOBAL;
use crate::metrics::{Metric, Metrics, Owner, Point};

/// The namespace of both metrics.
pub const NAMESPACE: &str = "Outcrop/Spend";
const HOUR: i64 = 3600;
/// Subjects whose past is read from the file at one tick.
const READ_AT_ONCE: usize = 4;
/// How often a subject's score is told, in seconds.
const TOLD: i64 = 60;

/// What is watched.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names of tags and of request metadata whose values are features.
    pub features: Vec<String>,
    /// The most keys and features; others are counted, and not watched.
    pub max_subjects: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { features: vec!["feature".into()], max_subjects: 2_000 }
    }
}

/// An hour that is unlike those before.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// When it was found, in seconds since 1970.
    pub at: i64,
    /// Whose.
    pub account: String,
    /// `Key`, or the name of the feature.
    pub by: String,
    /// Which.
    pub value: String,
    /// What the hour has cost until then.
    pub dollars: f64,
    /// How unusual that is.
    pub score: f64,
}

/// An account's key or feature: account, name, value.
type Subject = (String, String, String);

/// Dollars by hour, without holes.
#[derive(Debug, Default)]
struct Hours {
    first: i64,
    dollars: VecDeque<f32>,
}

impl Hours {
    fn of(hours: &BTreeMap<i64, f64>) -> Self {
        let mut made = Self::default();
        for (at, dollars) in hours {
            made.add(at.div_euclid(HOUR), *dollars);
        }
        made
    }

    fn add(&mut self, hour: i64, dollars: f64) {
        if self.dollars.is_empty() {
            self.first = hour;
        }
        // An hour from before the first, after a jump of the clock, counts for none.
        let Ok(place) = usize::try_from(hour - self.first) else { return };
        if place > self.dollars.len() + REMEMBERED {
            *self = Self { first: hour, dollars: VecDeque::new() };
            return self.add(hour, dollars);
        }
        while self.dollars.len() <= place {
            self.dollars.push_back(0.0);
        }
        self.dollars[place] += dollars as f32;
        while self.dollars.len() > REMEMBERED + 1 {
            self.dollars.pop_front();
            self.first += 1;
        }
    }

    /// The dollars of an hour, and those of the hours before.
    fn split(&self, hour: i64) -> Option<(f64, Vec<f32>)> {
        let place = usize::try_from(hour - self.first).ok()?;
        let now = *self.dollars.get(place)?;
        Some((f64::from(now), self.dollars.iter().take(place).copied().collect()))
    }
}

#[derive(Debug, Default)]
struct Watched {
    /// None until its past was read.
    hours: Option<Hours>,
    /// There was spend since the last score.
    spent: bool,
    told: i64,
    /// The last hour that was found to be an anomaly: one finding an hour is enough.
    found: i64,
}

/// The watch, on the hub's thread.
#[derive(Debug)]
pub struct Spend {
    settings: Settings,
    watched: HashMap<Subject, Watched>,
    unwatched: u64,
    tell: Option<mpsc::Sender<Finding>>,
}

impl Spend {
    /// A watch; `tell` is told every finding, unless it is full.
    pub fn new(settings: Settings, tell: Option<mpsc::Sender<Finding>>) -> Self {
        Self { settings, watched: HashMap::new(), unwatched: 0, tell }
    }

    fn subjects(&self, entry: &Entry) -> Vec<Subject> {
        let subject = |name: &str, value: &str| (entry.account.clone(), name.to_owned(), value.to_owned());
        let mut subjects: Vec<Subject> = entry.key.iter().map(|key| subject("Key", key)).collect();
        for name in &self.settings.features {
            // What the call says of itself is nearer than what its profile says.
            let value = entry.metadata.get(name).or_else(|| entry.tags.get(name));
            subjects.extend(value.map(|value| subject(name, value)));
        }
        subjects
    }

    /// Counts a call's dollars.
    pub fn take(&mut self, entry: &Entry, metrics: &Metrics) {
        let Some(dollars) = entry.dollars().and_then(|cost| cost.to_f64()).filter(|dollars| *dollars > 0.0) else {
            return;
        };
        let at = entry.at.as_second();
        for subject in self.subjects(entry) {
            if !self.watched.contains_key(&subject) && self.watched.len() >= self.settings.max_subjects {
                self.unwatched += 1;
                if self.unwatched.is_power_of_two() {
                    tracing::warn!(
                        calls = self.unwatched,
                        "keys or features beyond `anomalies.max_subjects` are not watched"
                    );
                }
                continue;
            }
            let (owner, metric) = named(&subject, "Dollars");
            if let Ok(id) = metrics.series(&owner, &metric, "None") {
                metrics.add([(id, at, Point::of(dollars))]);
            }
            let watched = self.watched.entry(subject).or_default();
            watched.spent = true;
            // Until its past is read everything is in the metric, from which it is read.
            if let Some(hours) = &mut watched.hours {
                hours.add(at.div_euclid(HOUR), dollars);
            }
        }
    }

    /// Scores what was spent on.
    pub fn tick(&mut self, metrics: &Metrics, now: i64) {
        let (hour, mut reads) = (now.div_euclid(HOUR), 0);
        for (subject, watched) in &mut self.watched {
            if !watched.spent || (now - watched.told).abs() < TOLD {
                continue;
            }
            if watched.hours.is_none() {
                if reads == READ_AT_ONCE {
                    continue;
                }
                reads += 1;
                let (owner, metric) = named(subject, "Dollars");
                let past = metrics.hourly(&owner, &metric, now - REMEMBERED as i64 * HOUR, now + HOUR);
                match past {
                    Ok(past) => watched.hours = Some(Hours::of(&past)),
                    Err(error) => tracing::error!(%error, "the spend of past hours could not be read"),
                }
            }
            (watched.spent, watched.told) = (false, now);
            let Some((dollars, before)) = watched.hours.as_ref().and_then(|hours| hours.split(hour)) else { continue };
            let Some(score) = score(&before, dollars) else { continue };
            let (owner, metric) = named(subject, "AnomalyScore");
            // A refusal was counted and logged where it was made.
            let _ = metrics.put(&owner, &metric, "None", now, score);
            if score >= ANOMALY && watched.found != hour {
                watched.found = hour;
                let (account, by, value) = subject.clone();
                let finding = Finding { at: now, account, by, value, dollars, score };
                tracing::warn!(
                    account = finding.account,
                    by = finding.by,
                    value = finding.value,
                    dollars,
                    score,
                    "spend of this hour is unlike the same hours before"
                );
                if let Some(tell) = &self.tell {
                    let _ = tell.try_send(finding);
                }
            }
        }
    }
}

fn named((account, name, value): &Subject, metric: &str) -> (Owner, Metric) {
    (Owner::new(account, GLOBAL), Metric::new(NAMESPACE, metric, &[(name, value)]))
}
