//! Who can answer calls, as the configuration names them.

use std::sync::Arc;

use async_trait::async_trait;
use outcrop_gateway::routing::{Glob, Naming, Source};
use outcrop_outbound::Outbound;
use outcrop_providers::{Answer, Call, Failure, Kind, Provider};

use super::{StartError, told};
use crate::config::{Config, Provider as Configured};

/// Who can answer: the configured providers in their order, then the models of this process.
pub(super) fn of(config: &Config, local: &Arc<dyn Provider>) -> Result<Vec<Source>, StartError> {
    let outbound = config.outbound.open().map_err(told)?;
    let mut sources = Vec::new();
    for provider in &config.providers {
        sources.push(one(provider, &outbound)?);
    }
    sources.push(Source::local(Arc::clone(local)));
    Ok(sources)
}

/// Stands where the models of this process would, while a configuration is only looked at.
pub(super) struct Uncalled;

#[async_trait]
impl Provider for Uncalled {
    async fn converse(&self, _: Call) -> Result<Answer, Failure> {
        Err(Failure::not_offered("answers while a configuration is examined"))
    }
}

/// One of the configured providers.
pub(crate) fn one(provider: &Configured, outbound: &Outbound) -> Result<Source, StartError> {
    let settings = provider.settings();
    let place = (&settings.url, &settings.region, &settings.script);
    Ok(Source {
        name: provider.name.as_str().into(),
        provider: outcrop_providers::open(&settings, outbound).map_err(told)?,
        identity: format!("{} {:?} {place:?}", provider.name, provider.kind),
        naming: match provider.kind {
            Kind::Anthropic => Naming::Anthropic,
            Kind::Bedrock => Naming::Bedrock,
            Kind::Cohere => Naming::Cohere,
            Kind::OpenAi | Kind::Mistral | Kind::Scripted => Naming::Bare,
        },
        serves: provider.serves.iter().map(Glob::new).collect(),
        models: provider.models.clone(),
        retention: provider.data_retention,
        region: provider.region.clone(),
        local: false,
    })
}
