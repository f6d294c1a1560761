//! What must last: documents, blobs, secrets, counters, queue rows, tags, client tokens and the change feed.
//!
//! Does: commits a [`Batch`] of operations all together or not at all, and answers only when it would survive
//! `kill -9` and a power cut; keeps large content in a folder beside it ([`Blobs`]).
//! Never: knows a guardrail or an agent, reads what a document says, lets a caller hold a transaction open.
//!
//! Start at [`Store`], the contract; `suite` (feature `suite`) is the same contract as tests, which every backend
//! must pass. [`Sqlite`] and [`Folder`] are the backends of a single node.

mod batch;
mod blobs;
mod contract;
mod document;
mod error;
mod folder;
mod queue;
mod secret;
mod sqlite;
#[cfg(any(test, feature = "suite"))]
pub mod suite;

pub use batch::{Batch, ClientToken, Op, Outcome, Receipt};
pub use blobs::{Blob, BlobInfo, BlobKey, BlobReader, Blobs};
pub use contract::{Change, ChangeKind, Store, Ticks};
pub use document::{Cursor, Document, Key, NewDocument, Order, Query, Scope, Tag};
pub use error::{Error, Result};
pub use folder::Folder;
pub use queue::{Claim, Lease};
pub use secret::Secret;
pub use sqlite::{Options, Sqlite};
