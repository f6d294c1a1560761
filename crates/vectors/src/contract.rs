//! The contract of an engine.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Filter, Hit, Metadata, Query, Replace, Result, Said, Shape};

/// A place that holds indexes, one for each knowledge base.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// The index of a knowledge base; made where there is none. [`VectorError::Shape`](crate::VectorError::Shape)
    /// where it holds vectors of another shape.
    async fn open(&self, base: &str, shape: Shape) -> Result<Arc<dyn Index>>;
    /// Deletes an index and what it holds, there or not.
    async fn discard(&self, base: &str) -> Result<()>;
    /// Whether it can search by words too.
    fn hybrid(&self) -> bool;
}

/// An engine that is there already: what the operator points knowledge bases at.
pub trait Store: Send + Sync + 'static {
    /// Its indexes: each in a table or collection of its own, or all in `place`, beside what others keep there.
    fn at(&self, place: Option<Place>) -> Arc<dyn Engine>;
}

/// A table or index that its owner made, and its fields, as a knowledge base declares them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The database that it is in, where there are several.
    pub database: Option<String>,
    /// Its name.
    pub name: String,
    /// A chunk's key, where the owner's table has such a column.
    pub key: Option<String>,
    /// A chunk's vector.
    pub vector: String,
    /// Its text.
    pub text: String,
    /// What this program keeps beside them, as JSON.
    pub metadata: String,
    /// Its attributes, as JSON; without it they are a part of the metadata.
    pub attributes: Option<String>,
}

/// One knowledge base's chunks. A write that is acknowledged is durable and seen by the next query; a document is
/// replaced or removed in one step, so that no query sees half of it.
#[async_trait]
pub trait Index: Send + Sync + 'static {
    /// Replaces what these documents have, each by its new chunks; none removes it.
    async fn replace(&self, documents: Vec<Replace>) -> Result<()>;
    /// Gives every chunk of a document these attributes in place of what it had. What a chunk has of names that begin as
    /// one of `own` is its own, and stays; none of the rest does.
    async fn describe(&self, source: &str, document: &str, own: &[&str], metadata: Metadata) -> Result<()>;
    /// Removes everything that came from a source.
    async fn forget(&self, source: &str) -> Result<()>;
    /// What a question's words find by themselves, for a hybrid search that still waits for the question's vector.
    /// Nothing where that would not make it quicker.
    async fn words(&self, _text: &str, _filter: Option<&Filter>, _limit: usize) -> Result<Option<Said>> {
        Ok(None)
    }
    /// What fits a query best, best first.
    async fn search(&self, query: Query) -> Result<Vec<Hit>>;
    /// How much there is.
    async fn stats(&self) -> Result<Stats>;
}

/// How much an index holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Documents with at least one chunk.
    pub documents: u64,
    /// Chunks.
    pub chunks: u64,
    /// Bytes on disk, where known.
    pub bytes: u64,
}
