//! Why a function did not answer.

use outcrop_access::AccessError;
use outcrop_api::{AwsError, Kind};

/// Why a function did not answer.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// The operator has bound nothing to it.
    #[error(
        "No executor is bound to the function {0}. The operator of this server can bind an HTTP endpoint or a command \
         to it with [functions.\"{0}\"] in outcrop.toml."
    )]
    Unbound(String),
    /// Who acts may not call it.
    #[error(transparent)]
    Denied(#[from] AccessError),
    /// It failed; why, as far as it said.
    #[error("The function {arn} failed: {why}")]
    Failed {
        /// Which.
        arn: String,
        /// Why.
        why: String,
    },
}

impl AwsError for FunctionError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unbound(_) => Kind::Validation,
            Self::Denied(error) => error.kind(),
            Self::Failed { .. } => Kind::DependencyFailed,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Denied(error) => error.message(),
            told => told.to_string(),
        }
    }
}
