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
pub use loops::Loops;
pub use permit::Permit;
pub use quotas::Quotas;

/// All that may keep a call out.
#[derive(Debug, Default)]
pub struct Admission {
    /// Callers that repeat themselves.
    pub loops: Loops,
    /// Tokens, requests and calls at a time.
    pub quotas: Quotas,
}

impl Admission {
    /// Lets `call` in, or says what keeps it out.
    pub async fn admit(&self, call: &Call<'_>) -> Result<Permit, Fault> {
        self.loops.check(call)?;
        let quota = self.quotas.admit(call)?;
        Ok(Permit { quota })
    }
}
