//! Who answers for a model, where the providers' own words do not decide it.

use std::num::NonZeroU32;

use outcrop_gateway::routing::{Choice, Glob, Hedge, Policy, RouteSettings, TargetSettings};
use serde::{Deserialize, Serialize};

use super::routing::seconds;
use super::{ConfigError, Provider, Routing, impossible};

/// `[[routes]]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// A catalogue id, or a pattern with `*`.
    pub model: String,
    /// Which target of a priority is first.
    #[serde(default)]
    pub choice: RouteChoice,
    /// The key of the request metadata whose value decides instead.
    pub sticky: Option<String>,
    /// In place of `routing.retries`.
    pub retries: Option<u32>,
    /// In place of `routing.first_token_seconds`.
    pub first_token_seconds: Option<NonZeroU32>,
    /// In place of `routing.between_tokens_seconds`.
    pub between_tokens_seconds: Option<NonZeroU32>,
    /// In place of `routing.whole_seconds`.
    pub whole_seconds: Option<NonZeroU32>,
    /// In place of `routing.total_seconds`.
    pub total_seconds: Option<NonZeroU32>,
    /// How long an answer serves the same request again.
    pub cache_ttl_seconds: Option<NonZeroU32>,
    /// A second attempt where the first is slow to begin.
    pub hedge: Option<RouteHedge>,
    /// Who answers.
    #[serde(default)]
    pub targets: Vec<RouteTarget>,
}

/// `routes.hedge`
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RouteHedge {
    /// Slow is what takes longer to begin than this many of a hundred before.
    pub percentile: f64,
    /// For at most this share of the calls.
    #[serde(default = "few")]
    pub share: f64,
}

fn few() -> f64 {
    0.05
}

/// How a target is chosen among those of its priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteChoice {
    /// By chance, by weight.
    #[default]
    Weighted,
    /// By what is under way, by weight.
    LeastLoaded,
}

/// `[[routes.targets]]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RouteTarget {
    /// The name of one of the `[[providers]]`, or `local`.
    pub provider: String,
    /// Its name of the model.
    pub model: Option<String>,
    /// The target's name.
    pub variant: Option<String>,
    /// Its share.
    #[serde(default = "one")]
    pub weight: f64,
    /// Its place.
    #[serde(default)]
    pub priority: u32,
    /// Where it may be used.
    #[serde(default)]
    pub regions: Vec<String>,
    /// How many calls it gets at a time.
    pub max_concurrent: Option<NonZeroU32>,
    /// What it says to `optimized`.
    #[serde(default)]
    pub latency: RouteLatency,
}

/// What a target is to calls that ask for `optimized` latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteLatency {
    /// Like any other.
    #[default]
    Standard,
    /// The fast one.
    Optimized,
}

fn one() -> f64 {
    1.0
}

impl Route {
    /// The same as the gateway takes it; what it does not say is as in `common`.
    pub fn settings(&self, common: &Policy) -> RouteSettings {
        let policy = Policy {
            choice: match self.choice {
                RouteChoice::Weighted => Choice::Weighted,
                RouteChoice::LeastLoaded => Choice::LeastLoaded,
            },
            sticky: self.sticky.clone(),
            retries: self.retries.unwrap_or(common.retries),
            first_token: self.first_token_seconds.map_or(common.first_token, seconds),
            between_tokens: self.between_tokens_seconds.map_or(common.between_tokens, seconds),
            whole: self.whole_seconds.map_or(common.whole, seconds),
            total: self.total_seconds.map_or(common.total, seconds),
            hedge: self.hedge.map(|hedge| Hedge { percentile: hedge.percentile / 100.0, share: hedge.share }),
            cache: self.cache_ttl_seconds.map(seconds),
            ..common.clone()
        };
        let target = |target: &RouteTarget| TargetSettings {
            provider: target.provider.clone(),
            model: target.model.clone(),
            variant: target.variant.clone(),
            weight: target.weight,
            priority: target.priority,
            regions: target.regions.clone(),
            max_concurrent: target.max_concurrent.map(NonZeroU32::get),
            optimized: target.latency == RouteLatency::Optimized,
        };
        RouteSettings { model: Glob::new(&self.model), targets: self.targets.iter().map(target).collect(), policy }
    }
}

pub(super) fn check(routes: &[Route], providers: &[Provider], routing: &Routing) -> Result<(), ConfigError> {
    routing.check()?;
    for route in routes {
        if routes.iter().filter(|other| other.model == route.model).count() > 1 {
            return Err(impossible("routes.model", &route.model, "a model or pattern that no other route has"));
        }
        if route.targets.is_empty() {
            return Err(impossible("routes.targets", "", "at least one target"));
        }
        if let Some(retries) = route.retries.filter(|retries| *retries > 10) {
            return Err(impossible("routes.retries", &retries.to_string(), "at most 10"));
        }
        if let Some(hedge) = route.hedge {
            if !(hedge.percentile > 0.0 && hedge.percentile < 100.0) {
                let expected = "above 0, and below 100";
                return Err(impossible("routes.hedge.percentile", &hedge.percentile.to_string(), expected));
            }
            if !(0.0..=0.5).contains(&hedge.share) {
                return Err(impossible("routes.hedge.share", &hedge.share.to_string(), "from 0 to 0.5"));
            }
        }
        for target in &route.targets {
            let known = target.provider == "local" || providers.iter().any(|p| p.name == target.provider);
            if !known {
                let names: Vec<&str> = providers.iter().map(|p| p.name.as_str()).collect();
                let expected = format!("`local` or the name of one of the providers ({})", names.join(", "));
                return Err(impossible("routes.targets.provider", &target.provider, &expected));
            }
            if !(target.weight >= 0.0 && target.weight.is_finite()) {
                return Err(impossible("routes.targets.weight", &target.weight.to_string(), "0 or more"));
            }
            // The name goes into a header and into reports.
            if let Some(variant) = &target.variant
                && (variant.is_empty() || variant.len() > 64 || !variant.bytes().all(|b| b.is_ascii_graphic()))
            {
                let expected = "at most 64 letters, digits and signs without blanks";
                return Err(impossible("routes.targets.variant", variant, expected));
            }
        }
    }
    Ok(())
}
