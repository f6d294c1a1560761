//! A call that was let in.

use outcrop_api::Fault;

use crate::{Spent, quotas};

/// Holds what was reserved for a call, until it says what it came to.
#[must_use = "a permit says what its call came to"]
#[derive(Debug)]
pub struct Permit {
    pub(crate) quota: quotas::Hold,
}

impl Permit {
    /// So many tokens have been written so far. An error where the call may not go on.
    pub fn note(&self, _output: u64) -> Result<(), Fault> {
        Ok(())
    }

    /// What it came to.
    pub fn settle(mut self, spent: &Spent) {
        self.quota.settle(spent);
    }

    /// Nobody was asked: everything is given back.
    pub fn unused(self) {}
}
