//! A call that was let in.

use outcrop_api::Fault;

use crate::{Spent, budgets, quotas};

/// Holds what was reserved for a call, until it says what it came to. Dropped before, quotas have everything back, and
/// budgets count its prompt and what was noted.
#[must_use = "a permit says what its call came to"]
pub struct Permit {
    quota: quotas::Hold,
    budget: Option<budgets::Hold>,
}

impl Permit {
    pub(crate) fn new(quota: quotas::Hold, budget: Option<budgets::Hold>) -> Self {
        Self { quota, budget }
    }

    /// So many tokens have been written so far. An error where the call may not go on.
    pub fn note(&self, output: u64) -> Result<(), Fault> {
        self.budget.as_ref().map_or(Ok(()), |hold| hold.note(output))
    }

    /// What it came to.
    pub fn settle(mut self, spent: &Spent) {
        self.quota.settle(spent);
        if let Some(hold) = &mut self.budget {
            hold.settle(spent);
        }
    }

    /// Nobody was asked: everything is given back.
    pub fn unused(mut self) {
        if let Some(hold) = &mut self.budget {
            hold.unused();
        }
    }
}
