//! What goes wrong with buckets.

/// Why a bucket or an object could not be reached. The texts are S3's where it has one.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// No bucket of that name.
    #[error("The specified bucket does not exist: {0}")]
    NoSuchBucket(String),
    /// No object of that key.
    #[error("The specified key does not exist: {0}")]
    NoSuchKey(String),
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
    /// The caller's policies do not allow it.
    #[error("{0}")]
    Denied(String),
    /// The place behind the bucket failed.
    #[error("{0}")]
    Failed(String),
}

/// What a bucket answers.
pub type Result<T> = std::result::Result<T, BucketError>;
