//! What every resource shares: ids, ARNs, names, client tokens, paging, tags, policies and the change feed.
//!
//! Does: turns create, get, list, update, delete and tag of a kind of resource into one call each, in which account
//! and region are never forgotten. What another account or region owns does not exist, unless its own policy
//! ([`Policies`]) shares it.
//! Never: knows one resource's rules, or what its document says.
//!
//! Start at [`Collection`]: a [`Kind`] says what the resource is called, a serde type what is kept of it.
//!
//! ```no_run
//! # use outcrop_resources::*;
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Profile { models: Vec<String> }
//!
//! const PROFILE: Kind =
//!     Kind { name: "inference-profile", noun: "Inference profile", arn: "application-inference-profile", ids: Ids::Lower };
//!
//! # async fn example(resources: Resources, scope: Scope<'_>) -> Result<()> {
//! let profiles: Collection<Profile> = resources.collection(&PROFILE);
//! let value = Profile { models: vec![] };
//! let made = profiles.create(scope, Create { name: Some("mine"), ..Create::new(&value) }).await?;
//! assert_eq!(profiles.get(scope, &made.arn).await?.id, made.id);
//! # Ok(()) }
//! ```

mod collection;
mod create;
mod error;
mod followed;
mod ids;
mod kind;
mod kms;
mod mirror;
mod paging;
pub mod policies;
pub mod tags;
#[cfg(test)]
mod testing;

use std::sync::Arc;

pub use collection::{Collection, Resource};
pub use create::{Also, ClientToken, Create};
pub use error::{Error, Result};
pub use ids::Ids;
pub use kind::{Kind, Scope};
pub use kms::KmsKeys;
pub use mirror::Mirror;
pub use outcrop_store::{Op, Order, Tag};
pub use paging::{DEFAULT_RESULTS, Listed, MAX_RESULTS, Page, Pager};
pub use policies::Policies;
pub use tags::{MAX_TAGS, Tagger};

use outcrop_store::Store;
use paging::PagingKey;

/// The way to all resources. Cheap to clone.
#[derive(Clone)]
pub struct Resources {
    store: Arc<dyn Store>,
    paging: PagingKey,
    kms: KmsKeys,
}

impl Resources {
    /// Resources in `store`. The key of its pagination tokens is made on the first call and kept there, so that
    /// tokens outlive a restart and are good on every node.
    pub async fn open(store: Arc<dyn Store>) -> Result<Self> {
        let paging = PagingKey::load_or_make(&*store).await?;
        Ok(Self { store, paging, kms: KmsKeys::default() })
    }

    /// The same, with KMS keys that callers may name.
    pub fn with_kms(self, kms: KmsKeys) -> Self {
        Self { kms, ..self }
    }

    /// The KMS keys that callers may name, for what is kept elsewhere than in a [`Collection`]: blobs, queue rows.
    pub fn kms(&self) -> &KmsKeys {
        &self.kms
    }

    /// The resources of one kind.
    pub fn collection<T>(&self, kind: &'static Kind) -> Collection<T> {
        Collection::new(self.clone(), kind)
    }

    /// The tags of resources of these kinds, by ARN.
    pub fn tagger(&self, kinds: &'static [Kind]) -> Tagger {
        Tagger::new(self.clone(), kinds)
    }

    /// The pages of a list that is not a [`Collection`]'s alone.
    pub fn pager<'a>(&'a self, scope: Scope<'a>, page: &Page<'a>) -> Result<Pager<'a>> {
        Pager::new(&self.paging, scope, page)
    }

    /// The store, for what is no resource: queues, counters, secrets, and the change feed
    /// ([`Store::changes`], [`Store::watch`]).
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }
}
