//! What can go wrong on the way from a text to its vector.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use outcrop_api::{AwsError, Kind};

use crate::weights::WeightsError;

/// An error of embedding. One failed load answers many callers, so it can be cloned.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EmbedError {
    /// The model files are missing or damaged.
    #[error(transparent)]
    Weights(Arc<WeightsError>),
    /// The files are not those of the model that is built here.
    #[error("{} is not the embedding model that Outcrop runs: {why}; run `outcrop models pull all-minilm-l6-v2`", .path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A GGUF file that is no embedding model, or cannot be read.
    #[error("{} cannot be used as an embedding model: {why}", .path.display())]
    Gguf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// More is waiting than the settings admit.
    #[error("the embedding queue is full")]
    Overloaded,
    /// The service has been shut down.
    #[error("the embedding service has stopped")]
    Stopped,
    /// A fault of this code.
    #[error("embedding failed unexpectedly")]
    Failed,
}

impl From<WeightsError> for EmbedError {
    fn from(error: WeightsError) -> Self {
        Self::Weights(Arc::new(error))
    }
}

impl EmbedError {
    pub(super) fn model(path: &Path, why: impl std::fmt::Display) -> Self {
        Self::Model { path: path.to_owned(), why: why.to_string() }
    }

    pub(crate) fn gguf(path: &Path, why: impl std::fmt::Display) -> Self {
        Self::Gguf { path: path.to_owned(), why: why.to_string() }
    }
}

impl AwsError for EmbedError {
    fn kind(&self) -> Kind {
        match self {
            Self::Weights(error) => error.kind(),
            Self::Overloaded => Kind::Throttling,
            Self::Model { .. } | Self::Gguf { .. } | Self::Stopped => Kind::ServiceUnavailable,
            Self::Failed => Kind::InternalServer,
        }
    }
    fn message(&self) -> String {
        match self {
            Self::Weights(error) => error.message(),
            Self::Model { .. } | Self::Gguf { .. } => {
                "The embedding model's files on this server cannot be used.".to_owned()
            }
            Self::Overloaded => "Too many requests, please wait before trying again.".to_owned(),
            Self::Stopped => "The server is shutting down.".to_owned(),
            Self::Failed => "The embedding model failed on this input.".to_owned(),
        }
    }
}
