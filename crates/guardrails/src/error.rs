//! What can go wrong with a guardrail, in Bedrock's own words where they are known.

use outcrop_access::AccessError;
use outcrop_api::{AwsError, Kind};
use thiserror::Error;

/// Why a guardrail was refused, or could not judge.
#[derive(Debug, Error)]
pub enum GuardrailsError {
    /// At run time nothing is told apart: no such id, no such version, another Region's.
    #[error("The guardrail identifier or version provided in the request does not exist.")]
    Unknown,
    /// What a call names has not the form of an id or ARN.
    #[error("The provided guardrail identifier is invalid.")]
    InvalidIdentifier,
    /// A call asks for a guardrail and gives it nothing that it can judge.
    #[error("Guardrail was enabled but input is in incorrect format.")]
    IncorrectFormat,
    /// The model takes or gives no text.
    #[error("Guardrail is not supported with the chosen model")]
    UnsupportedModel,
    /// A grounding policy without a source, a query or an answer.
    #[error(
        "The provided request does not contain the grounding source. Grounding source, query and content to guard are \
         required for Guardrails contextual grounding policy evaluation."
    )]
    NoGroundingSource,
    /// The guardrail could not judge, and what it could not judge is not let through.
    #[error("The guardrail {arn} could not judge the text, so nothing was let through: {reason}")]
    Failed {
        /// Which one.
        arn: String,
        /// What failed.
        reason: String,
    },
    /// The input breaks another rule; the text says which.
    #[error("{0}")]
    Validation(String),
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A stored guardrail, its tags or a page of them.
    #[error(transparent)]
    Resource(#[from] outcrop_resources::Error),
}

impl AwsError for GuardrailsError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unknown
            | Self::InvalidIdentifier
            | Self::IncorrectFormat
            | Self::UnsupportedModel
            | Self::NoGroundingSource
            | Self::Validation(_) => Kind::Validation,
            Self::Failed { .. } => Kind::ServiceUnavailable,
            Self::Access(error) => error.kind(),
            Self::Resource(error) => error.kind(),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Access(error) => error.message(),
            Self::Resource(error) => error.message(),
            told => told.to_string(),
        }
    }
}
