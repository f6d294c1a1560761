//! The contract of an engine.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Hit, Metadata, Query, Replace, Result, Shape};

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

/// One knowledge base's chunks. A write that is acknowledged is durable and seen by the next query; a document is
/// replaced or removed in one step, so that no query sees half of it.
#[async_trait]
pub trait Index: Send + Sync + 'static {
    /// Replaces what these documents have, each by its new chunks; none removes it.
    async fn replace(&self, documents: Vec<Replace>) -> Result<()>;
    /// Gives every chunk of a document these attributes in place of what it had. The engine keeps none of the old.
    async fn describe(&self, source: &str, document: &str, metadata: Metadata) -> Result<()>;
    /// Removes everything that came from a source.
    async fn forget(&self, source: &str) -> Result<()>;
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
