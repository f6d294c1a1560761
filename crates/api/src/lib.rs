//! The contract of the four Bedrock services, generated from their models.

pub mod error;

pub use error::{AwsError, Fault, Kind};
