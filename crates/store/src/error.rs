//! What can go wrong.

use std::path::PathBuf;

use outcrop_api::{AwsError, Kind};

use crate::Key;

/// A store's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store did not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken.
    #[error("{kind} {id} already exists")]
    Exists {
        /// The kind of the document or secret.
        kind: String,
        /// Its id.
        id: String,
    },
    /// The unique name is taken.
    #[error("the name {name} of {kind} is already in use")]
    NameTaken {
        /// The kind of the document.
        kind: String,
        /// The name.
        name: String,
    },
    /// There is no such thing in this scope.
    #[error("{kind} {id} does not exist")]
    Missing {
        /// The kind of the document or secret.
        kind: String,
        /// Its id.
        id: String,
    },
    /// Somebody else wrote it since it was read.
    #[error("{} {} is at version {found}, not {expected}", key.kind, key.id)]
    Stale {
        /// Which document.
        key: Key,
        /// The version that the batch wanted.
        expected: u64,
        /// The version that is there.
        found: u64,
    },
    /// The client token was used with another request.
    #[error("the client token was already used with different parameters")]
    TokenReused,
    /// More tags than a resource may carry.
    #[error("{arn} would carry {found} tags, more than {max}")]
    TooManyTags {
        /// The resource.
        arn: String,
        /// How many it would have.
        found: usize,
        /// How many it may have.
        max: usize,
    },
    /// A counter would leave its bounds.
    #[error("counter {counter} is at {value} and would leave its bounds")]
    OutOfBounds {
        /// Which.
        counter: String,
        /// What it is now.
        value: i64,
    },
    /// The row was completed, or claimed by another.
    #[error("the lease on queue row {0} is lost")]
    LeaseLost(i64),
    /// The content is longer than its limit.
    #[error("content is longer than {0} bytes")]
    TooLarge(u64),
    /// Not a key that a blob can have.
    #[error("not a blob key: {0:?}")]
    BadBlobKey(String),
    /// Changes before this one have been forgotten.
    #[error("changes before {0} have been forgotten")]
    Lagged(u64),
    /// Too much is waiting already; nothing was done.
    #[error("the store is busy")]
    Busy,
    /// The store is shutting down; nothing was done.
    #[error("the store is closed")]
    Closed,
    /// No space is left; nothing was done, and writes work again once there is some.
    #[error("no space is left for the store")]
    Full,
    /// Another process owns the folder.
    #[error("{} is in use by another Outcrop server; stop that one, or give this one another --data folder", .0.display())]
    InUse(PathBuf),
    /// A newer Outcrop wrote it.
    #[error("{} was written by a newer Outcrop (schema {found}; this one knows up to {known}); run that version", path.display())]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this build knows.
        known: i64,
    },
    /// It is a database, of something else.
    #[error("{} is not an Outcrop database; give another --data folder", .0.display())]
    Foreign(PathBuf),
    /// It cannot be read as what it was.
    #[error("{} is damaged ({reason}); restore it from a backup, or move it away to start anew", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The operating system or the database said no.
    #[error("{context}: {reason}")]
    Io {
        /// What was being done.
        context: String,
        /// What was said.
        reason: String,
    },
}

impl Error {
    /// An error of the file system, with the full disk told apart.
    pub(crate) fn io(context: impl Into<String>, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded => Self::Full,
            _ => Self::Io { context: context.into(), reason: error.to_string() },
        }
    }
}

impl AwsError for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Exists { .. } | Self::NameTaken { .. } | Self::Stale { .. } | Self::TokenReused => Kind::Conflict,
            Self::Missing { .. } => Kind::ResourceNotFound,
            Self::TooManyTags { .. } => Kind::TooManyTags,
            Self::OutOfBounds { .. } => Kind::ServiceQuotaExceeded,
            Self::TooLarge(_) => Kind::RequestTooLarge,
            Self::Busy => Kind::Throttling,
            Self::Closed => Kind::ServiceUnavailable,
            _ => Kind::InternalServer,
        }
    }

    fn message(&self) -> String {
        match (self, self.kind()) {
            // What the machine said, its paths above all, is for the log.
            (Self::Full, _) => "The server has no space left to store the request.".to_owned(),
            (_, Kind::InternalServer) => "The server could not read or write its storage.".to_owned(),
            _ => self.to_string(),
        }
    }
}
