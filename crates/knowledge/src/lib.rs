//! Knowledge bases: sources, ingestion, retrieval, cited answers, rerank.
//!
//! Never: agents, how a file is read (`extract`), how chunks are found (`vectors`), how a model is called (`gateway`).
//!
//! Start at [`Knowledge`].

pub mod answer;
mod base;
mod error;

pub use base::{Base, Embedding};
pub use error::KnowledgeError;

use std::sync::Arc;

use outcrop_access::Context;
use outcrop_buckets::Buckets;
use outcrop_gateway::Gateway;
use outcrop_resources::Resources;
use outcrop_vectors::Engine;

/// The knowledge bases of all accounts. Cheap to clone.
#[derive(Clone)]
pub struct Knowledge(Arc<Inner>);

#[allow(dead_code, reason = "the operations come next")]
struct Inner {
    resources: Resources,
    gateway: Arc<Gateway>,
    buckets: Buckets,
    engine: Arc<dyn Engine>,
}

impl Knowledge {
    /// Knowledge bases kept in `resources`, searched in `engine`, filled from `buckets` by models of `gateway`.
    pub fn new(resources: &Resources, gateway: Arc<Gateway>, buckets: Buckets, engine: Arc<dyn Engine>) -> Self {
        Self(Arc::new(Inner { resources: resources.clone(), gateway, buckets, engine }))
    }

    /// The knowledge base that an identifier or ARN names, as retrieval sees it. Asks `action` of the caller.
    #[allow(dead_code, reason = "the operations come next")]
    pub(crate) async fn base(&self, _cx: &Context, _action: &str, identifier: &str) -> Result<Base, KnowledgeError> {
        Err(KnowledgeError::UnknownBase(identifier.to_owned()))
    }
}
