//! Documents: the JSON of one resource, its address and its version.

use jiff::Timestamp;

/// Whose: every address starts with an account and a region, so nothing is ever found from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// The twelve digits of an AWS account.
    pub account: String,
    /// An AWS region's name.
    pub region: String,
}

impl Scope {
    /// The scope of `account` in `region`.
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// The address of `kind` `id` in this scope.
    pub fn key(&self, kind: impl Into<String>, id: impl Into<String>) -> Key {
        Key { scope: self.clone(), kind: kind.into(), id: id.into() }
    }
}

/// A document's address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Whose it is.
    pub scope: Scope,
    /// What it is; the store only compares it.
    pub kind: String,
    /// Which one.
    pub id: String,
}

/// A document to be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// Its address, which must be free.
    pub key: Key,
    /// A second address, unique within scope and kind.
    pub name: Option<String>,
    /// The id of the document it belongs to; only [`Query::parent`] reads it.
    pub parent: Option<String>,
    /// Its JSON; the store does not look inside.
    pub body: Vec<u8>,
    /// The name of the key that seals its body, from now on; the store's default one, if any, where it is `None`.
    pub sealed_by: Option<String>,
}

/// A document as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its address.
    pub key: Key,
    /// Its second address.
    pub name: Option<String>,
    /// The id of the document it belongs to.
    pub parent: Option<String>,
    /// 1 when inserted, one more with every put.
    pub version: u64,
    /// Its JSON.
    pub body: Vec<u8>,
    /// When it was inserted.
    pub created: Timestamp,
    /// When it was last put.
    pub updated: Timestamp,
    /// The name of the key that its body is sealed with; `None` where it lies in clear.
    pub sealed_by: Option<String>,
    /// Its place in every list.
    pub cursor: Cursor,
}

/// A place in a list. Documents are listed in the order of their creation, which no update changes; the number
/// means nothing else and may have holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(pub i64);

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By creation, ascending.
    #[default]
    OldestFirst,
    /// By creation, descending.
    NewestFirst,
}

/// One page of the documents of a kind. Costs what the page costs, not what the list does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Whose.
    pub scope: Scope,
    /// What.
    pub kind: String,
    /// Only those that belong to this one.
    pub parent: Option<String>,
    /// Only those past this place.
    pub after: Option<Cursor>,
    /// Which end comes first.
    pub order: Order,
    /// At most so many.
    pub limit: usize,
}

/// A tag of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// Unique on its resource.
    pub key: String,
    /// May be empty.
    pub value: String,
}
