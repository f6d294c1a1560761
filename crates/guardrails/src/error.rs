//! What can go wrong with a guardrail, in Bedrock's own words where they are known.

use outcrop_access::AccessError;
use outcrop_api::{AwsError, Kind};
use thiserror::Error;

use crate::control::COUNTER;

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
    /// More text than a policy looks at in one request.
    #[error("Input text size ({units} text units) exceeds the maximum allowed ({most} text units) for the {policy}.")]
    TooMuchText {
        /// How much there is.
        units: u64,
        /// How much there may be.
        most: u64,
        /// Whose bound it is.
        policy: &'static str,
    },
    /// More text a second than the account may have judged.
    #[error("{}", .0.message)]
    Throttled(outcrop_api::Fault),
    /// The guardrail could not judge, and what it could not judge is not let through.
    #[error("The guardrail {arn} could not judge the text, so nothing was let through: {reason}")]
    Failed {
        /// Which one.
        arn: String,
        /// What failed.
        reason: String,
    },
    /// Names are unique in an account and a Region.
    #[error("Another guardrail in your account already has this name.")]
    NameTaken,
    /// There is no such version.
    #[error("Guardrail with id {id} has no version {version}")]
    NoVersion {
        /// Which guardrail.
        id: String,
        /// The version.
        version: String,
    },
    /// A version that is in use cannot go.
    #[error(
        "The guardrail is part of an enforced guardrail configuration. Delete the configuration or give it another \
         guardrail version, then retry."
    )]
    InUse,
    /// As many guardrails as an account may have.
    #[error("The account has {0} guardrails in this Region already, which is the most that it may have.")]
    TooManyGuardrails(i64),
    /// As many versions as a guardrail may have.
    #[error("The guardrail has {0} versions already, which is the most that it may have. Delete one first.")]
    TooManyVersions(i64),
    /// Automated reasoning policies are none.
    #[error("The automated reasoning policy {0} does not exist.")]
    NoReasoningPolicy(String),
    /// No enforced configuration has this id.
    #[error("Enforced guardrail configuration with id {0} does not exist")]
    NoConfiguration(String),
    /// A check without a guardrail could not be made.
    #[error("The text could not be checked: {0}")]
    Unchecked(String),
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
            Self::NoVersion { .. } | Self::NoReasoningPolicy(_) | Self::NoConfiguration(_) => Kind::ResourceNotFound,
            Self::NameTaken => Kind::Conflict,
            Self::InUse => Kind::ResourceInUse,
            Self::TooManyGuardrails(_) | Self::TooManyVersions(_) => Kind::ServiceQuotaExceeded,
            Self::TooMuchText { .. } | Self::Throttled(_) => Kind::Throttling,
            Self::Failed { .. } | Self::Unchecked(_) => Kind::ServiceUnavailable,
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

/// A refused write of a guardrail in its own words.
pub(crate) fn refusal(error: outcrop_resources::Error) -> GuardrailsError {
    use outcrop_resources::Error;
    match error {
        Error::NameInUse { .. } => GuardrailsError::NameTaken,
        Error::Store(outcrop_store::Error::OutOfBounds { counter, value }) if counter == COUNTER => {
            GuardrailsError::TooManyGuardrails(value)
        }
        // Of the counters that a deletion touches, those of uses alone have an upper bound.
        Error::Store(outcrop_store::Error::OutOfBounds { .. }) => GuardrailsError::InUse,
        other => other.into(),
    }
}
