//! The policies of resources: kept in the store, and in memory for whoever asks.
//!
//! A policy lives and dies with its resource: writing one demands in the same transaction that the resource exists,
//! and [`Collection::delete`](crate::Collection::delete) takes both away.

pub mod bedrock;
pub mod bedrock_agent;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use outcrop_access::{Context, Policy, PolicyKind, ResourcePolicies};
use outcrop_store::{Batch, Document, Error as StoreError, Key, NewDocument, Op};
use serde::{Deserialize, Serialize};

use crate::followed::{self, Followed, Memory};
use crate::{Error, Kind, Resources, Result, Scope};

/// The kind of the documents; its ids are the ARNs of the resources.
const KIND: &str = "resource-policy";
/// How often a write is tried where others write the same policy at the same time.
const TRIES: usize = 16;
/// What stands for a stored policy that this build cannot read: nobody is let in by mistake.
const SHUT: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#;

/// The document of the policy of `arn`.
pub(crate) fn key(arn: &str) -> Key {
    followed::key(KIND, arn)
}

/// A policy as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The document as the caller wrote it.
    pub policy: String,
    /// Which writing of it.
    pub revision: String,
}

/// The policies of all resources.
pub struct Policies {
    resources: Resources,
    /// What can have a policy by the operations of `bedrock`.
    kinds: &'static [Kind],
    followed: Followed<ResourcePolicies>,
}

impl Policies {
    /// Reads all of them. `kinds` can have one by the operations of `bedrock`.
    pub async fn open(resources: Resources, kinds: &'static [Kind]) -> Result<Self> {
        let followed = Followed::open(resources.clone(), KIND, ResourcePolicies::default()).await?;
        Ok(Self { resources, kinds, followed })
    }

    /// All of them as contexts carry them.
    pub fn in_memory(&self) -> ResourcePolicies {
        self.followed.memory().clone()
    }

    /// Writes the policy of a resource that exists; `expect` is the revision that the caller has read.
    async fn put(&self, resource: Key, arn: &str, policy: &str, expect: Option<&str>) -> Result<Stored> {
        Policy::parse(policy, PolicyKind::Resource).map_err(|error| Error::Validation(error.to_string()))?;
        let stored = Stored { policy: policy.to_owned(), revision: uuid::Uuid::new_v4().to_string() };
        let body = serde_json::to_vec(&stored).map_err(|error| Error::Internal(error.to_string()))?;
        for _ in 0..TRIES {
            let old = self.resources.store.get(key(arn)).await?;
            if expect.is_some() && old.as_ref().map(read).transpose()?.map(|old| old.revision).as_deref() != expect {
                return Err(Error::Revision(arn.to_owned()));
            }
            let (key, body, name) = (key(arn), body.clone(), None);
            let write = match old {
                Some(old) => Op::Put { key, expect: Some(old.version), name, body },
                None => Op::Insert(NewDocument { key, name, parent: None, body, sealed_by: None }),
            };
            let exists = Op::Require { key: resource.clone(), expect: None };
            match self.resources.store.commit(Batch::new([exists, write])).await {
                Ok(_) => {
                    self.catch_up().await?;
                    return Ok(stored);
                }
                // Another has written or removed it in between.
                Err(StoreError::Exists { .. } | StoreError::Stale { .. }) => {}
                Err(StoreError::Missing { kind, .. }) if kind == KIND => {}
                Err(StoreError::Missing { .. }) => return Err(missing(arn)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Store(StoreError::Busy))
    }

    async fn get(&self, arn: &str) -> Result<Stored> {
        let document = self.resources.store.get(key(arn)).await?;
        read(&document.ok_or_else(|| Error::NoPolicy(arn.to_owned()))?)
    }

    async fn delete(&self, arn: &str, expect: Option<&str>) -> Result<()> {
        for _ in 0..TRIES {
            let Some(old) = self.resources.store.get(key(arn)).await? else {
                return Err(Error::NoPolicy(arn.to_owned()));
            };
            if expect.is_some_and(|expect| read(&old).map_or(true, |old| old.revision != expect)) {
                return Err(Error::Revision(arn.to_owned()));
            }
            match self.resources.store.commit(Op::Delete { key: key(arn), expect: Some(old.version) }.into()).await {
                Ok(_) => return self.catch_up().await,
                Err(StoreError::Stale { .. } | StoreError::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Store(StoreError::Busy))
    }

    /// The document of the resource of the caller that `arn` names, if there is one and the caller may do this to it.
    async fn resource(&self, kinds: &[Kind], cx: &Context, action: &str, arn: &str) -> Result<Key> {
        let scope = Scope { account: &cx.caller.account, region: &cx.region };
        let key = kinds.iter().find_map(|kind| kind.id_in(scope, arn).map(|id| kind.key(scope, id)));
        let key = key.ok_or_else(|| missing(arn))?;
        // Who may not is not told what exists.
        let tags = match cx.asks_resource_tags(arn) {
            true => self.resources.store.tags(scope.owned(), arn.to_owned()).await?,
            false => Vec::new(),
        };
        let tags = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
        cx.ask(action).on(arn).resource_tags(tags).check()?;
        match self.resources.store.get(key.clone()).await? {
            Some(_) => Ok(key),
            None => Err(missing(arn)),
        }
    }

    /// Brings into memory what has changed since; what this call has seen committed is there when it returns.
    pub async fn catch_up(&self) -> Result<()> {
        self.followed.catch_up().await
    }

    /// Keeps memory fresh until it is dropped: others' writes arrive by the store's change feed.
    pub async fn follow(&self) {
        self.followed.follow().await;
    }
}

impl Memory for ResourcePolicies {
    fn replace(&self, all: Vec<Document>) {
        let all = all.iter().map(|document| (document.key.id.clone(), compile(document)));
        ResourcePolicies::replace(self, all.collect());
    }

    fn update(&self, changes: Vec<(String, Option<Document>)>) {
        let changes: Vec<_> =
            changes.into_iter().map(|(arn, document)| (arn, document.as_ref().map(compile))).collect();
        ResourcePolicies::update(self, &changes);
    }
}

fn missing(arn: &str) -> Error {
    Error::NotFound { noun: "Resource", identifier: arn.to_owned() }
}

fn read(document: &Document) -> Result<Stored> {
    serde_json::from_slice(&document.body).map_err(|error| Error::Unreadable {
        kind: KIND,
        id: document.key.id.clone(),
        reason: error.to_string(),
    })
}

fn compile(document: &Document) -> Arc<Policy> {
    let policy = read(document)
        .map_err(|error| error.to_string())
        .and_then(|stored| Policy::parse(&stored.policy, PolicyKind::Resource).map_err(|error| error.to_string()));
    Arc::new(policy.unwrap_or_else(|error| {
        tracing::error!(resource = document.key.id, error, "its policy cannot be read: everything is denied");
        Policy::parse(SHUT, PolicyKind::Resource).unwrap_or_default()
    }))
}
