//! What can go wrong with a resource.

use outcrop_api::{AwsError, Kind as Code};

/// The result of an operation on resources.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on resources was refused. The texts of a missing resource and a taken name are those recorded
/// of Bedrock's knowledge bases.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is none of that id or ARN in this account and region.
    #[error("{noun} with id {identifier} does not exist")]
    NotFound {
        /// What was looked for.
        noun: &'static str,
        /// What the caller named.
        identifier: String,
    },
    /// There is one of that id.
    #[error("{noun} with id {id} already exists.")]
    Exists {
        /// What was to be made.
        noun: &'static str,
        /// Its id.
        id: String,
    },
    /// There is one of that name.
    #[error("{noun} with name {name} already exists.")]
    NameInUse {
        /// What was to be made or renamed.
        noun: &'static str,
        /// The name.
        name: String,
    },
    /// Another call changed it between this call's reading and writing.
    #[error("{noun} with id {id} was changed by another request. Retry your request.")]
    Changed {
        /// What was to be written.
        noun: &'static str,
        /// Its id.
        id: String,
    },
    /// The client token came with another request before.
    #[error("The client token was already used in a request with different parameters.")]
    TokenReused,
    /// More tags than a resource may carry.
    #[error("The resource{} would have {found} tags, more than the {max} that it may have.", named(.arn))]
    TooManyTags {
        /// The resource; empty where it does not exist yet.
        arn: String,
        /// How many it would have.
        found: usize,
        /// How many it may have.
        max: usize,
    },
    /// A policy was written by another since the caller read it.
    #[error("The resource policy of {0} has another revision than the one expected. Read it again and retry.")]
    Revision(String),
    /// There is no policy on this resource.
    #[error("The resource {0} has no resource policy.")]
    NoPolicy(String),
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] outcrop_access::AccessError),
    /// The caller names a KMS key that the configuration binds to nothing.
    #[error(
        "The KMS key {arn} is not bound to a key of this server. Bind it in the configuration: \
         [encryption.kms] \"{arn}\" = \"NAME\", where NAME is \"master\" or a key under [encryption.keys]."
    )]
    KmsKeyUnbound {
        /// Its ARN.
        arn: String,
    },
    /// The configuration binds a KMS key to a name that the store does not know.
    #[error("no key is named {name}, to which the configuration binds a KMS key")]
    KmsKeyGone {
        /// The name.
        name: String,
    },
    /// The input breaks a rule.
    #[error("{0}")]
    Validation(String),
    /// A stored document that this build cannot read.
    #[error("{kind} {id} cannot be read: {reason}")]
    Unreadable {
        /// Its kind in the store.
        kind: &'static str,
        /// Its id.
        id: String,
        /// What serde says.
        reason: String,
    },
    /// The operating system or a library failed where none should.
    #[error("{0}")]
    Internal(String),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] outcrop_store::Error),
}

/// A resource within a sentence, where it is there already.
fn named(arn: &str) -> String {
    if arn.is_empty() { String::new() } else { format!(" {arn}") }
}

impl AwsError for Error {
    fn kind(&self) -> Code {
        match self {
            Self::NotFound { .. } | Self::NoPolicy(_) => Code::ResourceNotFound,
            Self::Access(error) => error.kind(),
            Self::Revision(_)
            | Self::Exists { .. }
            | Self::NameInUse { .. }
            | Self::Changed { .. }
            | Self::TokenReused => Code::Conflict,
            Self::TooManyTags { .. } => Code::TooManyTags,
            Self::Validation(_) | Self::KmsKeyUnbound { .. } => Code::Validation,
            Self::Unreadable { .. } | Self::KmsKeyGone { .. } | Self::Internal(_) => Code::InternalServer,
            Self::Store(error) => error.kind(),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Unreadable { .. } | Self::KmsKeyGone { .. } | Self::Internal(_) => {
                "The server could not process the resource.".to_owned()
            }
            Self::Store(error) => error.message(),
            Self::Access(error) => error.message(),
            _ => self.to_string(),
        }
    }
}
