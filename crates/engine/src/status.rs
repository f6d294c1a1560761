//! What the engine says about itself, for `doctor` and the start-up table.

use std::path::PathBuf;

use crate::config::ModelKind;

/// Whether a model is in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadState {
    /// No; the next call loads it.
    Unloaded,
    /// Soon.
    Loading,
    /// Yes.
    Ready,
    /// The last attempt failed, for this reason; the next call tries again.
    Failed(String),
}

/// One model now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStatus {
    /// Its configured name.
    pub name: String,
    /// What it is for.
    pub kind: ModelKind,
    /// Its weights.
    pub path: PathBuf,
    /// Whether it is in memory.
    pub state: LoadState,
    /// Memory of the weights.
    pub weights_bytes: u64,
    /// Memory of the prefixes kept for later calls.
    pub prefix_bytes: u64,
    /// Tokens computed since the process began, of prompts and of answers. What a kept prefix spares is not in it.
    pub computed_tokens: u64,
    /// Answers being generated.
    pub running: usize,
    /// Calls waiting for their turn or for the model.
    pub waiting: usize,
}
