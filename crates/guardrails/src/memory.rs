//! What calls must know of guardrails, in memory for all accounts, and the guardrails that are compiled.

use std::sync::Arc;

use moka::sync::Cache;
use outcrop_guard::Guard;
use outcrop_resources::{Mirror, Resources};

use crate::enforced::Enforced;
use crate::kept::Entry;

/// Compiled guardrails that are kept; the ones used least recently go. One with every limit reached takes megabytes.
const COMPILED: u64 = 256;

/// A version, ready to judge.
pub struct Compiled {
    /// Its policy.
    pub guard: Arc<Guard>,
    /// What is said instead of what a caller sent.
    pub blocked_input: Arc<str>,
    /// What is said instead of what a model answered.
    pub blocked_output: Arc<str>,
    /// A filter asks for images that go to the model to be judged.
    pub images: bool,
}

/// What outlives a configuration. Cheap to clone, and every clone sees every write.
#[derive(Clone)]
pub struct Memory(Arc<Kinds>);

struct Kinds {
    index: Mirror<Entry>,
    enforcements: Mirror<Enforced>,
    /// By the digest of the contents: whoever edits a guardrail changes it, so that what is here is never stale.
    compiled: Cache<String, Arc<Compiled>>,
}

impl Memory {
    /// Nothing is in memory before the first [`catch_up`](Self::catch_up).
    pub fn new(resources: &Resources) -> Self {
        Self(Arc::new(Kinds {
            index: Mirror::new(resources, "guardrail-index"),
            enforcements: Mirror::new(resources, "guardrail-enforcement"),
            compiled: Cache::new(COMPILED),
        }))
    }

    /// Brings into memory what has changed since.
    pub async fn catch_up(&self) -> outcrop_resources::Result<()> {
        self.0.index.catch_up().await?;
        self.0.enforcements.catch_up().await
    }

    /// Keeps memory fresh until it is dropped: others' writes arrive by the store's change feed.
    pub async fn follow(&self) {
        tokio::join!(self.0.index.follow(), self.0.enforcements.follow());
    }

    /// Which contents versions have, by the guardrail's ARN.
    pub(crate) fn index(&self) -> &Mirror<Entry> {
        &self.0.index
    }

    /// What accounts enforce, by account and Region.
    pub(crate) fn enforcements(&self) -> &Mirror<Enforced> {
        &self.0.enforcements
    }

    /// Compiled versions.
    pub(crate) fn compiled(&self) -> &Cache<String, Arc<Compiled>> {
        &self.0.compiled
    }
}
