//! The catalogue: every Bedrock model that is known here, from the data files beside the source.

mod entry;
mod model;
mod routes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::entry::DefaultRouter;
pub use self::model::{BlankText, Cache, Dialect, Dimensions, Family, Geography, Lifecycle, Model, Price, Status};
pub use self::routes::{Destinations, Routes};

use self::entry::{Entry, File};
use crate::error::ModelsError;

/// One file a provider, so that none grows beyond what a person edits.
const FILES: &[(&str, &str)] = &[
    ("ai21.toml", include_str!("../data/ai21.toml")),
    ("amazon.toml", include_str!("../data/amazon.toml")),
    ("anthropic.toml", include_str!("../data/anthropic.toml")),
    ("cohere.toml", include_str!("../data/cohere.toml")),
    ("deepseek.toml", include_str!("../data/deepseek.toml")),
    ("google.toml", include_str!("../data/google.toml")),
    ("luma.toml", include_str!("../data/luma.toml")),
    ("meta.toml", include_str!("../data/meta.toml")),
    ("minimax.toml", include_str!("../data/minimax.toml")),
    ("mistral.toml", include_str!("../data/mistral.toml")),
    ("moonshot.toml", include_str!("../data/moonshot.toml")),
    ("nvidia.toml", include_str!("../data/nvidia.toml")),
    ("openai.toml", include_str!("../data/openai.toml")),
    ("qwen.toml", include_str!("../data/qwen.toml")),
    ("stability.toml", include_str!("../data/stability.toml")),
    ("twelvelabs.toml", include_str!("../data/twelvelabs.toml")),
    ("writer.toml", include_str!("../data/writer.toml")),
    ("xai.toml", include_str!("../data/xai.toml")),
    ("zai.toml", include_str!("../data/zai.toml")),
];
const FAMILIES: &str = include_str!("../data/families.toml");
const ROUTES: &str = include_str!("../data/routes.toml");
const ROUTERS: &str = include_str!("../data/routers.toml");

/// The provider name of models that run on this machine.
pub const LOCAL_PROVIDER: &str = "Outcrop";

/// What a local model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LocalKind {
    /// It converses.
    Text,
    /// It embeds, in vectors of this length.
    Embedding {
        /// The vectors' length.
        dimensions: u32,
    },
    /// It ranks.
    Rerank,
}

/// A model that runs on this machine, as the caller found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalModel {
    /// Its short name; the model id is `outcrop.<name>`.
    pub name: String,
    /// What it can do.
    pub kind: LocalKind,
    /// How many tokens it can read and write together.
    pub context: u32,
}

/// What a model of this server's own does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnKind {
    /// It converses.
    Text,
    /// It embeds, in vectors of this length where that is known.
    Embedding {
        /// The vectors' length.
        dimensions: Option<u32>,
    },
    /// It ranks.
    Rerank,
    /// It makes images.
    Image,
}

/// A model that AWS does not have, and this server does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnModel {
    /// Who has it, as lists of models show it.
    pub provider: String,
    /// What whoever has it calls it.
    pub name: String,
    /// What it does.
    pub kind: OwnKind,
    /// How many tokens it can read and write together, where that is known.
    pub context: Option<u32>,
}

impl From<LocalModel> for OwnModel {
    fn from(local: LocalModel) -> Self {
        let kind = match local.kind {
            LocalKind::Text => OwnKind::Text,
            LocalKind::Embedding { dimensions } => OwnKind::Embedding { dimensions: Some(dimensions) },
            LocalKind::Rerank => OwnKind::Rerank,
        };
        Self { provider: LOCAL_PROVIDER.to_owned(), name: local.name, kind, context: Some(local.context) }
    }
}

/// Every known model, by id.
#[derive(Debug, Clone)]
pub struct Catalogue {
    models: BTreeMap<String, Arc<Model>>,
    families: BTreeMap<String, Arc<Family>>,
    routes: BTreeMap<String, Arc<Routes>>,
    routers: Vec<DefaultRouter>,
}

