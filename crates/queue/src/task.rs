//! What is to be done, and for whom.

use outcrop_store::Op;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A row of a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The account that it is done for.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The ARN of the role that it acts with, if it acts with one.
    pub role: Option<String>,
    /// What to do; only the worker reads it.
    pub work: Value,
    /// How far it came; only the worker reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Value>,
    /// How often it failed so far.
    #[serde(default)]
    pub failures: u32,
    /// How often it was begun and neither went on nor ended in any order: the process died, or its worker did. The
    /// beginning at hand counts.
    #[serde(default)]
    pub begun: u32,
}

impl Task {
    /// A task that nobody has begun.
    pub fn new(account: &str, region: &str, role: Option<&str>, work: Value) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            role: role.map(str::to_owned),
            work,
            checkpoint: None,
            failures: 0,
            begun: 0,
        }
    }

    /// The step that enqueues it, for the transaction of whatever causes it. Its worker is told by
    /// [`Runner::wake`](crate::Runner::wake).
    pub fn enqueue(&self, queue: &str) -> serde_json::Result<Op> {
        Ok(Op::Enqueue { queue: queue.to_owned(), body: serde_json::to_vec(self)?, sealed_by: None })
    }
}
