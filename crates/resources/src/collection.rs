//! The resources of one kind.

#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use jiff::Timestamp;
use outcrop_store::{Batch, ClientToken, Cursor, Document, Error as StoreError, NewDocument, Op, Query, Receipt};
use serde::{Serialize, de::DeserializeOwned};

use crate::policies;
use crate::tags::{self, MAX_TAGS};
use crate::{Create, Error, Kind, Listed, Page, Resources, Result, Scope};

/// How often a write is tried where others write the same resource at the same time.
const TRIES: usize = 16;
/// Documents that one page reads at most where its filter keeps few: a page may be short and still have a next.
const SCAN: usize = 10_000;
/// Documents that are read at a time while a filter keeps few.
const STRIDE: usize = 500;

/// A stored resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource<T> {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its unique name.
    pub name: Option<String>,
    /// The id of the resource it belongs to.
    pub parent: Option<String>,
    /// Counts its writes, from 1; not the numbered versions that some kinds have.
    pub revision: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last written.
    pub updated: Timestamp,
    /// What is kept of it.
    pub value: T,
}

/// The resources of one kind, as `T`. Every identifier is an id or an ARN.
pub struct Collection<T> {
    resources: Resources,
    kind: &'static Kind,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self::new(self.resources.clone(), self.kind)
    }
}

impl<T> Collection<T> {
    pub(crate) fn new(resources: Resources, kind: &'static Kind) -> Self {
        Self { resources, kind, value: PhantomData }
    }

    fn not_found(&self, identifier: &str) -> Error {
        Error::NotFound { noun: self.kind.noun, identifier: identifier.to_owned() }
    }

    fn id<'a>(&self, scope: Scope<'_>, identifier: &'a str) -> Result<&'a str> {
        self.kind.id(scope, identifier).ok_or_else(|| self.not_found(identifier))
    }

    /// The store's refusal in the words of this kind.
    fn refusal(&self, error: StoreError) -> Error {
        let noun = self.kind.noun;
        match error {
            StoreError::Missing { id, .. } => Error::NotFound { noun, identifier: id },
            StoreError::Exists { id, .. } => Error::Exists { noun, id },
            StoreError::NameTaken { name, .. } => Error::NameInUse { noun, name },
            StoreError::Stale { key, .. } => Error::Changed { noun, id: key.id },
            StoreError::TokenReused => Error::TokenReused,
            StoreError::UnknownKeyName(name) => Error::KmsKeyGone { name },
            StoreError::TooManyTags { arn, found, max } => Error::TooManyTags { arn, found, max },
            other => Error::Store(other),
        }
    }

    /// Removes a resource, its tags and its policy. What belongs to it is its owner's to remove.
    pub async fn delete(&self, scope: Scope<'_>, identifier: &str) -> Result<()> {
        self.delete_with(scope, identifier, Vec::new()).await
    }

    /// The same with further steps of the same transaction.
    pub async fn delete_with(&self, scope: Scope<'_>, identifier: &str, also: Vec<Op>) -> Result<()> {
        let id = self.id(scope, identifier)?;
        match self.remove(scope, id, None, also).await {
            Err(StoreError::Missing { .. }) => Err(self.not_found(identifier)),
            done => done.map_err(|error| self.refusal(error)),
        }
    }

    /// The same for what was read: [`Error::Changed`] where another has written it since.
    pub async fn delete_at(&self, scope: Scope<'_>, read: &Resource<T>, also: Vec<Op>) -> Result<()> {
        self.remove(scope, &read.id, Some(read.revision), also).await.map_err(|error| self.refusal(error))
    }

