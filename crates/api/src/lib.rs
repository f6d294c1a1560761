//! The contract of the four Bedrock services, generated from their models: shapes, unions, enumerations that keep
//! unknown values, one marker per operation, errors with their status per service.
//!
//! Never: hand edits below `generated/` (`cargo xtask codegen` writes it, `--check` proves it fresh), I/O, rules that
//! the models do not state.
//!
//! Start at [`operation::Operation`] and at a marker such as [`bedrock_runtime::Converse`]. Each service is a module
//! of its own because 128 of their shape names mean different things in different services.

pub mod error;
#[rustfmt::skip]
mod generated;
pub mod operation;
#[cfg(test)]
mod tests;

pub use error::{AwsError, Fault, Kind, Original};
pub use generated::{bedrock, bedrock_agent, bedrock_agent_runtime, bedrock_runtime};
pub use operation::{Events, Never, Operation, Reply, Service, Spec, operations};
