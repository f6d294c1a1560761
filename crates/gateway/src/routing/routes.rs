//! For every model the targets that may answer for it.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use outcrop_api::{Fault, Kind};
use outcrop_models::data_retention::Retention;
use outcrop_models::{Catalogue, Model};

use super::budget::Budget;
use super::name::OwnName;
use super::settings::{Policy, RouteSettings, Setup, Source, StandIns, TargetSettings};
use super::state::Registry;
use super::target::Target;

/// The provider whose models run in this process.
pub const LOCAL: &str = "local";

/// A model's targets, and how they are asked.
pub struct Route {
    /// The model's id.
    pub model: String,
    /// In the order of the configuration.
    pub targets: Vec<Arc<Target>>,
    /// How.
    pub policy: Arc<Policy>,
    pub(super) budget: Arc<Budget>,
    /// Of second attempts before the first has failed.
    pub(super) hedges: Budget,
}

/// The routes of all models. Built once for a configuration; a call looks up one map.
#[derive(Clone, Default)]
pub struct Routes {
    by_model: HashMap<String, Arc<Route>>,
    stand_ins: bool,
}

/// A configuration that cannot be: the key and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {what}")]
pub struct RoutesError {
    /// The key.
    pub key: String,
    /// What is wrong, and what to do.
    pub what: String,
}

fn wrong(key: &str, what: impl Into<String>) -> RoutesError {
    RoutesError { key: key.to_owned(), what: what.into() }
}

impl Routes {
    /// The routes of `catalogue`'s models. For each, the first of: a route of its own; the providers that serve it, in
    /// their order; itself, if it is local; its stand-in.
    pub fn new(catalogue: &Catalogue, setup: &Setup, registry: &Registry) -> Result<Self, RoutesError> {
        let builder = Builder { setup, registry, common: Arc::new(setup.policy.clone()) };
        for route in &setup.routes {
            // A provider may say later that it has the model.
            let of =
                |source: &Arc<Source>| route.model.as_str().strip_prefix(&*source.name)?.strip_prefix('.').map(drop);
            let awaited = setup.sources.iter().any(|source| of(source).is_some());
            if !awaited && !catalogue.iter().any(|model| route.model.matches(&model.id)) {
                let text = format!("`{}` is no model of the catalogue", route.model.as_str());
                return Err(wrong("routes.model", text));
            }
        }
        let mut by_model = HashMap::new();
        for model in catalogue.iter() {
            if let Some(route) = builder.route(model)? {
                by_model.insert(model.id.clone(), Arc::new(route));
            }
        }
        Ok(Self { by_model, stand_ins: setup.stand_ins.is_some() })
    }

    /// Who answers for `model`, or why nobody does.
    pub fn of(&self, model: &Model) -> Result<&Arc<Route>, Fault> {
        self.by_model.get(&model.id).ok_or_else(|| match self.stand_ins && !model.writes_text() && !model.embeds() {
            true => no_kind(model),
            false => nobody(model),
        })
    }

    /// All of them, by model.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.by_model.values()
    }
}

struct Builder<'a> {
    setup: &'a Setup,
    registry: &'a Registry,
    /// The policy of models without a route of their own.
    common: Arc<Policy>,
}

