//! Why there is no session, under STS's own codes. No variant holds a token or a secret.

use crate::AccessError;
use crate::oidc::TokenError;

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StsError {
    /// The input breaks a rule.
    #[error("{0}")]
    Validation(String),
    /// The policies do not let it happen.
    #[error("{0}")]
    Denied(String),
    /// A session policy that is none.
    #[error("{0}")]
    MalformedPolicy(String),
    /// Session policies and tags beyond what a session may carry.
    #[error("{0}")]
    PackedTooLarge(String),
    /// A claim that speaks against it.
    #[error("{0}")]
    RejectedClaim(String),
    /// The web identity is not proven.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Keys could not be made or read.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl StsError {
    /// Status and code, as the service's model has them.
    pub fn code(&self) -> (u16, &'static str) {
        match self {
            Self::Validation(_) => (400, "ValidationError"),
            Self::Denied(_) => (403, "AccessDenied"),
            Self::MalformedPolicy(_) => (400, "MalformedPolicyDocument"),
            Self::PackedTooLarge(_) => (400, "PackedPolicyTooLarge"),
            Self::RejectedClaim(_) => (403, "IDPRejectedClaim"),
            Self::Token(TokenError::Expired(_)) => (400, "ExpiredTokenException"),
            Self::Token(TokenError::Invalid(_) | TokenError::NoKey { .. }) => (400, "InvalidIdentityToken"),
            Self::Token(TokenError::Unreachable { .. }) => (400, "IDPCommunicationError"),
            Self::Access(AccessError::BadKey(_)) => (400, "ValidationError"),
            Self::Access(_) => (500, "InternalFailure"),
        }
    }

    /// What the caller is told.
    pub fn message(&self) -> String {
        match self {
            Self::Token(TokenError::Unreachable { .. }) => {
                "An error occurred while contacting the identity provider. Try again; if it goes on, see whether the \
                 issuer can be reached from this server."
                    .to_owned()
            }
            Self::Token(TokenError::NoKey { .. }) => {
                "Couldn't retrieve verification key from your identity provider,  please reference \
                 AssumeRoleWithWebIdentity documentation for requirements"
                    .to_owned()
            }
            Self::Access(error) => outcrop_api::AwsError::message(error),
            told => told.to_string(),
        }
    }
}
