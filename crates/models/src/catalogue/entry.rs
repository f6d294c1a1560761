//! The data files' own form, and its way into [`Model`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::model::{Cache, Dimensions, Family, Geography, Lifecycle, Model, Price};
use super::{OwnKind, OwnModel, Routes};
use crate::error::ModelsError;
use crate::identifier;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub provider: Option<String>,
    #[serde(default)]
    pub models: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    id: String,
    name: Option<String>,
    provider: Option<String>,
    family: String,
    #[serde(default = "text")]
    input: Vec<String>,
    #[serde(default = "text")]
    output: Vec<String>,
    #[serde(default)]
    streaming: bool,
    #[serde(default)]
    customizations: Vec<String>,
    #[serde(default)]
    provisioned: bool,
    #[serde(default)]
    mantle: bool,
    #[serde(default)]
    regions: String,
    #[serde(default)]
    profiles: BTreeMap<Geography, String>,
    #[serde(default)]
    variants: Vec<String>,
    context: Option<u32>,
    max_output: Option<u32>,
    cache: Option<Cache>,
    dimensions: Option<Dimensions>,
    price: Option<Price>,
    #[serde(default)]
    lifecycle: Lifecycle,
}

fn text() -> Vec<String> {
    vec!["TEXT".to_owned()]
}

impl Entry {
    pub(super) fn build(
        self,
        provider: Option<&str>,
        families: &BTreeMap<String, Arc<Family>>,
        routes: &BTreeMap<String, Arc<Routes>>,
    ) -> Result<Model, String> {
        let id = self.id;
        if !identifier::is_model_id(&id) {
            return Err(format!("`{id}` is not a model id: `provider.model` in lower case"));
        }
        let family = families.get(&self.family).ok_or_else(|| {
            let known: Vec<_> = families.keys().map(String::as_str).collect();
            format!("`{id}`: no family `{}`; there are {}", self.family, known.join(", "))
        })?;
        let provider = self.provider.as_deref().or(provider);
        let provider = provider.ok_or_else(|| format!("`{id}` has no provider"))?.to_owned();
        let mut profiles = BTreeMap::new();
        for (geography, name) in self.profiles {
            let found = routes.get(&name).ok_or_else(|| format!("`{id}`: no route `{name}`"))?;
            profiles.insert(geography, Arc::clone(found));
        }
        Ok(Model {
            name: self.name.unwrap_or_else(|| id.clone()),
            id,
            provider,
            family: Arc::clone(family),
            input: self.input,
            output: self.output,
            streaming: self.streaming,
            customizations: self.customizations,
            provisioned: self.provisioned,
            mantle: self.mantle,
            regions: self.regions.split_whitespace().map(str::to_owned).collect(),
            profiles,
            variants: self.variants,
            context: self.context,
            max_output: self.max_output,
            cache: self.cache,
            dimensions: self.dimensions,
            price: self.price,
            lifecycle: self.lifecycle,
            local: false,
        })
    }
}

/// The entry of a model of this server's own: one that runs on this machine, or one that a provider has.
pub(super) fn own(id: &str, model: OwnModel, families: &BTreeMap<String, Arc<Family>>) -> Result<Model, String> {
    if !identifier::is_model_id(id) {
        return Err(format!("`{id}` is not a model id: lower case letters, digits and dashes"));
    }
    let (family, output) = match model.kind {
        OwnKind::Text => ("outcrop-text", "TEXT"),
        OwnKind::Embedding { .. } => ("outcrop-embedding", "EMBEDDING"),
        OwnKind::Rerank => ("cohere-rerank", "TEXT"),
        OwnKind::Image => ("stability-image", "IMAGE"),
    };
    let dimensions = match model.kind {
        OwnKind::Embedding { dimensions: Some(length) } => Some(Dimensions { default: length, allowed: vec![length] }),
        _ => None,
    };
    let family = families.get(family).ok_or_else(|| format!("no family `{family}`"))?;
    Ok(Model {
        id: id.to_owned(),
        name: model.name,
        provider: model.provider,
        family: Arc::clone(family),
        input: text(),
        output: vec![output.to_owned()],
        streaming: model.kind == OwnKind::Text,
        customizations: Vec::new(),
        provisioned: false,
        mantle: false,
        regions: Vec::new(),
        profiles: BTreeMap::new(),
        variants: Vec::new(),
        context: model.context,
        max_output: model.context.filter(|_| model.kind == OwnKind::Text),
        cache: None,
        dimensions,
        price: None,
        lifecycle: Lifecycle::default(),
        local: true,
    })
}

/// A prompt router that AWS defines.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultRouter {
    /// Its id: `amazon.nova:1`.
    pub id: String,
    /// Its name: `Nova Prompt Router`.
    pub name: String,
    /// What it says of itself.
    pub description: String,
    /// The ids of its two models.
    pub models: Vec<String>,
    /// Which of them is the fallback.
    pub fallback: String,
    /// Its response quality difference, in percent.
    pub difference: f64,
}

pub(super) fn routers(text: &str) -> Result<Vec<DefaultRouter>, ModelsError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Routers {
        routers: Vec<DefaultRouter>,
    }
    let mut read: Routers = toml::from_str(text).map_err(|e| ModelsError::catalogue("routers.toml", e))?;
    read.routers.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(read.routers)
}

pub(super) fn families(text: &str) -> Result<BTreeMap<String, Arc<Family>>, ModelsError> {
    let read: BTreeMap<String, Family> =
        toml::from_str(text).map_err(|e| ModelsError::catalogue("families.toml", e))?;
    Ok(read.into_iter().map(|(name, family)| (name, Arc::new(family))).collect())
}

pub(super) fn routes(text: &str) -> Result<BTreeMap<String, Arc<Routes>>, ModelsError> {
    let read: BTreeMap<String, Vec<String>> =
        toml::from_str(text).map_err(|e| ModelsError::catalogue("routes.toml", e))?;
    let mut routes = BTreeMap::new();
    for (name, lines) in read {
        let parsed = Routes::parse(lines.iter().map(String::as_str))
            .map_err(|e| ModelsError::catalogue("routes.toml", format!("{name}: {e}")))?;
        routes.insert(name, Arc::new(parsed));
    }
    Ok(routes)
}
