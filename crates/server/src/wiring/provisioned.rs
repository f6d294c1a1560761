//! What may be invoked and reserved, from the configuration's words to those of `models` and `gateway`.

use outcrop_gateway::capacity::{OfModel, Settings, Unit};
use outcrop_models::{Catalogue, ModelAccess, Units};

use super::StartError;
use crate::config::{Config, ModelAccess as Configured};

/// Which accounts need agreements.
pub(super) fn model_access(config: &Config) -> ModelAccess {
    let all = config.catalogue.model_access;
    let others = config.catalogue.model_access_by_account.iter().filter(|(_, access)| **access != all);
    let except = others.map(|(account, _)| account.clone()).collect();
    ModelAccess { explicit: all == Configured::Explicit, except }
}

/// The model units that are for sale.
pub(super) fn units(config: &Config) -> Units {
    let models = config.provisioned.models.iter();
    let by_model = models.filter_map(|(id, model)| Some((id.clone(), model.units?))).collect();
    Units { all: config.provisioned.units, by_model }
}

/// What a unit is worth, and what models have in all. A model that is not there was probably misspelt.
pub(super) fn capacity(config: &Config, catalogue: &Catalogue) -> Result<Settings, StartError> {
    let provisioned = &config.provisioned;
    let (tokens, calls) = (provisioned.tokens_per_minute_per_unit, provisioned.concurrency_per_unit);
    let mut settings = Settings {
        unit: Unit { tokens_per_minute: tokens.get(), concurrency: calls.get().into() },
        ..Settings::default()
    };
    for (id, model) in &provisioned.models {
        if catalogue.get(id).is_none() {
            let text = format!("provisioned.models names `{id}`, which is no base id of a model of the catalogue");
            return Err(StartError(text));
        }
        let of_model = OfModel {
            unit: Unit {
                tokens_per_minute: model.tokens_per_minute_per_unit.unwrap_or(tokens).get(),
                concurrency: model.concurrency_per_unit.unwrap_or(calls).get().into(),
            },
            tokens_per_minute: model.tokens_per_minute.map(std::num::NonZero::get),
            concurrency: model.concurrency.map(|calls| calls.get().into()),
        };
        settings.by_model.insert(id.clone(), of_model);
    }
    Ok(settings)
}
