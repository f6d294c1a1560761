//! Admission by capacity: provisioned models have theirs reserved, and on-demand calls have what is left.
//!
//! All of it is in memory and counts for this process. A call that is over a limit is refused at once: nothing queues
//! here. Start at [`Capacity::admit`].

mod estimate;
mod permit;
mod pool;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use outcrop_api::{Fault, Kind};
use outcrop_models::{Models, Resolved};

pub use estimate::Estimate;
pub use permit::Permit;
use pool::{Limits, Pool, Refused};

/// Pools that nobody used for so long are forgotten when another is made: by then their tokens are back.
const FORGET_AFTER: std::time::Duration = std::time::Duration::from_secs(60);

/// What a model unit is worth, and what models have in all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// A model unit of any model that is not named below.
    pub unit: Unit,
    /// Of one model, by its base id.
    pub by_model: BTreeMap<String, OfModel>,
}

/// What a model unit is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unit {
    /// Tokens a minute, read and written together.
    pub tokens_per_minute: u64,
    /// Calls at a time.
    pub concurrency: u64,
}

/// What one model has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OfModel {
    /// What its model units are worth.
    pub unit: Unit,
    /// Tokens a minute that it has in all, reserved ones included; on-demand calls are not counted where it is unknown.
    pub tokens_per_minute: Option<u64>,
    /// Calls at a time, likewise.
    pub concurrency: Option<u64>,
}

/// The pools of this process under the settings of one configuration.
#[derive(Default)]
pub struct Capacity {
    settings: Settings,
    pools: Arc<RwLock<HashMap<String, Arc<Pool>>>>,
}

impl Capacity {
    /// The same pools, and what is taken from them, under other settings.
    #[must_use]
    pub fn under(&self, settings: Settings) -> Self {
        Self { settings, pools: Arc::clone(&self.pools) }
    }

    /// Lets a call in, or says which limit keeps it out. The permit holds the call's place until it is dropped.
    pub fn admit(&self, models: &Models, resolved: &Resolved, estimate: Estimate) -> Result<Permit, Fault> {
        let of_model = self.settings.by_model.get(&resolved.model.id);
        let unit = of_model.map_or(self.settings.unit, |of| of.unit);
        let (name, limits) = match (&resolved.provisioned, of_model) {
            (Some(throughput), _) => {
                let units = u64::from(throughput.model_units);
                let (tokens, calls) = (unit.tokens_per_minute, unit.concurrency);
                let all = |each: u64| Some(each.saturating_mul(units));
                (&throughput.arn, Limits { tokens_per_minute: all(tokens), concurrency: all(calls) })
            }
            (None, Some(of)) if of.tokens_per_minute.is_some() || of.concurrency.is_some() => {
                let reserved = u64::from(models.reserved_units(&resolved.model));
                let left = |all: Option<u64>, each: u64| Some(all?.saturating_sub(each.saturating_mul(reserved)));
                let limits = Limits {
                    tokens_per_minute: left(of.tokens_per_minute, unit.tokens_per_minute),
                    concurrency: left(of.concurrency, unit.concurrency),
                };
                (&resolved.model.id, limits)
            }
            // Most calls: nobody says how much there is, so nothing is counted.
            (None, _) => return Ok(Permit::unlimited()),
        };
        let now = Instant::now();
        let pool = self.pool(name, now);
        match pool.take(limits, estimate.tokens(), now) {
            Ok(taken) => Ok(Permit::new(pool, limits, taken)),
            Err(refused) => {
                tracing::debug!(model = resolved.metric_id, ?refused, "over capacity");
                Err(told(refused))
            }
        }
    }

    fn pool(&self, name: &str, now: Instant) -> Arc<Pool> {
        if let Some(pool) = self.pools.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(pool);
        }
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|_, pool| Arc::strong_count(pool) > 1 || !pool.idle_since(now, FORGET_AFTER));
        Arc::clone(pools.entry(name.to_owned()).or_insert_with(|| Arc::new(Pool::new(now))))
    }
}

/// Bedrock's words, which say which limit it was.
fn told(refused: Refused) -> Fault {
    let what = match refused {
        Refused::Calls => "requests",
        Refused::Tokens { .. } => "tokens",
    };
    let fault = Fault::new(Kind::Throttling, format!("Too many {what}, please wait before trying again."));
    match refused {
        Refused::Calls => fault,
        Refused::Tokens { wait } => fault.after(wait),
    }
}
