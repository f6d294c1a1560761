//! Whether a call of a model may begin, and for how long it may go on: quotas, budgets, and callers that repeat
//! themselves.
//!
//! Never: which model answers, what it costs (prices are given), provisioned throughput (that is the gateway's).
//!
//! Start at [`Call`], what a decision is made from; [`quotas`] limits tokens, requests and calls at a time, [`loops`]
//! stops callers that send the same again and again.

mod call;
pub mod loops;
pub mod quotas;

pub use call::{Call, Spent};
