//! Tags, by the ARN of their resource.

pub mod bedrock;
#[cfg(test)]
mod tests;

use outcrop_access::Context;
use outcrop_store::{Batch, Error as StoreError, Key, Op, Tag};

use crate::{Error, Kind, Resources, Result, Scope};

/// The most tags of a resource.
pub const MAX_TAGS: usize = 50;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// The tags of resources of some kinds: the three tag operations of a service are one call each.
#[derive(Clone)]
pub struct Tagger {
    resources: Resources,
    kinds: &'static [Kind],
}

impl Tagger {
    pub(crate) fn new(resources: Resources, kinds: &'static [Kind]) -> Self {
        Self { resources, kinds }
    }

    /// Adds tags or replaces their values.
    pub async fn tag(&self, scope: Scope<'_>, arn: &str, tags: &[Tag]) -> Result<()> {
        check(arn, tags)?;
        for known in self.resources.store.tags(scope.owned(), arn.to_owned()).await? {
            if let Some(twin) = tags.iter().find(|tag| tag.key != known.key && same_key(&tag.key, &known.key)) {
                let (new, old) = (&twin.key, &known.key);
                return Err(Error::Validation(format!("Tag key '{new}' differs from '{old}' in letter case only.")));
            }
        }
        let tag = Op::Tag { scope: scope.owned(), arn: arn.to_owned(), tags: tags.to_vec(), max: MAX_TAGS };
        self.commit(scope, arn, tag).await
    }

    /// Takes tags away; those that are not there do not matter.
    pub async fn untag(&self, scope: Scope<'_>, arn: &str, keys: &[String]) -> Result<()> {
        self.commit(scope, arn, Op::Untag { scope: scope.owned(), arn: arn.to_owned(), keys: Some(keys.to_vec()) })
            .await
    }

    /// All tags, by key.
    pub async fn list(&self, scope: Scope<'_>, arn: &str) -> Result<Vec<Tag>> {
        let key = self.locate(scope, arn)?;
        if self.resources.store.get(key).await?.is_none() {
            return Err(not_found(arn));
        }
        Ok(self.resources.store.tags(scope.owned(), arn.to_owned()).await?)
    }

    /// The tags of `owner`'s resource, where a policy asks for them. What does not exist has none; the operation tells
    /// that it does not.
    pub async fn asked(&self, cx: &Context, owner: Scope<'_>, arn: &str) -> Result<Vec<Tag>> {
        if !cx.asks_resource_tags(arn) {
            return Ok(Vec::new());
        }
        match self.list(owner, arn).await {
            Err(Error::NotFound { .. }) => Ok(Vec::new()),
            tags => tags,
        }
    }

    /// The document behind an ARN; one of another account, region or kind has none.
    fn locate(&self, scope: Scope<'_>, arn: &str) -> Result<Key> {
        let found = self.kinds.iter().find_map(|kind| kind.id_in(scope, arn).map(|id| kind.key(scope, id)));
        found.ok_or_else(|| not_found(arn))
    }

    async fn commit(&self, scope: Scope<'_>, arn: &str, op: Op) -> Result<()> {
        let exists = Op::Require { key: self.locate(scope, arn)?, expect: None };
        match self.resources.store.commit(Batch::new([exists, op])).await {
            Ok(_) => Ok(()),
            Err(StoreError::Missing { .. }) => Err(not_found(arn)),
            Err(StoreError::TooManyTags { arn, found, max }) => Err(Error::TooManyTags { arn, found, max }),
            Err(error) => Err(error.into()),
        }
    }
}

/// Tags as policies ask for them.
pub fn pairs(tags: &[Tag]) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))
}

fn not_found(arn: &str) -> Error {
    Error::NotFound { noun: "Resource", identifier: arn.to_owned() }
}

/// The rules of tags beside what the model checks in every request: AWS keeps `aws:` for itself, and a key may come
/// but once. `arn` says whose they are, and is empty where that does not exist yet. Lengths and characters are the
/// model's `TagKey` and `TagValue`, for tags from elsewhere.
pub(crate) fn check(arn: &str, tags: &[Tag]) -> Result<()> {
    for (index, tag) in tags.iter().enumerate() {
        if !fits(&tag.key, 1, MAX_KEY) || !fits(&tag.value, 0, MAX_VALUE) {
            return Err(Error::Validation(format!("The tag with key '{}' has invalid characters or length.", tag.key)));
        }
        if tag.key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(Error::Validation("Tag keys that start with 'aws:' are reserved for system use.".to_owned()));
        }
        if tags[..index].iter().any(|earlier| same_key(&earlier.key, &tag.key)) {
            return Err(Error::Validation(format!("Duplicate tag key '{}'.", tag.key)));
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(Error::TooManyTags { arn: arn.to_owned(), found: tags.len(), max: MAX_TAGS });
    }
    Ok(())
}

/// Conditions of policies know tags by their keys in any letter case: two keys that differ in nothing else could be
/// read as either.
fn same_key(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn fits(text: &str, min: usize, max: usize) -> bool {
    let allowed =
        |letter: char| letter.is_ascii_alphanumeric() || letter.is_whitespace() || "._:/=+@-".contains(letter);
    (min..=max).contains(&text.chars().count()) && text.chars().all(allowed)
}
