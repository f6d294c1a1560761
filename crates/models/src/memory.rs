//! What invocations must know of what callers have arranged, in memory for all accounts: nothing on an invocation's
//! path waits for the store.

use std::sync::Arc;

use outcrop_resources::{Mirror, Resources};

use crate::data_retention::Kept;
use crate::model_access::Arrangements;
use crate::provisioned::Reserved;

/// The reservations, agreements and data retention modes of all accounts. Cheap to clone, and every clone sees every write.
#[derive(Clone)]
pub struct Memory(Arc<Kinds>);

struct Kinds {
    reserved: Mirror<Reserved>,
    arrangements: Mirror<Arrangements>,
    retention: Mirror<Kept>,
}

impl Memory {
    /// Nothing is in memory before the first [`catch_up`](Self::catch_up).
    pub fn new(resources: &Resources) -> Self {
        Self(Arc::new(Kinds {
            reserved: Mirror::new(resources, "provisioned-capacity"),
            arrangements: Mirror::new(resources, "model-access"),
            retention: Mirror::new(resources, "data-retention"),
        }))
    }

    /// Brings into memory what has changed since.
    pub async fn catch_up(&self) -> outcrop_resources::Result<()> {
        self.0.reserved.catch_up().await?;
        self.0.arrangements.catch_up().await?;
        self.0.retention.catch_up().await
    }

    /// Keeps memory fresh until it is dropped: others' writes arrive by the store's change feed.
    pub async fn follow(&self) {
        tokio::join!(self.0.reserved.follow(), self.0.arrangements.follow(), self.0.retention.follow());
    }

    /// Provisioned models, by ARN.
    pub(crate) fn reserved(&self) -> &Mirror<Reserved> {
        &self.0.reserved
    }

    /// Agreements and use-case forms, by account.
    pub(crate) fn arrangements(&self) -> &Mirror<Arrangements> {
        &self.0.arrangements
    }

    /// Data retention modes, by account and Region.
    pub(crate) fn retention(&self) -> &Mirror<Kept> {
        &self.0.retention
    }
}
