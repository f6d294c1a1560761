//! Whether a call of a model may begin, and for how long it may go on: quotas, budgets, and callers that repeat
//! themselves; how much text guardrails judge; and the part of Service Quotas that shows quotas and raises them.
//!
//! Never: which model answers, what it costs (prices are given), provisioned throughput (that is the gateway's).
//!
//! Start at [`Admission::admit`]: a [`Call`] is what a decision is made from, a [`Permit`] what was reserved for it
//! until it is settled. [`quotas`] limits tokens, requests and calls at a time, [`budgets`] what is spent, [`loops`]
//! stops callers that send the same again and again. [`text_units`] limits what guardrails judge. [`quotas::slice`] is what `aws service-quotas` talks to.

pub mod budgets;
mod call;
pub mod loops;
mod permit;
pub mod quotas;
pub mod text_units;

use outcrop_api::Fault;

pub use budgets::Budgets;
pub use call::{Call, Spent};
pub use permit::Permit;

/// All that may keep a call out.
#[derive(Debug, Default)]
pub struct Admission {
    quotas: quotas::Quotas,
    budgets: Option<budgets::Budgets>,
    loops: loops::Loops,
}

impl Admission {
    /// Calls are counted against `quotas`.
    #[must_use]
    pub fn quotas(self, quotas: quotas::Quotas) -> Self {
        Self { quotas, ..self }
    }

    /// Calls are paid from `budgets`.
    #[must_use]
    pub fn budgets(self, budgets: budgets::Budgets) -> Self {
        Self { budgets: Some(budgets), ..self }
    }

    /// Callers that repeat themselves are stopped by `loops`.
    #[must_use]
    pub fn loops(self, loops: loops::Loops) -> Self {
        Self { loops, ..self }
    }

    /// Whether anybody looks at a [`Call::likeness`].
    pub fn looks_for_loops(&self) -> bool {
        self.loops.looks()
    }

    /// Lets `call` in, or says what keeps it out. Waits only where a budget has to lease more.
    pub async fn admit(&self, call: &Call<'_>) -> Result<Permit, Fault> {
        self.loops.check(call)?;
        let quota = self.quotas.admit(call)?;
        let budget = match &self.budgets {
            Some(budgets) => Some(budgets.admit(call).await?),
            None => None,
        };
        Ok(Permit::new(quota, budget.filter(|hold| !hold.is_free())))
    }
}
