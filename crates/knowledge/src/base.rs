//! A knowledge base as retrieval sees it.

use std::sync::Arc;

use outcrop_vectors::Index;

/// What is needed to search a knowledge base.
pub struct Base {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The role that it acts with.
    pub role: String,
    /// Whether it is MANAGED rather than VECTOR.
    pub managed: bool,
    /// The storage type that it was declared with, as AWS names it; none where it is managed.
    pub storage: Option<String>,
    /// What makes its vectors.
    pub embedding: Embedding,
    /// Its chunks.
    pub index: Arc<dyn Index>,
}

/// What makes a knowledge base's vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedding {
    /// The model's ARN.
    pub model: String,
    /// How many numbers, where the knowledge base says so.
    pub dimensions: Option<u32>,
    /// Bits rather than numbers.
    pub binary: bool,
}
