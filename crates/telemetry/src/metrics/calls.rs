//! The metrics that Bedrock reports of every call, and what of it is charged.

use std::collections::HashMap;
use std::sync::Arc;

use super::charges::Charges;
use super::series::Id;
use super::{Metric, Metrics, MetricsError, Owner, Point, now};
use crate::anomalies::spend::Spend;
use crate::entry::Kind;
use crate::{Consumer, Entry, Outcome};

/// What the catalogue knows of a model that metrics tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelFacts {
    /// Its provider has announced its end.
    pub legacy: bool,
    /// How many tokens of the quota one token of output takes.
    pub burndown: u64,
}

/// Knows models by the catalogue's id.
pub type Facts = Arc<dyn Fn(&str) -> ModelFacts + Send + Sync>;

/// Names and units, as the user guide of Bedrock has them.
const METRICS: [(&str, &str); 13] = [
    ("Invocations", "Count"),
    ("InvocationLatency", "Milliseconds"),
    ("InvocationClientErrors", "Count"),
    ("InvocationServerErrors", "Count"),
    ("InvocationThrottles", "Count"),
    ("InputTokenCount", "Count"),
    ("OutputTokenCount", "Count"),
    ("CacheReadInputTokens", "Count"),
    ("CacheWriteInputTokens", "Count"),
    ("OutputImageCount", "Count"),
    ("TimeToFirstToken", "Milliseconds"),
    ("EstimatedTPMQuotaUsage", "Count"),
    ("LegacyModelInvocations", "Count"),
];

/// More kinds of calls than this are looked up anew: what is remembered here only spares time.
const REMEMBERED: usize = 10_000;
/// How often what is old is looked for, in seconds.
const THIN_OUT: i64 = 3600;

/// Calls that are counted under the same dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Group {
    owner: Owner,
    model: String,
    tiers: Option<(String, String)>,
}

/// Turns entries into metrics, on the hub's thread.
pub struct Calls {
    metrics: Arc<Metrics>,
    facts: Facts,
    /// For each group and metric the series of its sets of dimensions.
    known: HashMap<Group, [Vec<Id>; METRICS.len()]>,
    charges: Charges,
    spend: Spend,
    thinned: i64,
    thinning: Option<u32>,
}

impl Calls {
    /// Into `metrics`. What has been charged this month is read from there.
    pub fn new(metrics: Arc<Metrics>, facts: Facts, spend: Spend) -> Result<Self, MetricsError> {
        let charges = Charges::open(&metrics, now())?;
        Ok(Self { metrics, facts, known: HashMap::new(), charges, spend, thinned: 0, thinning: None })
    }
}

/// The sets of dimensions: none, the model, and, where a tier was asked for or given, the model with either and both.
fn sets<'a>(model: &'a str, tiers: Option<(&'a str, &'a str)>) -> Vec<Vec<(&'a str, &'a str)>> {
    let model = ("ModelId", model);
    let mut sets = vec![vec![], vec![model]];
    if let Some((asked, got)) = tiers {
        let (asked, got) = (("ServiceTier", asked), ("ResolvedServiceTier", got));
        sets.extend([vec![model, asked], vec![model, got], vec![model, asked, got]]);
    }
    sets
}

/// What one call counts for: the place of a metric in [`METRICS`], and the value.
fn values(entry: &Entry, facts: ModelFacts) -> Vec<(usize, f64)> {
    if entry.kind == Kind::Guardrail {
        return Vec::new(); // It has metrics of its own.
    }
    let tokens = &entry.tokens;
    let mut values = Vec::with_capacity(METRICS.len());
    match entry.outcome {
        Outcome::Answered => {
            values.extend([(0, 1.0), (1, entry.total_ms)]);
            values.extend(facts.legacy.then_some((12, 1.0)));
        }
        Outcome::ClientError => values.push((2, 1.0)),
        Outcome::ServerError => values.push((3, 1.0)),
        Outcome::Throttled => values.push((4, 1.0)),
        // What was made until then is counted below; Bedrock has no metric of its own for it.
        Outcome::Gone => {}
    }
    let quota = tokens.input + tokens.cache_write + tokens.output.saturating_mul(facts.burndown);
    let counts = [(5, tokens.input), (6, tokens.output), (7, tokens.cache_read), (8, tokens.cache_write)];
    let counts = counts.into_iter().chain([(9, entry.images), (11, quota)]);
    values.extend(counts.filter(|(_, count)| *count > 0).map(|(metric, count)| (metric, count as f64)));
    if entry.streamed
        && let Some(first) = entry.first_event_ms
    {
        values.push((10, first));
    }
    values
}

impl Consumer for Calls {
    fn take(&mut self, entries: &[Entry]) {
        let mut points = Vec::with_capacity(entries.len() * 16);
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        for entry in entries {
            let named = entry.tier.is_some() || entry.resolved_tier.is_some();
            let tier = |tier: &Option<String>| tier.clone().unwrap_or_else(|| "default".into());
            let tiers = named.then(|| (tier(&entry.tier), tier(&entry.resolved_tier)));
            let owner = Owner::new(&entry.account, &entry.region);
            let group = Group { owner: owner.clone(), model: entry.model.clone(), tiers: tiers.clone() };
            let known = self.known.entry(group).or_default();
            for (metric, value) in values(entry, (self.facts)(&entry.model_id)) {
                if known[metric].is_empty() {
                    let (name, unit) = METRICS[metric];
                    for dimensions in sets(&entry.model, tiers.as_ref().map(|(asked, got)| (&**asked, &**got))) {
                        let metric_of = Metric::new("AWS/Bedrock", name, &dimensions);
                        // A refusal was counted and logged where it was made.
                        known[metric].extend(self.metrics.series(&owner, &metric_of, unit));
                    }
                }
                let at = entry.at.as_second();
                points.extend(known[metric].iter().map(|id| (*id, at, Point::of(value))));
            }
            self.charges.take(entry, &self.metrics);
            self.spend.take(entry, &self.metrics);
        }
        self.metrics.add(points);
    }

    fn tick(&mut self) {
        let now = now();
        self.spend.tick(&self.metrics, now);
        let charges = self.charges.tick(&self.metrics, now);
        if let Err(error) = self.metrics.flush(&charges) {
            self.charges.again();
            tracing::error!(%error, "metrics could not be written; they are kept in memory until they can");
        }
        // A clock that jumps back does not stop it for long: the distance counts, not the order.
        if self.thinning.is_none() && (now - self.thinned).abs() >= THIN_OUT {
            (self.thinned, self.thinning) = (now, Some(1));
        }
        if let Some(from) = self.thinning {
            self.thinning = self.metrics.thin_out(from, now).unwrap_or_else(|error| {
                tracing::error!(%error, "old metrics could not be thinned out");
                None
            });
        }
    }
}
