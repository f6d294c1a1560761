//! Why a logging configuration was refused.

use outcrop_access::AccessError;
use outcrop_api::{AwsError, Kind};

/// Why a logging configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// It could not be kept or read.
    #[error(transparent)]
    Resources(#[from] outcrop_resources::Error),
    /// It cannot be as asked.
    #[error("{0}")]
    Invalid(String),
}

impl AwsError for LogError {
    fn kind(&self) -> Kind {
        match self {
            Self::Access(error) => error.kind(),
            Self::Resources(error) => error.kind(),
            Self::Invalid(_) => Kind::Validation,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Access(error) => error.message(),
            Self::Resources(error) => error.message(),
            Self::Invalid(text) => text.clone(),
        }
    }
}
