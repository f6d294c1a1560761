//! Queue rows: work that a committed document has caused. The `queue` crate gives them meaning.

/// A held row. A lease that has run out and was claimed by another is no longer honoured, so a slow worker
/// cannot complete what a second one has taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The row.
    pub row: i64,
    /// How often it has been claimed; this claim included.
    pub attempt: u32,
}

/// A row and the right to work on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Proof for [`Op::Extend`](crate::Op::Extend) and [`Op::Complete`](crate::Op::Complete).
    pub lease: Lease,
    /// What was enqueued, or the last checkpoint.
    pub body: Vec<u8>,
}