impl Builder<'_> {
    fn route(&self, model: &Model) -> Result<Option<Route>, RoutesError> {
        let (targets, policy) = match self.configured(&model.id) {
            Some(route) => (self.named(route, model)?, Arc::new(route.policy.clone())),
            None => (self.implied(model), Arc::clone(&self.common)),
        };
        if targets.is_empty() {
            return Ok(None);
        }
        let budget = self.registry.budget(&model.id);
        Ok(Some(Route { model: model.id.clone(), targets, policy, budget, hedges: Budget::empty() }))
    }

    /// The route that names the model, before the first whose pattern matches.
    fn configured(&self, id: &str) -> Option<&RouteSettings> {
        let routes = &self.setup.routes;
        let exact = routes.iter().find(|route| route.model.is_exact() && route.model.as_str() == id);
        exact.or_else(|| routes.iter().find(|route| route.model.matches(id)))
    }

    fn named(&self, route: &RouteSettings, model: &Model) -> Result<Vec<Arc<Target>>, RoutesError> {
        let mut targets: Vec<Arc<Target>> = Vec::new();
        for settings in &route.targets {
            let source = self.source(&settings.provider).ok_or_else(|| {
                let known: Vec<&str> = self.setup.sources.iter().map(|s| &*s.name).collect();
                let text = format!("there is no provider `{}`; there are: {}", settings.provider, known.join(", "));
                wrong("routes.targets.provider", text)
            })?;
            let own = settings.model.as_deref().map(|name| OwnName::Fixed(name.into()));
            let own = own.or_else(|| own_name(source, &model.id)).ok_or_else(|| {
                let text = format!("say which of {}'s models answers for {}", source.name, model.id);
                wrong("routes.targets.model", text)
            })?;
            let target = self.target(source, own, &model.id, settings);
            if targets.iter().any(|other| other.name == target.name) {
                let text = format!("`{}` names two targets of {}; give each a name of its own", target.name, model.id);
                return Err(wrong("routes.targets.variant", text));
            }
            targets.push(target);
        }
        Ok(targets)
    }

    /// Who answers for a model that no route names: each provider that serves it, the next where the one before fails.
    fn implied(&self, model: &Model) -> Vec<Arc<Target>> {
        let serves =
            |s: &&Arc<Source>| s.models.contains_key(&model.id) || s.serves.iter().any(|glob| glob.matches(&model.id));
        let mut targets = Vec::new();
        for (priority, source) in (0..).zip(self.setup.sources.iter().filter(serves)) {
            if let Some(own) = own_name(source, &model.id) {
                let settings = TargetSettings { weight: 1.0, priority, ..Default::default() };
                targets.push(self.target(source, own, &model.id, &settings));
            }
        }
        if !targets.is_empty() {
            return targets;
        }
        let Some(local) = self.source(LOCAL) else { return targets };
        let settings = TargetSettings { weight: 1.0, ..Default::default() };
        if model.local {
            if let Some(own) = own_name(local, &model.id) {
                targets.push(self.target(local, own, &model.id, &settings));
            }
        } else if let Some(name) = self.setup.stand_ins.as_ref().and_then(|s| stand_in(s, model)) {
            let variant = Some(format!("outcrop.{name}"));
            let own = OwnName::Fixed(name.into());
            targets.push(self.target(local, own, &model.id, &TargetSettings { variant, ..settings }));
        }
        targets
    }

    fn source(&self, name: &str) -> Option<&Arc<Source>> {
        self.setup.sources.iter().find(|source| &*source.name == name)
    }

    fn target(&self, source: &Arc<Source>, own: OwnName, id: &str, settings: &TargetSettings) -> Arc<Target> {
        let key = match &own {
            OwnName::Fixed(name) => name,
            OwnName::AsCalled => id,
        };
        let name = match &settings.variant {
            Some(variant) => variant.as_str().into(),
            None => Arc::clone(&source.name),
        };
        Arc::new(Target {
            variant: self.registry.variant(id, &name),
            name,
            weight: settings.weight,
            priority: settings.priority,
            regions: settings.regions.clone(),
            max_concurrent: settings.max_concurrent,
            optimized: settings.optimized,
            // A local model that the caller named itself answers in nobody's name but its own.
            tells: !(source.local && own_name(source, id).as_ref() == Some(&own)),
            state: self.registry.state(&source.identity, key),
            source: Arc::clone(source),
            own,
        })
    }
}

fn own_name(source: &Source, id: &str) -> Option<OwnName> {
    let configured = source.models.get(id).map(|name| OwnName::Fixed(name.as_str().into()));
    configured.or_else(|| source.naming.own(id))
}

fn stand_in<'a>(stand_ins: &'a StandIns, model: &Model) -> Option<&'a str> {
    let of_kind = match model {
        _ if model.writes_text() => stand_ins.text.as_ref(),
        _ if model.embeds() => stand_ins.embedding.as_ref(),
        _ if model.ranks() => stand_ins.rerank.as_ref(),
        _ => return None,
    };
    stand_ins.by_model.get(&model.id).or(of_kind).map(String::as_str)
}

impl Target {
    /// The most that whoever answers keeps of the call.
    pub fn retention(&self) -> Retention {
        self.source.retention
    }
}

/// Bedrock's text for a model without access, then what to do here.
pub(super) const NO_ACCESS: &str = "You don't have access to the model with the specified model ID.";

fn nobody(model: &Model) -> Fault {
    let text = format!(
        "{NO_ACCESS} No provider of this server serves {}; `outcrop dev` answers it with a local stand-in.",
        model.id
    );
    Fault::new(Kind::AccessDenied, text)
}

fn no_kind(model: &Model) -> Fault {
    let does = match model.ranks() {
        true => "ranks documents".to_owned(),
        false => format!("makes {}", model.output.join(" and ")),
    };
    let text = format!("No local model can stand in for {}, which {does}.", model.id);
    Fault::new(Kind::NotImplemented, text)
}
