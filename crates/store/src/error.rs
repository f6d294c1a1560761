//! What can go wrong.

use std::path::PathBuf;

use outcrop_api::{AwsError, Kind};

use crate::{Key, KeyId};

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
    #[error(
        "{} was written by {maker} (schema {found}); this is Outcrop {}, which knows schemas up to {known}. Run that \
         version or a newer one, or go back to the copy that it made before it changed the schema: {}.schema-{known}",
        path.display(), env!("CARGO_PKG_VERSION"), path.display()
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Who wrote it, as far as it says.
        maker: String,
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
    /// A key that the store needs is not where its keys come from.
    #[error(
        "the {name} key {id}, which seals what is stored here, is missing: {place} {found}. It was last read from \
         {last}. Put that key back, or name the right one under [encryption] in the configuration; a new key cannot \
         open what the old one has sealed ({rows} rows)"
    )]
    MissingKey {
        /// Which.
        id: KeyId,
        /// The name that it is configured under.
        name: String,
        /// Where it was looked for.
        place: String,
        /// What is there instead.
        found: String,
        /// Where it was when it was last seen.
        last: String,
        /// How many rows it seals.
        rows: u64,
    },
    /// Something is sealed with a key that no source has.
    #[error("the key {0} is not among the configured ones; `outcrop secrets list` shows where it was last seen")]
    UnknownKey(KeyId),
    /// Nothing is configured under that name.
    #[error("no key is named {0:?}; say where it is under [encryption.keys] in the configuration")]
    UnknownKeyName(String),
    /// A source of keys cannot be read, or is not one.
    #[error("cannot take keys from {place}: {reason}")]
    KeySource {
        /// Which.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Sealed content that does not open.
    #[error("{what} cannot be opened: {reason}; restore it from a backup")]
    Sealed {
        /// What.
        what: String,
        /// Why not.
        reason: String,
    },
    /// A backup is never written over something.
    #[error("{} is there already; give the backup another name", .0.display())]
    AlreadyThere(PathBuf),
    /// Nothing is where the backup should be.
    #[error("there is no backup at {}", .0.display())]
    NoBackup(PathBuf),
    /// What is to be restored is no backup, or no longer the one that was made.
    #[error("{} cannot be restored: {reason}", path.display())]
    BadBackup {
        /// The backup.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A restore would replace something.
    #[error("{} is not empty; restore into another folder, or add --force to set aside what is in it", .0.display())]
    NotEmpty(PathBuf),
    /// A restore did not come to its end.
    #[error("a restore into {} was interrupted; run it again with --force", .0.display())]
    Interrupted(PathBuf),
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
