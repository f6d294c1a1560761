//! What calls took and cost: who wants to know, and what the table of prices is made from.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use outcrop_models::catalogue::Status;
use outcrop_models::{Catalogue, Model, Models, provisioned};
use outcrop_telemetry::advise::Facts;
use outcrop_telemetry::cost::units::{Life, Lives};
use outcrop_telemetry::outcomes::Outcomes;
use outcrop_telemetry::prices::{Prices, Rates, Table};
use outcrop_telemetry::{Consumer, Hub, Ledger, Recorder};
use tokio::sync::Semaphore;

use super::{StartError, told};
use crate::config::{Config, ProviderKind};
use crate::cost;

/// How often is looked which provisioned models there are.
const LOOK: Duration = Duration::from_secs(60);

/// What sees every call, whatever the configuration becomes.
pub(crate) struct Sight {
    /// Where calls are told.
    pub(crate) recorder: Recorder,
    /// What became of tasks.
    pub(crate) outcomes: Arc<Outcomes>,
    /// How many reports of cost may be made at once.
    pub(crate) reports: Arc<Semaphore>,
    hub: Mutex<Option<Hub>>,
    lives: Mutex<Lives>,
}

impl Sight {
    /// Opens what is kept in the data folder, and starts to hand calls on.
    pub(crate) fn open(config: &Config, folder: &Path, others: Vec<Box<dyn Consumer>>) -> Result<Self, StartError> {
        let mut consumers: Vec<Box<dyn Consumer>> =
            vec![Box::new(Ledger::open(folder, config.cost.keep_days).map_err(told)?)];
        consumers.extend(others);
        let (recorder, hub) = Hub::start(consumers).map_err(told)?;
        Ok(Self {
            recorder,
            outcomes: Arc::new(Outcomes::open(folder).map_err(told)?),
            reports: cost::reports(),
            hub: Mutex::new(Some(hub)),
            lives: Mutex::new(Lives::open(folder).map_err(told)?),
        })
    }

    /// Remembers which provisioned models there are, for their hours cost, until it is dropped. `models` are those of
    /// now: a reload changes them.
    pub(crate) async fn follow(&self, models: impl Fn() -> Option<Arc<Models>>) {
        let mut every = tokio::time::interval(LOOK);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            if let Some(models) = models() {
                self.look(&models).await;
            }
        }
    }

    async fn look(&self, models: &Models) {
        let standing = match provisioned::standing(models).await {
            Ok(standing) => standing,
            Err(error) => return tracing::warn!(%error, "cannot tell which provisioned models there are"),
        };
        let seen = standing.into_iter().map(|one| Life {
            arn: one.arn,
            account: one.reserved.account,
            region: one.reserved.region,
            model: one.reserved.base,
            units: one.reserved.units,
            commitment: one.commitment,
            created: one.created,
            ended: None,
        });
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = lives.observe(Timestamp::now(), seen.collect()) {
            tracing::error!(%error, "cannot write down which provisioned models there are");
        }
    }

    /// Everything that was told is written down when this returns.
    pub(crate) async fn close(&self) {
        let hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner).take();
        let joined = tokio::task::spawn_blocking(|| hub.map(Hub::join));
        if let Err(error) = joined.await {
            tracing::error!(%error, "telemetry could not be ended");
        }
    }
}

/// The catalogue of a configuration, this machine's own models aside: they have no price.
pub fn catalogue(config: &Config) -> Result<Catalogue, StartError> {
    super::catalogue(config, &[])
}

/// What things cost by a configuration and the catalogue's list prices, which only AWS charges.
pub fn prices(config: &Config, catalogue: &Catalogue) -> Prices {
    let charging = config.providers.iter().filter(|provider| provider.kind == ProviderKind::Bedrock);
    let list = catalogue.iter().filter_map(|model| {
        let price = model.price.as_ref()?;
        let rates = Rates {
            input: price.input,
            output: price.output,
            cache_read: price.cache_read,
            cache_write: price.cache_write,
            cache_write_1h: price.cache_write_1h,
            image: price.image,
            query: price.query,
            ..Rates::default()
        };
        Some((model.id.clone(), rates))
    });
    Prices::new(&Table {
        list: list.collect(),
        charged_by: charging.map(|provider| provider.name.clone()).collect(),
        local: vec![LOCAL.to_owned()],
        own: config.prices.iter().map(crate::config::Price::row).collect(),
        factors: config.cost.factors(),
    })
}

/// What advice goes by: the cheaper models of the same maker that take and write the same, and what caches keep.
pub fn facts(catalogue: &Catalogue) -> HashMap<String, Facts> {
    let price = |model: &Model| Some((model.price.as_ref()?.input?, model.price.as_ref()?.output?));
    let of = |model: &Model| {
        let mut cheaper: Vec<_> = catalogue
            .iter()
            .filter(|other| {
                other.provider == model.provider
                    && other.family.dialect == model.family.dialect
                    && other.lifecycle.status == Status::Active
                    && other.output == model.output
                    && model.input.iter().all(|one| other.input.contains(one))
            })
            .filter_map(|other| Some((price(other)?, other.id.clone())))
            .filter(|((input, output), _)| price(model).is_some_and(|(i, o)| *input < i && *output < o))
            .collect();
        cheaper.sort_by(|a, b| b.cmp(a));
        Facts {
            cheaper: cheaper.into_iter().map(|(_, id)| id).collect(),
            cache_minimum: model.cache.as_ref().map(|cache| cache.minimum),
        }
    };
    catalogue.iter().map(|model| (model.id.clone(), of(model))).collect()
}

/// The name of this machine's own models among the providers.
const LOCAL: &str = "local";
