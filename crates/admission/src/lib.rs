//! Whether a call of a model may begin, and for how long it may go on: quotas, budgets, and callers that repeat
//! themselves.
//!
//! Never: which model answers, what it costs (prices are given), provisioned throughput (that is the gateway's).
//!
//! Start at [`Admission::admit`]; [`Call`] is what a decision is made from.

mod call;
mod permit;

use outcrop_api::Fault;

pub use call::{Call, Spent};
pub use permit::Permit;

/// All that may keep a call out.
#[derive(Debug, Default)]
pub struct Admission {}

impl Admission {
    /// Lets `call` in, or says what keeps it out.
    pub async fn admit(&self, _call: &Call<'_>) -> Result<Permit, Fault> {
        Ok(Permit {})
    }
}
