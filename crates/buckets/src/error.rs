//! What goes wrong with buckets.

use outcrop_access::AccessError;
use outcrop_api::{AwsError, Kind};

/// Why a bucket or an object could not be reached. The texts are S3's where it has one.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// No bucket of that name.
    #[error("The specified bucket does not exist: {0}")]
    NoSuchBucket(String),
    /// No object of that key.
    #[error("The specified key does not exist: {0}")]
    NoSuchKey(String),
    /// No multipart upload of that id.
    #[error(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
         completed."
    )]
    NoSuchUpload,
    /// A key or a name that cannot be one.
    #[error("{0}")]
    Invalid(String),
    /// More bytes than were asked for at most.
    #[error("The object {key} has {size} bytes; at most {most} are read.")]
    TooLarge {
        /// Which.
        key: String,
        /// How many it has.
        size: u64,
        /// How many it may have.
        most: u64,
    },
    /// A range that the object does not have.
    #[error("The requested range is not satisfiable")]
    Range {
        /// How many bytes the object has.
        size: u64,
    },
    /// A part that the object does not have.
    #[error("The requested partnumber is not satisfiable")]
    NoSuchPart,
    /// What S3 has and this server has not.
    #[error("{0} is not implemented.")]
    Unbuilt(&'static str),
    /// The object is not, or is, as the caller wants it to be.
    #[error("At least one of the pre-conditions you specified did not hold")]
    Precondition,
    /// The bucket is another account's.
    #[error(
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
         Please select a different name and try again."
    )]
    Exists,
    /// The bucket is the caller's own already.
    #[error("Your previous request to create the named bucket succeeded and you already own it.")]
    Owned,
    /// The bucket has objects.
    #[error("The bucket you tried to delete is not empty")]
    NotEmpty,
    /// S3's own word for what is wrong with what was sent.
    #[error("{text}")]
    Sent {
        /// S3's code.
        code: &'static str,
        /// What is wrong.
        text: String,
    },
    /// The caller's policies do not allow it.
    #[error("{0}")]
    Denied(String),
    /// The place behind the bucket failed.
    #[error("{0}")]
    Failed(String),
}

/// What a bucket answers.
pub type Result<T> = std::result::Result<T, BucketError>;

impl From<AccessError> for BucketError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unavailable(why) => Self::Failed(why),
            denied => Self::Denied(denied.message()),
        }
    }
}

impl From<std::io::Error> for BucketError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::Failed("The disk behind the bucket is full.".into())
            }
            _ => Self::Failed(format!("The place behind the bucket failed: {error}")),
        }
    }
}

impl AwsError for BucketError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoSuchBucket(_) | Self::NoSuchKey(_) | Self::NoSuchUpload => Kind::ResourceNotFound,
            Self::Exists | Self::Owned | Self::NotEmpty | Self::Precondition => Kind::Conflict,
            Self::Invalid(_) | Self::TooLarge { .. } | Self::Range { .. } | Self::NoSuchPart | Self::Sent { .. } => {
                Kind::Validation
            }
            Self::Unbuilt(_) => Kind::NotImplemented,
            Self::Denied(_) => Kind::AccessDenied,
            Self::Failed(_) => Kind::InternalServer,
        }
    }

    fn message(&self) -> String {
        match self {
            // Paths and addresses of the operator are not the caller's to read.
            Self::Failed(_) => "The bucket could not be reached.".into(),
            other => other.to_string(),
        }
    }
}
