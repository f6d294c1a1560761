//! Whether a call of a model may begin, and for how long it may go on: quotas, budgets, and callers that repeat
//! themselves.
//!
//! Never: which model answers, what it costs (prices are given), provisioned throughput (that is the gateway's).
//!
//! Start at [`Call`], what a decision is made from; [`budgets`] decides by what was spent.

pub mod budgets;
mod call;

pub use call::{Call, Spent};
