//! What can go wrong.

use crate::encoder::EncodeError;

/// Why a policy cannot be compiled. The texts are for whoever wrote the policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A regular expression is invalid, or needs what a linear-time engine cannot do.
    #[error("The regular expression {name} is not valid: {reason}")]
    Regex {
        /// Its name in the policy.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The weights are missing or damaged: nothing may be guarded with them.
    #[error("The guardrail weights cannot be used: {0}")]
    Weights(String),
    /// The policy's own texts cannot be encoded.
    #[error(transparent)]
    Encoder(#[from] EncodeError),
}

/// Why a text could not be judged. Who asked decides whether that blocks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The encoder failed.
    #[error(transparent)]
    Encoder(#[from] EncodeError),
    /// A grounding policy without a source or a query.
    #[error("a contextual grounding policy needs a grounding source, a query and content to guard")]
    NoGroundingSource,
}
