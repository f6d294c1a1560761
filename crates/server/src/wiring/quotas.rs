//! Quotas, from the configuration's words to those of `admission`, and the models that have them.

use std::sync::Arc;

use outcrop_admission::quotas::Settings;
use outcrop_admission::quotas::slice::{Models as Offering, Offered};
use outcrop_models::{Catalogue, Models};

use super::StartError;
use crate::config::Config;

/// How much there is. A model that is not in the catalogue was probably misspelt.
pub(super) fn settings(config: &Config, catalogue: &Catalogue) -> Result<Settings, StartError> {
    let quotas = &config.quotas;
    let rules = quotas.rules().map_err(super::told)?;
    let of_rules = rules.iter().filter_map(|rule| Some(("rules.model", rule.model.as_ref()?)));
    let of_rules = of_rules.filter(|(_, model)| !model.ends_with('*'));
    for (key, id) in quotas.models.keys().map(|id| ("models", id)).chain(of_rules) {
        if catalogue.get(id).is_none() {
            let text = format!("quotas.{key} names `{id}`, which is no base id of a model of the catalogue");
            return Err(StartError(text));
        }
    }
    let by_model = quotas.models.iter().map(|(id, model)| (id.clone(), model.limits())).collect();
    Ok(Settings { all: quotas.all(), by_model, rules, increase: quotas.increases_up_to })
}

/// The models of the catalogue, as Service Quotas lists them.
pub(super) struct Listed(pub(super) Arc<Models>);

impl Offering for Listed {
    fn offered(&self, region: &str) -> Vec<Offered> {
        let models = self.0.catalogue().iter().map(|model| Offered {
            id: model.id.clone(),
            name: model.name.clone(),
            maker: model.provider.clone(),
            on_demand: model.on_demand_in(region),
            cross_region: model.profiles.values().any(|routes| routes.from(region).is_some()),
        });
        models.filter(|model| model.on_demand || model.cross_region).collect()
    }
}
