//! Whether a call of a model may begin, and for how long it may go on: quotas, budgets, and callers that repeat
//! themselves.
//!
//! Never: which model answers, what it costs (prices are given), provisioned throughput (that is the gateway's).
//!
//! Start at [`Admission::admit`]; [`Call`] is what a decision is made from. [`quotas`] limits tokens, requests and calls
//! at a time, [`loops`] stops callers that send the same again and again.

mod call;
pub mod loops;
mod permit;
pub mod quotas;

use outcrop_api::Fault;

pub use call::{Call, Spent};
pub use permit::Permit;

/// All that may keep a call out.
#[derive(Debug, Default)]
pub struct Admission {
    quotas: quotas::Quotas,
    loops: loops::Loops,
}

impl Admission {
    /// Calls are counted against `quotas`.
    #[must_use]
    pub fn quotas(self, quotas: quotas::Quotas) -> Self {
        Self { quotas, ..self }
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

    /// Lets `call` in, or says what keeps it out.
    pub async fn admit(&self, call: &Call<'_>) -> Result<Permit, Fault> {
        self.loops.check(call)?;
        Ok(Permit { hold: self.quotas.admit(call)? })
    }
}
