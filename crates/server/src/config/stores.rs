//! Engines beside the embedded index that knowledge bases are kept in.

use std::collections::BTreeMap;
use std::sync::Arc;

use outcrop_api::bedrock_agent::KnowledgeBaseStorageType;
use outcrop_knowledge::{Bound, StoreKind};
use outcrop_outbound::Outbound;
use outcrop_vectors::{OpenSearch, Postgres, Qdrant, Store as Engine};
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, SecretRef, impossible};

/// `[knowledge.stores.NAME]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Store {
    pub kind: Speaks,
    pub url: String,
    pub types: Vec<String>,
    #[serde(default)]
    pub endpoints: Vec<String>,
    pub user: Option<String>,
    pub password: Option<SecretRef>,
    #[serde(default)]
    pub create: bool,
}

/// `kind`: what an engine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "explained in the default file")]
pub enum Speaks {
    Postgres,
    Qdrant,
    Opensearch,
}

impl Store {
    fn bound(&self, name: &str, outbound: &Outbound) -> Result<Bound, String> {
        let password = self.password.as_ref().map(SecretRef::expose);
        let told = |error: outcrop_vectors::VectorError| error.to_string();
        let (kind, store): (_, Arc<dyn Engine>) = match self.kind {
            Speaks::Postgres => {
                if self.user.is_some() {
                    return Err("the user of a \"postgres\" stands in its url".to_owned());
                }
                let store = Postgres::new(&self.url, password, self.create, outbound.clone()).map_err(told)?;
                (StoreKind::Postgres, Arc::new(store))
            }
            Speaks::Qdrant => {
                if self.user.is_some() {
                    return Err("a \"qdrant\" has no user: its API key is the password".to_owned());
                }
                let store = Qdrant::new(&self.url, password, outbound).map_err(told)?;
                (StoreKind::Qdrant, Arc::new(store))
            }
            Speaks::Opensearch => {
                if self.user.is_some() != password.is_some() {
                    return Err("an \"opensearch\" has user and password, or neither".to_owned());
                }
                let user = self.user.as_deref().zip(password);
                let store = OpenSearch::new(&self.url, user, self.create, outbound).map_err(told)?;
                (StoreKind::OpenSearch, Arc::new(store))
            }
        };
        let (types, endpoints) = (self.types.clone(), self.endpoints.clone());
        Ok(Bound { name: name.to_owned(), kind, types, endpoints, store })
    }
}

impl Config {
    /// The engines that the configuration names, none of them connected to yet.
    pub(crate) fn stores(&self, outbound: &Outbound) -> Result<Vec<Bound>, ConfigError> {
        let stores = self.knowledge.stores.iter();
        let bound = stores.map(|(name, store)| {
            let key = format!("knowledge.stores.{name}");
            store.bound(name, outbound).map_err(|what| ConfigError::Access { key, what })
        });
        bound.collect()
    }
}

pub(super) fn check(stores: &BTreeMap<String, Store>) -> Result<(), ConfigError> {
    let mut whole: BTreeMap<&str, &str> = BTreeMap::new();
    let mut named: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for (name, store) in stores {
        let key = format!("knowledge.stores.{name}");
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err(impossible("knowledge.stores", name, "a name of letters, digits, - and _"));
        }
        if store.types.is_empty() {
            return Err(impossible(&format!("{key}.types"), "[]", "the storage types that it serves"));
        }
        for one in &store.types {
            let known = KnowledgeBaseStorageType::VALUES;
            if !known.contains(&one.as_str()) {
                return Err(impossible(&format!("{key}.types"), one, &format!("some of {}", known.join(", "))));
            }
            // Who serves what must not depend on the order of names.
            let other = match store.endpoints.is_empty() {
                true => whole.insert(one, name),
                false => store.endpoints.iter().find_map(|endpoint| named.insert((one, endpoint), name)),
            };
            if let Some(other) = other {
                let expected = format!("served by one store: {other} serves it too, so set endpoints of either");
                return Err(impossible(&format!("{key}.types"), one, &expected));
            }
        }
    }
    Ok(())
}
