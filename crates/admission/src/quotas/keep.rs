//! What lasts of quotas: a day's tokens, in counters, and what accounts had raised, in documents.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use outcrop_resources::{Mirror, Resources};
use outcrop_store::{Batch, Error as StoreError, Op, Outcome, Scope, Store};
use serde::{Deserialize, Serialize};

use super::day::{Telling, read};
use super::table::{Held, Whose};
use super::{Now, OfModel, Quotas};

/// How often the store is told. A crash forgets at most what was counted since.
const EVERY: Duration = Duration::from_secs(2);
/// Counters that are written together.
const TOGETHER: usize = 500;
/// How often a counter of another day is begun anew where others do so at the same time.
const TRIES: usize = 4;

/// What accounts had raised, of all accounts, in memory.
pub(super) struct Increases {
    pub(super) kept: Mirror<Kept>,
    pub(super) store: Arc<dyn Store>,
}

/// What one account had raised in one Region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// What was granted, by model.
    pub(super) granted: BTreeMap<String, OfModel>,
    /// What was asked for, oldest first.
    pub(super) asked: Vec<Asked>,
}

/// One request for an increase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) name: String,
    pub(super) value: u64,
    /// It was granted at once.
    pub(super) granted: bool,
    pub(super) at: Timestamp,
    /// Who asked.
    pub(super) by: String,
}

pub(super) fn id(account: &str, region: &str) -> String {
    format!("{account}/{region}")
}

impl Increases {
    pub(super) fn new(resources: &Resources) -> Self {
        Self { kept: Mirror::new(resources, "quota-increases"), store: Arc::clone(resources.store()) }
    }

    /// What is configured, raised by what was granted, but never beyond `most` times what is configured: whoever
    /// lowers the configuration lowers what follows from it.
    pub(super) fn raise(&self, configured: OfModel, most: f64, account: &str, region: &str, model: &str) -> OfModel {
        let all = self.kept.now();
        if all.is_empty() {
            return configured;
        }
        let granted = all.get(&id(account, region)).and_then(|kept| kept.granted.get(model));
        let Some(granted) = granted else { return configured };
        let up = |configured: Option<u64>, granted: Option<u64>| {
            let configured = configured?;
            Some(granted.map_or(configured, |granted| granted.min(times(configured, most)).max(configured)))
        };
        let (here, across) = (configured.limits(false), configured.limits(true));
        OfModel {
            tokens_per_minute: up(here.tokens_per_minute, granted.tokens_per_minute),
            cross_region_tokens_per_minute: up(across.tokens_per_minute, granted.cross_region_tokens_per_minute),
            // Where nobody says it, it follows from what a minute has now.
            tokens_per_day: configured.tokens_per_day,
            requests_per_minute: up(here.requests_per_minute, granted.requests_per_minute),
            cross_region_requests_per_minute: up(across.requests_per_minute, granted.cross_region_requests_per_minute),
            burndown: configured.burndown,
        }
    }
}

/// `value` times `most`, in whole numbers.
pub(super) fn times(value: u64, most: f64) -> u64 {
    (value as f64 * most.max(1.0)) as u64
}

impl Quotas {
    /// Brings into memory what was raised.
    pub async fn catch_up(&self) -> outcrop_resources::Result<()> {
        match &self.shared.increases {
            Some(increases) => increases.kept.catch_up().await,
            None => Ok(()),
        }
    }

    /// Keeps what lasts fresh in both directions, and forgets what nobody uses, until it is dropped. Who drops it
    /// [flushes](Self::flush) what is left.
    pub async fn run(&self) {
        let Some(increases) = &self.shared.increases else { return std::future::pending().await };
        let telling = async {
            let mut failed = false;
            loop {
                tokio::time::sleep(EVERY).await;
                self.shared.table.sweep(Now::read());
                match self.flush().await {
                    Ok(()) => failed = false,
                    Err(error) if failed => tracing::debug!(%error, "the day's tokens are still not written"),
                    Err(error) => {
                        failed = true;
                        tracing::warn!(%error, "the day's tokens could not be written; they are counted on in memory");
                    }
                }
            }
        };
        tokio::join!(increases.kept.follow(), telling);
    }

    /// Tells the store what was taken of the day, and learns what others took.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let Some(increases) = &self.shared.increases else { return Ok(()) };
        let untold = self.shared.table.all().into_iter().filter_map(|held| {
            let telling = held.bucket.untold()?;
            let counter = counter(&held.whose)?;
            Some((held, telling, counter))
        });
        let untold: Vec<_> = untold.collect();
        for some in untold.chunks(TOGETHER) {
            let ops: Vec<_> = some.iter().map(|(_, telling, (scope, name))| add(scope, name, *telling)).collect();
            match increases.store.commit(Batch::new(ops)).await {
                Ok(receipt) => {
                    for ((held, telling, _), outcome) in some.iter().zip(receipt.outcomes()) {
                        if let Outcome::Counter(sum) = outcome {
                            let (day, tokens) = read(sum);
                            held.bucket.told(*telling, day, tokens);
                        }
                    }
                }
                // One of them speaks of another day.
                Err(StoreError::OutOfBounds { .. }) => {
                    for (held, telling, place) in some {
                        one(&*increases.store, held, *telling, place).await?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Adds to one counter, which may speak of another day.
async fn one(
    store: &dyn Store,
    held: &Held,
    telling: Telling,
    (scope, name): &(Scope, String),
) -> Result<(), StoreError> {
    let (min, _) = telling.bounds();
    for left in (0..TRIES).rev() {
        match store.commit(add(scope, name, telling).into()).await {
            Ok(receipt) => {
                if let Some(Outcome::Counter(sum)) = receipt.outcomes().into_iter().next() {
                    let (day, tokens) = read(sum);
                    held.bucket.told(telling, day, tokens);
                }
                return Ok(());
            }
            Err(StoreError::OutOfBounds { .. }) => {}
            Err(error) => return Err(error),
        }
        let now = store.counter(scope.clone(), name.clone()).await?;
        let (day, tokens) = read(now);
        if day == telling.day + 1 {
            // Somebody's clock is ahead over midnight: the day has begun.
            held.bucket.told(telling, day, tokens);
            return Ok(());
        }
        if day != telling.day {
            // What of this server's is counted begins the day; of two that do so at once, the second is refused here
            // and adds to the first.
            let fresh = Op::Add { scope: scope.clone(), counter: name.clone(), by: min - now, min, max: min };
            match store.commit(fresh.into()).await {
                Ok(_) | Err(StoreError::OutOfBounds { .. }) => {}
                Err(error) => return Err(error),
            }
        } else if left == 0 {
            // Not another server that began the day in between, but more than a counter holds, or less than nothing: there
            // is nothing more to count.
            held.bucket.told(telling, day, tokens);
            return Ok(());
        }
    }
    Ok(())
}

fn add(scope: &Scope, name: &str, telling: Telling) -> Op {
    let (min, max) = telling.bounds();
    Op::Add { scope: scope.clone(), counter: name.to_owned(), by: telling.tokens, min, max }
}

/// Where a bucket's days are counted; those of many at once are not kept.
fn counter(whose: &Whose) -> Option<(Scope, String)> {
    match whose {
        Whose::Account { account, region, model, cross_region } => {
            let kind = if *cross_region { "cross-region" } else { "on-demand" };
            Some((Scope::new(&**account, &**region), format!("quota-day/{kind}/{model}")))
        }
        Whose::Value { account, rule, value } => {
            Some((Scope::new(&**account, ""), format!("quota-day/rule/{rule}/{value}")))
        }
        Whose::Others { .. } => None,
    }
}
