//! What is wrong with a configuration, told without starting.

use std::sync::Arc;

use outcrop_engine::weights::ModelDir;
use outcrop_gateway::routing::{Registry, Routes};
use outcrop_providers::Provider;

use super::local::local_models;
use super::offers::Offers;
use super::{StartError, catalogue, data_folder, guardrails, observe, routed, sources, told};
use crate::config::{Config, functions};
use crate::listen::{self, Tls};

/// What else would keep a start from coming about: everything that it makes of `config` short of opening the store,
/// the port and the models. A reload finds the same by making it.
pub fn examine_start(config: &Config) -> Result<(), StartError> {
    data_folder(config.data.as_deref())?;
    let found = local_models(config, &ModelDir::locate().map_err(told)?)?;
    let local: Arc<dyn Provider> = Arc::new(sources::Uncalled);
    // As `dev` does: a stand-in that is no local model is wrong whoever starts.
    let routed = routed(config, true, &found, &local, &Offers::default())?;
    let routes = Routes::new(&routed.catalogue, &routed.setup, &Registry::default()).map_err(told)?;
    guardrails::check_judges(config, &routed.catalogue, &routed.setup, &routes)
}

/// What would keep `config` from working, beyond what its types say: files that are missing or do not fit.
pub fn examine(config: &Config, dev: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let bound = listen::check_bind(&config.listen, dev, config.tls.is_some());
    problems.extend(bound.err().map(|e| e.to_string()));
    if let Some(files) = &config.tls {
        problems.extend(Tls::load(files.clone()).err().map(|e| e.to_string()));
    }
    for model in &config.local_models {
        if !model.file.is_file() {
            problems.push(format!("local_models.file of {}: there is no file {}", model.name, model.file.display()));
        }
    }
    problems.extend(catalogue(config, &[]).err().map(|e| e.to_string()));
    match config.outbound.open() {
        Ok(outbound) => {
            problems.extend(config.outside(dev).err().map(|e| e.to_string()));
            problems.extend(config.stores(&outbound).err().map(|e| e.to_string()));
            problems.extend(functions(&config.functions, &outbound).err().map(|e| e.to_string()));
        }
        Err(error) => problems.push(error.to_string()),
    }
    problems.extend(config.access.directory().err().map(|e| e.to_string()));
    problems.extend(observe::examine(config));
    problems
}

/// What is wrong with the places of the keys that seal. Apart from [`examine`], for a reload does not touch them: one
/// that renews a certificate need not wait for a program that fetches keys.
pub fn examine_keys(config: &Config) -> Vec<String> {
    config.store().encryption.problems().iter().map(ToString::to_string).collect()
}
