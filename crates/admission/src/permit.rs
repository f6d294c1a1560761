//! A call that was let in.

use outcrop_api::Fault;

use crate::Spent;

/// Holds what was reserved for a call. Dropped without being settled, everything is given back: nobody computed
/// anything.
#[must_use = "what was reserved is given back when this is dropped"]
#[derive(Debug)]
pub struct Permit {}

impl Permit {
    /// So many tokens have been written so far. An error where the call may not go on.
    pub fn note(&self, _output: u64) -> Result<(), Fault> {
        Ok(())
    }

    /// What it came to.
    pub fn settle(self, _spent: &Spent) {}
}