    async fn remove(&self, scope: Scope<'_>, id: &str, expect: Option<u64>, also: Vec<Op>) -> Result<(), StoreError> {
        let arn = self.kind.arn(scope, id);
        let mut ops = vec![
            Op::Delete { key: self.kind.key(scope, id), expect },
            Op::Discard { key: policies::key(&arn) },
            Op::Untag { scope: scope.owned(), arn, keys: None },
        ];
        ops.extend(also);
        self.resources.store.commit(Batch::new(ops)).await.map(drop)
    }
}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    /// Makes a resource, or answers the one that the same request has made before.
    pub async fn create(&self, scope: Scope<'_>, new: Create<'_, T>) -> Result<Resource<T>> {
        self.create_once(scope, new).await.map(|(made, _)| made)
    }

    /// The same, and whether this call has made it.
    pub async fn create_once(&self, scope: Scope<'_>, new: Create<'_, T>) -> Result<(Resource<T>, bool)> {
        tags::check("", new.tags)?;
        let body = self.write(new.value)?;
        let sealed_by = new.kms_key.map(|key| self.resources.kms.name(scope, key)).transpose()?;
        let fingerprint = new.client_token.map(|_| new.fingerprint()).transpose()?;
        for _ in 0..TRIES {
            let id = new.id.map_or_else(|| self.kind.ids.generate(), |id| Ok(id.to_owned()))?;
            let key = self.kind.key(scope, &id);
            let token = new.client_token.zip(fingerprint.clone()).map(|(token, fingerprint)| ClientToken {
                scope: scope.owned(),
                operation: token.operation.to_owned(),
                token: token.token.to_owned(),
                fingerprint,
                makes: key.clone(),
            });
            let insert = Op::Insert(NewDocument {
                key,
                name: new.name.map(str::to_owned),
                parent: new.parent.map(str::to_owned),
                body: body.clone(),
                sealed_by: sealed_by.clone(),
            });
            let tag = Op::Tag {
                scope: scope.owned(),
                arn: self.kind.arn(scope, &id),
                tags: new.tags.to_vec(),
                max: MAX_TAGS,
            };
            let also = new.also.map(|also| also(&self.kind.arn(scope, &id))).transpose()?.unwrap_or_default();
            let ops: Vec<_> = [insert, tag].into_iter().chain(also).collect();
            let (made, is_new) = match self.resources.store.commit(Batch::new(ops).once(token)).await {
                Ok(Receipt::Done(_)) => (id, true),
                Ok(Receipt::Replayed(first)) => (first.id, false),
                Err(StoreError::Exists { .. }) if new.id.is_none() => continue, // A new id that is taken: another.
                Err(error) => return Err(self.refusal(error)),
            };
            match self.get(scope, &made).await {
                Err(Error::NotFound { .. }) => {} // Deleted since, and its token with it.
                got => return got.map(|found| (found, is_new)),
            }
        }
        Err(Error::Store(StoreError::Busy))
    }

    /// The resource of an id or ARN.
    pub async fn get(&self, scope: Scope<'_>, identifier: &str) -> Result<Resource<T>> {
        let key = self.kind.key(scope, self.id(scope, identifier)?);
        let document = self.resources.store.get(key).await?;
        self.read(scope, document.ok_or_else(|| self.not_found(identifier))?)
    }

    /// The resource of a unique name.
    pub async fn find(&self, scope: Scope<'_>, name: &str) -> Result<Option<Resource<T>>> {
        let document = self.resources.store.find(scope.owned(), self.kind.name.to_owned(), name.to_owned()).await?;
        document.map(|document| self.read(scope, document)).transpose()
    }

    /// Writes what was read and altered: value and name. [`Error::Changed`] where another has written it since.
    pub async fn save(&self, scope: Scope<'_>, resource: Resource<T>) -> Result<Resource<T>> {
        self.save_with(scope, resource, Vec::new()).await
    }

    async fn save_with(&self, scope: Scope<'_>, resource: Resource<T>, also: Vec<Op>) -> Result<Resource<T>> {
        let put = Op::Put {
            key: self.kind.key(scope, &resource.id),
            expect: Some(resource.revision),
            name: resource.name,
            body: self.write(&resource.value)?,
        };
        let ops: Vec<_> = std::iter::once(put).chain(also).collect();
        let receipt = self.resources.store.commit(Batch::new(ops)).await.map_err(|error| self.refusal(error))?;
        match receipt.outcomes().into_iter().next() {
            Some(outcrop_store::Outcome::Document(document)) => self.read(scope, document),
            _ => Err(self.not_found(&resource.id)),
        }
    }

    /// Reads, alters and writes; again from the start where another has written in between, so `change` sees every
    /// earlier write and may run more than once.
    pub async fn update<E: From<Error>>(
        &self,
        scope: Scope<'_>,
        identifier: &str,
        change: impl Fn(&mut Resource<T>) -> Result<(), E>,
    ) -> Result<Resource<T>, E> {
        self.update_with(scope, identifier, |resource| change(resource).map(|()| Vec::new())).await
    }

    /// The same with further steps of the same transaction, which `change` answers.
    pub async fn update_with<E: From<Error>>(
        &self,
        scope: Scope<'_>,
        identifier: &str,
        change: impl Fn(&mut Resource<T>) -> Result<Vec<Op>, E>,
    ) -> Result<Resource<T>, E> {
        let mut tries = 0;
        loop {
            let mut resource = self.get(scope, identifier).await?;
            let also = change(&mut resource)?;
            tries += 1;
            match self.save_with(scope, resource, also).await {
                Err(Error::Changed { .. }) if tries < TRIES => {}
                result => return result.map_err(E::from),
            }
        }
    }

    /// A page of those that `keep` keeps, oldest first or as [`Page::order`] says. What `keep` goes by must be in [`Page::filter`].
    pub async fn list(
        &self,
        scope: Scope<'_>,
        page: &Page<'_>,
        keep: impl Fn(&Resource<T>) -> bool,
    ) -> Result<Listed<Resource<T>>> {
        self.list_after(scope, page, Vec::new(), |resource| keep(&resource).then_some(resource)).await
    }

    /// The same for a list that begins with `fixed` entries, which are in no store: Bedrock's own before the
    /// account's. `show` turns a resource into an entry, or leaves it out.
    pub async fn list_after<R>(
        &self,
        scope: Scope<'_>,
        page: &Page<'_>,
        fixed: Vec<R>,
        show: impl Fn(Resource<T>) -> Option<R>,
    ) -> Result<Listed<R>> {
        let pager = self.resources.pager(scope, page)?;
        // A place is the index of the next fixed entry, or the cursor of the last stored one that was read.
        let (mut skip, mut after) = match pager.start() {
            None => (0, None),
            Some(place) => match (place.strip_prefix('f').map(str::parse), place.strip_prefix('s').map(str::parse)) {
                (Some(Ok(index)), _) => (index, None),
                (_, Some(Ok(cursor))) => (usize::MAX, Some(Cursor(cursor))),
                _ => return Err(pager.invalid()),
            },
        };
        let count = fixed.len();
        let mut items: Vec<R> = fixed.into_iter().skip(skip).take(pager.limit()).collect();
        skip = skip.saturating_add(items.len());
        if skip < count {
            return Ok(Listed { items, next_token: Some(pager.seal(&format!("f{skip}"))?) });
        }
        let mut scanned = 0;
        loop {
            // One more than wanted tells whether there is a next page; many, once the filter has kept too few.
            let limit = (pager.limit() - items.len() + 1).max(if scanned > 0 { STRIDE } else { 0 });
            let documents = self.documents(scope, page, after, limit).await?;
            let last = documents.len() < limit;
            scanned += documents.len();
            for document in documents {
                let place = document.cursor;
                let Some(item) = show(self.read(scope, document)?) else {
                    after = Some(place);
                    continue;
                };
                if items.len() == pager.limit() {
                    let place = after.map_or_else(|| format!("f{skip}"), |Cursor(cursor)| format!("s{cursor}"));
                    return Ok(Listed { items, next_token: Some(pager.seal(&place)?) });
                }
                items.push(item);
                after = Some(place);
            }
            if last {
                return Ok(Listed { items, next_token: None });
            }
            if let Some(Cursor(cursor)) = after.filter(|_| scanned >= SCAN) {
                return Ok(Listed { items, next_token: Some(pager.seal(&format!("s{cursor}"))?) });
            }
        }
    }

    async fn documents(
        &self,
        scope: Scope<'_>,
        page: &Page<'_>,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Document>> {
        let (kind, parent) = (self.kind.name.to_owned(), page.parent.map(str::to_owned));
        let query = Query { scope: scope.owned(), kind, parent, after, order: page.order, limit };
        Ok(self.resources.store.list(query).await?)
    }

    fn write(&self, value: &T) -> Result<Vec<u8>> {
        serde_json::to_vec(value).map_err(|error| Error::Validation(error.to_string()))
    }

    fn read(&self, scope: Scope<'_>, document: Document) -> Result<Resource<T>> {
        let id = document.key.id;
        let value = serde_json::from_slice(&document.body).map_err(|error| Error::Unreadable {
            kind: self.kind.name,
            id: id.clone(),
            reason: error.to_string(),
        })?;
        Ok(Resource {
            arn: self.kind.arn(scope, &id),
            id,
            name: document.name,
            parent: document.parent,
            revision: document.version,
            created: document.created,
            updated: document.updated,
            value,
        })
    }
}
