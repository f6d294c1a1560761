//! Routes and targets as an operator sees them: `outcrop routes`.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::breaker::Standing;
use super::histogram::Histogram;
use super::name::OwnName;
use super::routes::{Route, Routes};
use super::target::Target;
use super::variant::NANO;

/// A model's route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteReport {
    /// The model's id.
    pub model: String,
    /// Its targets.
    pub targets: Vec<TargetReport>,
}

/// A target. Neither its address nor its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetReport {
    /// Its name.
    pub name: String,
    /// The provider's.
    pub provider: String,
    /// The provider's name of the model.
    pub model: String,
    /// Where the provider is, where that is known.
    pub region: Option<String>,
    /// Its priority.
    pub priority: u32,
    /// Its weight.
    pub weight: f64,
    /// `ok`, `resting`, `probing` or `left alone for 12 s`.
    pub health: String,
    /// Attempts under way.
    pub in_flight: u64,
    /// Attempts of all routes to this provider's model, and how many of them failed.
    pub attempts: u64,
    /// Those that failed.
    pub failures: u64,
    /// Half of the attempts began to answer within so many milliseconds ...
    pub begin_p50_ms: Option<u64>,
    /// ... and all but one of twenty within so many.
    pub begin_p95_ms: Option<u64>,
    /// Calls of this route that it got in the end.
    pub calls: u64,
    /// Those that it answered.
    pub answered: u64,
    /// Those that it did not.
    pub failed: u64,
    /// Tokens that it read.
    pub input_tokens: u64,
    /// Tokens that it wrote.
    pub output_tokens: u64,
    /// What they cost in US dollars, as far as there are prices.
    pub cost: f64,
    /// Second attempts at it before the first had failed.
    pub hedges: u64,
    /// Half of its answers were whole within so many milliseconds ...
    pub total_p50_ms: Option<u64>,
    /// ... and all but one of twenty within so many.
    pub total_p95_ms: Option<u64>,
}

impl Routes {
    /// Every route that somebody configured or called, by model.
    pub fn report(&self) -> Vec<RouteReport> {
        let worth = |route: &&std::sync::Arc<Route>| {
            route.targets.iter().any(|t| !t.local() || t.variant.calls.load(Relaxed) > 0)
        };
        let mut reports: Vec<RouteReport> = self.iter().filter(worth).map(|route| report(route)).collect();
        reports.sort_by(|a, b| a.model.cmp(&b.model));
        reports
    }
}

fn report(route: &Route) -> RouteReport {
    RouteReport { model: route.model.clone(), targets: route.targets.iter().map(|t| target(route, t)).collect() }
}

fn target(route: &Route, target: &Target) -> TargetReport {
    let (state, variant) = (&target.state, &target.variant);
    let ms = |histogram: &Histogram, share| histogram.quantile(share).map(|d: Duration| d.as_millis() as u64);
    TargetReport {
        name: target.name.to_string(),
        provider: target.source.name.to_string(),
        model: match &target.own {
            OwnName::Fixed(name) => name.to_string(),
            OwnName::AsCalled => route.model.clone(),
        },
        region: target.source.region.clone(),
        priority: target.priority,
        weight: target.weight,
        health: match state.breaker.standing() {
            Standing::Closed if state.rests() => "resting".to_owned(),
            Standing::Closed => "ok".to_owned(),
            Standing::Open(left) if left.is_zero() => "probing".to_owned(),
            Standing::Open(left) => format!("left alone for {} s", left.as_secs_f64().ceil()),
            Standing::HalfOpen => "to be probed".to_owned(),
        },
        in_flight: state.in_flight.load(Relaxed),
        attempts: state.attempts.load(Relaxed),
        failures: state.failures.load(Relaxed),
        begin_p50_ms: ms(&state.first_event, 0.5),
        begin_p95_ms: ms(&state.first_event, 0.95),
        calls: variant.calls.load(Relaxed),
        answered: variant.answered.load(Relaxed),
        failed: variant.failed.load(Relaxed),
        input_tokens: variant.input.load(Relaxed),
        output_tokens: variant.output.load(Relaxed),
        cost: variant.cost.load(Relaxed) as f64 / NANO as f64,
        hedges: variant.hedges.load(Relaxed),
        total_p50_ms: ms(&variant.total, 0.5),
        total_p95_ms: ms(&variant.total, 0.95),
    }
}
