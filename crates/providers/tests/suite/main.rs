//! What every provider behind HTTP does, written once and run for each against a fake of its service on this machine.
//!
//! A provider joins with a file that implements [`speaks::Speaks`], which is its service's wire format from the other
//! side, and one line `suite!(Its)`; behaviour of its own has its tests in the same file. [`cases`] are the behaviours,
//! [`fake`] is the server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail")]

#[macro_use]
mod cases;
mod fake;
mod speaks;

mod anthropic;
mod bedrock;
mod cohere;
mod mistral;
mod openai;
