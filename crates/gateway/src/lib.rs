//! An invocation's path: resolve the model, check the conversation, choose who answers, dispatch, tell what it took.
//!
//! Never: a model's own request format (`dialects` has those), HTTP, a resource of its own.
//!
//! Start at [`Gateway::converse`] in `converse.rs`; `invoke.rs` is the same path for InvokeModel with a dialect on
//! either side. [`target`] decides who answers, [`rules`] what a conversation must look like, [`capacity`] whether
//! there is room for it.

mod answer;
mod begin;
pub mod capacity;
mod converse;
mod count;
mod embed;
mod embeddings;
mod invoke;
mod options;
mod prompt_router;
pub mod rules;
mod sharing;
pub mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use outcrop_models::Models;
use outcrop_providers::Provider;

pub use capacity::Capacity;
pub use sharing::Sharing;
pub use target::StandIns;

/// The way into every model.
pub struct Gateway {
    models: Arc<Models>,
    local: Arc<dyn Provider>,
    stand_ins: Option<StandIns>,
    sharing: Sharing,
    capacity: Arc<Capacity>,
}

impl Gateway {
    /// Models by `models`, local ones answered by `local`. With `stand_ins` every catalogue model is answered by the
    /// local model of its kind, openly; without, a catalogue model that nobody serves is refused.
    pub fn new(models: Arc<Models>, local: Arc<dyn Provider>, stand_ins: Option<StandIns>) -> Self {
        Self { models, local, stand_ins, sharing: Sharing::default(), capacity: Arc::default() }
    }

    /// Computed prompts are shared within `sharing` and not beyond.
    #[must_use]
    pub fn sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = sharing;
        self
    }

    /// Calls are admitted by `capacity`.
    #[must_use]
    pub fn capacity(mut self, capacity: Arc<Capacity>) -> Self {
        self.capacity = capacity;
        self
    }
}
