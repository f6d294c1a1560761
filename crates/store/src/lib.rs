//! What must last: documents, blobs, secrets, counters, queue rows, tags, client tokens and the change feed.
//!
//! Does: commits a [`Batch`] of operations all together or not at all, and answers only when it would survive
//! `kill -9` and a power cut; keeps large content in a folder beside it ([`Blobs`]); seals secrets always and the rest
//! where a key is named; backs up, restores, migrates and rotates keys beside a running server.
//! Never: knows a guardrail or an agent, reads what a document says, lets a caller hold a transaction open.
//!
//! Start at [`Store`], the contract; `suite` (feature `suite`) is the same contract as tests, which every backend
//! must pass. [`Sqlite`] and [`Folder`] are the backends of a single node.

mod backup;
mod batch;
mod blobs;
mod contract;
mod document;
mod error;
mod folder;
mod keys;
mod queue;
mod seal;
mod secret;
mod sqlite;
#[cfg(any(test, feature = "suite"))]
pub mod suite;
mod vault;

pub use backup::{BackupFile, BackupKey, BackupProgress, Head, Manifest, Restored, backup, restore};
pub use batch::{Batch, ClientToken, Op, Outcome, Receipt};
pub use blobs::{Blob, BlobInfo, BlobKey, BlobReader, Blobs};
pub use contract::{Change, ChangeKind, Store, Ticks};
pub use document::{Cursor, Document, Key, NewDocument, Order, Query, Scope, Tag};
pub use error::{Error, Result};
pub use folder::Folder;
pub use keys::{Encryption, KeyId, KeySource, MASTER, OtherSource};
pub use queue::{Claim, Lease};
pub use seal::envelope_key;
pub use secret::Secret;
pub use sqlite::{KeyInfo, KeyState, Options, Progress, Rotated, Sqlite, rotate};
pub use vault::Vault;
