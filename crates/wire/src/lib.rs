//! The protocol by hand: JSON, bindings, event-stream frames, SigV4 arithmetic, ARNs.

pub mod arn;
pub mod eventstream;
pub mod sigv4;
