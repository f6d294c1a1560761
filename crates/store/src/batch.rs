//! A batch: the only way to write. Operations with preconditions rather than a closure over a transaction, so
//! that many batches share one commit here and a server elsewhere can take one in a round trip.

use std::time::Duration;

use crate::{Claim, Document, Key, Lease, NewDocument, Scope, Secret, Tag};

/// One step of a batch. A step whose condition does not hold fails the whole batch with the error named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Adds a document. [`Error::Exists`](crate::Error::Exists), [`Error::NameTaken`](crate::Error::NameTaken),
    /// [`Error::UnknownKeyName`](crate::Error::UnknownKeyName).
    Insert(NewDocument),
    /// Replaces body and name where the version is still `expect`ed; any version where that is `None`. What is
    /// sealed stays sealed by the key of the same name.
    /// [`Error::Missing`](crate::Error::Missing), [`Error::Stale`](crate::Error::Stale), `NameTaken`.
    Put {
        /// Which.
        key: Key,
        /// The version that was read.
        expect: Option<u64>,
        /// The new second address; `None` takes it away.
        name: Option<String>,
        /// The new JSON.
        body: Vec<u8>,
    },
    /// Removes a document and the client tokens that made it. `Missing`, `Stale`.
    Delete {
        /// Which.
        key: Key,
        /// The version that was read.
        expect: Option<u64>,
    },
    /// Removes a document if it is there, and the client tokens that made it.
    Discard {
        /// Which.
        key: Key,
    },
    /// Demands that a document exists, unchanged since `expect` where given. `Missing`, `Stale`.
    Require {
        /// Which.
        key: Key,
        /// The version that was read.
        expect: Option<u64>,
    },
    /// Adds tags or replaces their values. [`Error::TooManyTags`](crate::Error::TooManyTags) beyond `max` in all.
    Tag {
        /// Whose.
        scope: Scope,
        /// On what.
        arn: String,
        /// The tags.
        tags: Vec<Tag>,
        /// The most that the resource may carry.
        max: usize,
    },
    /// Takes the named tags away, or all; those that are not there do not matter.
    Untag {
        /// Whose.
        scope: Scope,
        /// From what.
        arn: String,
        /// Which; `None` is all.
        keys: Option<Vec<String>>,
    },
    /// Adds to a counter, which starts at 0. [`Error::OutOfBounds`](crate::Error::OutOfBounds) where the sum would
    /// leave `min..=max`.
    Add {
        /// Whose.
        scope: Scope,
        /// Which.
        counter: String,
        /// How much; may be negative.
        by: i64,
        /// The least it may become.
        min: i64,
        /// The most it may become.
        max: i64,
    },
    /// Forgets a counter, which is at 0 again; one that never was does not matter.
    Forget {
        /// Whose.
        scope: Scope,
        /// Which.
        counter: String,
    },
    /// Adds a secret, always sealed. `Exists`.
    InsertSecret {
        /// What it is for.
        kind: String,
        /// Which.
        id: String,
        /// The bytes.
        secret: Secret,
    },
    /// Removes a secret. `Missing`.
    DeleteSecret {
        /// What it is for.
        kind: String,
        /// Which.
        id: String,
    },
    /// Adds a row to a queue.
    Enqueue {
        /// Which queue.
        queue: String,
        /// What to do, and for whom.
        body: Vec<u8>,
        /// The name of the key that seals it; the store's default one, if any, where it is `None`.
        sealed_by: Option<String>,
    },
    /// Takes the row that has been ready longest, for the duration of a lease.
    Claim {
        /// Which queue.
        queue: String,
        /// How long the row is nobody else's.
        lease: Duration,
    },
    /// Holds a claimed row for longer, and saves a checkpoint where given.
    /// [`Error::LeaseLost`](crate::Error::LeaseLost).
    Extend {
        /// The claim.
        lease: Lease,
        /// How long from now.
        by: Duration,
        /// The new body.
        checkpoint: Option<Vec<u8>>,
    },
    /// Removes a claimed row. `LeaseLost`.
    Complete(Lease),
}

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done, nothing to say.
    Done,
    /// Of `Insert` and `Put`: the document as it now is.
    Document(Document),
    /// Of `Add`: the sum.
    Counter(i64),
    /// Of `Enqueue`: the row.
    Row(i64),
    /// Of `Claim`: the row and its lease, `None` where no row is ready.
    Claim(Option<Claim>),
}

/// A caller's idempotency token. The first batch that carries it runs; the same token with the same fingerprint
/// then answers [`Receipt::Replayed`], with another [`Error::TokenReused`](crate::Error::TokenReused). It is
/// forgotten when the document that it made is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientToken {
    /// Whose.
    pub scope: Scope,
    /// The operation; the same token means nothing in another.
    pub operation: String,
    /// What the caller sent.
    pub token: String,
    /// A digest of the request without the token.
    pub fingerprint: Vec<u8>,
    /// The document that the batch inserts.
    pub makes: Key,
}

/// Operations that happen together or not at all, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Runs it at most once.
    pub token: Option<ClientToken>,
    /// The steps.
    pub ops: Vec<Op>,
}

impl Batch {
    /// A batch of `ops`.
    pub fn new(ops: impl Into<Vec<Op>>) -> Self {
        Self { token: None, ops: ops.into() }
    }

    /// The same batch, at most once.
    pub fn once(self, token: Option<ClientToken>) -> Self {
        Self { token, ..self }
    }
}

impl From<Op> for Batch {
    fn from(op: Op) -> Self {
        Self::new([op])
    }
}

/// What a batch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It is committed; one outcome for each step.
    Done(Vec<Outcome>),
    /// Its client token had run before and made this document; nothing was done.
    Replayed(Key),
}

impl Receipt {
    /// The outcomes; none where it was replayed.
    pub fn outcomes(self) -> Vec<Outcome> {
        match self {
            Self::Done(outcomes) => outcomes,
            Self::Replayed(_) => Vec::new(),
        }
    }
}
