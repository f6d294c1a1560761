//! The operations of `bedrock-agent` on knowledge bases and what belongs to them.

pub mod bases;
mod configuration;
pub(crate) mod connector;
pub mod documents;
mod embedding;
pub mod jobs;
pub mod sources;
pub mod tags;
mod vector_ingestion;

pub(crate) use vector_ingestion::chunking;

use outcrop_access::Context;
use outcrop_resources::Error;
use outcrop_store::Error as StoreError;

use crate::{KnowledgeError, broken};

/// A refused write in this crate's words: a name that is taken without what makes it unique, a full quota.
fn refusal(error: Error, full: &str) -> KnowledgeError {
    match error {
        Error::NameInUse { noun, name } => {
            let name = name.rsplit_once('/').map_or(&*name, |(_, name)| name);
            KnowledgeError::Conflict(format!("{noun} with name {name} already exists."))
        }
        Error::Store(StoreError::OutOfBounds { .. }) => KnowledgeError::Quota(full.to_owned()),
        other => other.into(),
    }
}

/// Refuses a bucket that is said to be another account's: it would open to nobody here.
fn own(cx: &Context, owner: Option<&String>) -> Result<(), KnowledgeError> {
    match owner.filter(|owner| **owner != cx.caller.account) {
        Some(owner) => broken(format!(
            "bucketOwnerAccountId {owner} is another account, and buckets are not shared between accounts. Copy the \
             documents into a bucket of account {}.",
            cx.caller.account
        )),
        None => Ok(()),
    }
}
