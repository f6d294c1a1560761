//! Engines beside the embedded index that knowledge bases are kept in.

use std::collections::BTreeMap;
use std::sync::Arc;

use outcrop_api::bedrock_agent::KnowledgeBaseStorageType;
use outcrop_knowledge::{Bound, StoreKind};
use outcrop_outbound::Outbound;
use outcrop_signing::Identity;
use outcrop_vectors::{OpenSearch, OpenSearchLogin, Postgres, Qdrant, Store as Engine};
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
    pub sign: Option<Signs>,
    pub region: Option<String>,
    pub profile: Option<String>,
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

/// `sign`: the service of AWS that requests are signed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "explained in the default file")]
pub enum Signs {
    Es,
    Aoss,
}

impl Store {
    fn bound(&self, name: &str, outbound: &Outbound) -> Result<Bound, String> {
        let password = self.password.as_ref().map(SecretRef::expose);
        let told = |error: outcrop_vectors::VectorError| error.to_string();
        if self.sign.is_some() && self.kind != Speaks::Opensearch {
            return Err("only requests to an \"opensearch\" are signed".to_owned());
        }
        if self.sign.is_none() && (self.region.is_some() || self.profile.is_some()) {
            return Err("region and profile are for requests that are signed: set sign".to_owned());
        }
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
                let store = OpenSearch::new(&self.url, self.login(outbound)?, self.create, outbound).map_err(told)?;
                (StoreKind::OpenSearch, Arc::new(store))
            }
        };
        let (types, endpoints) = (self.types.clone(), self.endpoints.clone());
        Ok(Bound { name: name.to_owned(), kind, types, endpoints, store })
    }

    /// What an OpenSearch knows this server by.
    fn login(&self, outbound: &Outbound) -> Result<OpenSearchLogin, String> {
        let password = self.password.as_ref().map(SecretRef::expose);
        Ok(match (&self.user, password, self.sign) {
            (None, None, None) => OpenSearchLogin::None,
            (Some(user), Some(password), None) => OpenSearchLogin::Basic(user.clone(), password.to_owned()),
            (None, None, Some(signs)) => {
                let region = self.region.clone().ok_or("sign needs the region that is called, such as us-east-1")?;
                let service = match signs {
                    Signs::Es => "es",
                    Signs::Aoss => "aoss",
                };
                let identity = Identity::new(outbound.clone(), service, region, self.profile.clone());
                OpenSearchLogin::Signed(Box::new(identity))
            }
            _ => return Err("an \"opensearch\" has user and password, or sign, or neither".to_owned()),
        })
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
