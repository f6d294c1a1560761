//! Web identities: tokens of configured OpenID Connect issuers.
//!
//! [`Verifier::verify`] takes a token apart, finds its issuer in the directory, fetches the issuer's keys where it
//! must ([`Fetch`] is the caller's, this crate opens no socket) and checks signature and claims. Signatures are
//! RS256 or ES256, chosen by the kind of the issuer's key and never by the token alone, so that neither `none` nor
//! an HMAC over a public key can pass. The arithmetic is ring's.

mod claims;
mod issuer;
mod jwk;
mod jwt;
mod keysets;
#[cfg(test)]
pub(crate) mod tests;

pub use claims::Claims;
pub use issuer::{Issuer, KeySource};
pub use keysets::{Fetch, FetchError, Verifier};

/// Why a token is not taken. No variant holds the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Its time is over.
    #[error("{0}")]
    Expired(String),
    /// It is not what it should be.
    #[error("{0}")]
    Invalid(String),
    /// The issuer does not answer.
    #[error("the issuer {issuer} does not answer: {reason}")]
    Unreachable {
        /// Which.
        issuer: String,
        /// For the log.
        reason: String,
    },
    /// The issuer's keys cannot be had or do not hold the token's.
    #[error("no key of {issuer} verifies the token: {reason}")]
    NoKey {
        /// Which.
        issuer: String,
        /// For the log.
        reason: String,
    },
}

impl TokenError {
    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::Invalid(text.into())
    }
}
