//! The policies of resources: kept in the store, and in memory for whoever asks.
//!
//! A policy lives and dies with its resource: writing one demands in the same transaction that the resource exists,
//! and [`Collection::delete`](crate::Collection::delete) takes both away.

pub mod bedrock;
pub mod bedrock_agent;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use outcrop_access::{Context, Policy, PolicyKind, ResourcePolicies};
use outcrop_store::{Batch, Change, Cursor, Document, Error as StoreError, Key, NewDocument, Op, Order, Query};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{Error, Kind, Resources, Result, Scope};

/// The kind of the documents; its ids are the ARNs of the resources.
const KIND: &str = "resource-policy";
/// All policies stand in one place, because all of them are in memory; the ARN says whose each is.
const EVERYONE: Scope<'static> = Scope { account: "", region: "" };
/// How often a write is tried where others write the same policy at the same time.
const TRIES: usize = 16;
/// Documents and changes that are read at a time.
const STRIDE: usize = 500;
/// What stands for a stored policy that this build cannot read: nobody is let in by mistake.
const SHUT: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#;

/// The document of the policy of `arn`.
pub(crate) fn key(arn: &str) -> Key {
    EVERYONE.owned().key(KIND, arn)
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
    in_memory: ResourcePolicies,
    /// The last change that is in memory.
    seen: Mutex<u64>,
}

impl Policies {
    /// Reads all of them. `kinds` can have one by the operations of `bedrock`.
    pub async fn open(resources: Resources, kinds: &'static [Kind]) -> Result<Self> {
        let policies = Self { resources, kinds, in_memory: ResourcePolicies::default(), seen: Mutex::new(0) };
        let mut seen = policies.seen.lock().await;
        *seen = policies.read_all().await?;
        drop(seen);
        Ok(policies)
    }

    /// All of them as contexts carry them.
    pub fn in_memory(&self) -> ResourcePolicies {
        self.in_memory.clone()
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
        let mut seen = self.seen.lock().await;
        loop {
            let changes = match self.resources.store.changes(*seen, STRIDE).await {
                Err(StoreError::Lagged { .. }) => {
                    *seen = self.read_all().await?;
                    return Ok(());
                }
                changes => changes?,
            };
            let Some(last) = changes.last().map(|change| change.sequence) else { return Ok(()) };
            self.apply(&changes).await?;
            *seen = last;
        }
    }

    /// Keeps memory fresh until it is dropped: others' writes arrive by the store's change feed.
    pub async fn follow(&self) {
        let mut ticks = self.resources.store.watch();
        while ticks.changed().await.is_ok() {
            if let Err(error) = self.catch_up().await {
                tracing::error!(%error, "resource policies are not up to date; the next change tries again");
            }
        }
    }

    async fn apply(&self, changes: &[Change]) -> Result<()> {
        let mut updates = Vec::new();
        for change in changes.iter().filter(|change| change.key.kind == KIND) {
            let document = self.resources.store.get(change.key.clone()).await?;
            updates.push((change.key.id.clone(), document.as_ref().map(compile)));
        }
        if !updates.is_empty() {
            self.in_memory.update(&updates);
        }
        Ok(())
    }

    /// Reads everything; what changes meanwhile comes after the answered sequence.
    async fn read_all(&self) -> Result<u64> {
        let seen = self.resources.store.latest_change().await?;
        let (mut all, mut after) = (HashMap::new(), None::<Cursor>);
        loop {
            let (scope, kind, order) = (EVERYONE.owned(), KIND.to_owned(), Order::OldestFirst);
            let query = Query { scope, kind, parent: None, after, order, limit: STRIDE };
            let documents = self.resources.store.list(query).await?;
            let Some(last) = documents.last() else { break };
            after = Some(last.cursor);
            all.extend(documents.iter().map(|document| (document.key.id.clone(), compile(document))));
        }
        self.in_memory.replace(all);
        Ok(seen)
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
