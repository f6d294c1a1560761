//! A call that was let in.

use outcrop_api::Fault;

use crate::{Spent, budgets, quotas};

/// Holds what was reserved for a call, until it says what it came to.
#[must_use = "a permit says what its call came to"]
#[derive(Debug)]
pub struct Permit {
    pub(crate) quota: quotas::Hold,
    pub(crate) budget: Option<budgets::Hold>,
}

impl Permit {
    /// So many tokens have been written so far. An error where the call may not go on.
    pub fn note(&self, output: u64) -> Result<(), Fault> {
        self.budget.as_ref().map_or(Ok(()), |budget| budget.note(output))
    }

    /// What it came to.
    pub fn settle(mut self, spent: &Spent) {
        self.quota.settle(spent);
        if let Some(mut budget) = self.budget {
            budget.settle(spent);
        }
    }

    /// Nobody was asked: everything is given back.
    pub fn unused(self) {
        if let Some(mut budget) = self.budget {
            budget.unused();
        }
    }
}
