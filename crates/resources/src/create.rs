//! Creating: the one write with a client token.

use outcrop_store::{Op, Tag};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// A caller's idempotency token and the operation it came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientToken<'a> {
    /// `CreateInferenceProfile`; the same token means nothing in another operation.
    pub operation: &'static str,
    /// What the caller sent.
    pub token: &'a str,
}

/// Further steps of a transaction, by the ARN of the resource that it makes.
pub type Also<'a> = dyn Fn(&str) -> Result<Vec<Op>> + Send + Sync + 'a;

/// What is to be made.
pub struct Create<'a, T> {
    /// Its id; a new one where the caller has no say in it.
    pub id: Option<&'a str>,
    /// A name that is unique in account and region.
    pub name: Option<&'a str>,
    /// Makes a repeated call answer the first one's resource.
    pub client_token: Option<ClientToken<'a>>,
    /// The id of the resource it belongs to.
    pub parent: Option<&'a str>,
    /// Its first tags.
    pub tags: &'a [Tag],
    /// The KMS key that the caller names: an ARN, an id or an alias. What is kept of it is sealed with the named key
    /// that the configuration binds to it.
    pub kms_key: Option<&'a str>,
    /// Further steps of the same transaction, by the new resource's ARN.
    pub also: Option<&'a Also<'a>>,
    /// What is kept of it. Where a client token is given this must follow from the request alone (no clock, no
    /// random numbers): two calls are the same request where name, parent, tags, KMS key and value are.
    pub value: &'a T,
}

impl<'a, T> Create<'a, T> {
    /// Makes `value`, with nothing else.
    pub fn new(value: &'a T) -> Self {
        Self { id: None, name: None, client_token: None, parent: None, tags: &[], kms_key: None, also: None, value }
    }
}

impl<T: Serialize> Create<'_, T> {
    /// A digest that is equal where the requests are. An id is made for a request, and no part of it.
    pub(crate) fn fingerprint(&self) -> Result<Vec<u8>> {
        let mut tags: Vec<_> = self.tags.iter().map(|tag| (&tag.key, &tag.value)).collect();
        tags.sort();
        let value = serde_json::to_value(self.value).and_then(|mut value| {
            value.sort_all_objects(); // A map's order is no difference.
            match self.kms_key {
                None => serde_json::to_vec(&(self.name, self.parent, tags, value)),
                Some(key) => serde_json::to_vec(&(self.name, self.parent, tags, value, key)),
            }
        });
        let value = value.map_err(|error| Error::Validation(error.to_string()))?;
        Ok(Sha256::digest(value).to_vec())
    }
}