impl Catalogue {
    /// The catalogue that is compiled in.
    pub fn builtin() -> Result<Self, ModelsError> {
        let families = entry::families(FAMILIES)?;
        let routes = entry::routes(ROUTES)?;
        let routers = entry::routers(ROUTERS)?;
        let mut catalogue = Self { models: BTreeMap::new(), families, routes, routers };
        for (name, text) in FILES {
            let file: File = toml::from_str(text).map_err(|e| ModelsError::catalogue(name, e))?;
            for model in file.models {
                catalogue.add(model, file.provider.as_deref()).map_err(|e| ModelsError::catalogue(name, e))?;
            }
        }
        Ok(catalogue)
    }

    /// The catalogue with these models added: `[[models]]` tables as in the files beside the source, each with its
    /// `provider`. A model with a known id replaces what was there.
    pub fn with_extra(mut self, models: &[toml::Table]) -> Result<Self, ModelsError> {
        for table in models {
            let place =
                format!("[[models]] {}", table.get("id").and_then(toml::Value::as_str).unwrap_or("without an id"));
            let told = |e: toml::de::Error| ModelsError::catalogue(&place, e.to_string().trim().replace('\n', " "));
            let entry: Entry = table.clone().try_into().map_err(told)?;
            self.add(entry, None).map_err(|e| ModelsError::catalogue(&place, e))?;
        }
        Ok(self)
    }

    /// The catalogue with the models of this machine beside the others.
    pub fn with_local(self, local: impl IntoIterator<Item = LocalModel>) -> Result<Self, ModelsError> {
        self.with_own(local.into_iter().map(|one| (format!("outcrop.{}", one.name), one.into())))
    }

    /// The catalogue with this server's own models, by id, beside the others.
    pub fn with_own(mut self, own: impl IntoIterator<Item = (String, OwnModel)>) -> Result<Self, ModelsError> {
        for (id, one) in own {
            let model = entry::own(&id, one, &self.families).map_err(|e| ModelsError::catalogue(&id, e))?;
            self.models.insert(id, Arc::new(model));
        }
        Ok(self)
    }

    fn add(&mut self, entry: Entry, provider: Option<&str>) -> Result<(), String> {
        let model = entry.build(provider, &self.families, &self.routes)?;
        self.models.insert(model.id.clone(), Arc::new(model));
        Ok(())
    }

    /// The model of this very id.
    pub fn get(&self, id: &str) -> Option<&Arc<Model>> {
        self.models.get(id)
    }

    /// The model that `id` names, and the window that a suffix such as `:48k` asks for. An unlisted window suffix of
    /// a known model is taken too: AWS adds them over time.
    pub fn find(&self, id: &str) -> Option<(&Arc<Model>, Option<u32>)> {
        if let Some(model) = self.models.get(id) {
            return Some((model, None));
        }
        // `anthropic.claude-v2:0:18k` is a window of `anthropic.claude-v2`: up to two parts may have to go.
        let mut base = id;
        for _ in 0..2 {
            let (shorter, last) = base.rsplit_once(':')?;
            base = shorter;
            let Some(model) = self.models.get(base) else { continue };
            let suffix = &id[base.len()..];
            if model.variants.iter().any(|v| v == suffix) {
                return Some((model, window(suffix)));
            }
            if base.len() + last.len() + 1 == id.len() && window(suffix).is_some() {
                return Some((model, window(suffix)));
            }
        }
        None
    }

    /// All models, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.models.values()
    }

    /// The prompt routers that AWS defines, ordered by id.
    pub fn routers(&self) -> &[DefaultRouter] {
        &self.routers
    }

    /// How many models there are.
    pub fn len(&self) -> usize {
        self.models.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }
}

/// The tokens that a suffix such as `:0:18k` or `:1m` names.
fn window(suffix: &str) -> Option<u32> {
    let last = suffix.rsplit(':').next()?;
    let (digits, unit) = match last.strip_suffix('k') {
        Some(digits) => (digits, 1_000),
        None => (last.strip_suffix('m')?, 1_000_000),
    };
    digits.parse::<u32>().ok()?.checked_mul(unit)
}
