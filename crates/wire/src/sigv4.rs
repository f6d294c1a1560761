//! AWS Signature Version 4: arithmetic over what was received. No keys, no clock, no policy.
//!
//! [`Authorization`] and [`Presigned`] read what a client claims; [`ToSign`] says what must have been signed;
//! [`SigningKey`] signs and verifies. [`Signer`] is the client's side of the same.
//!
//! The canonical path is the raw received path percent-encoded once more (`%2F` becomes `%252F`, a raw `:`
//! becomes `%3A`, `/` stays), as 699 recorded requests of eight clients proved; a path must therefore never be
//! decoded before its signature is verified.

mod canonical;
mod key;
mod parse;
mod signer;
#[cfg(test)]
mod tests;

pub use canonical::{PathRule, Place, Request, ToSign};
pub use key::{Signature, SigningKey, sha256_hex};
pub use parse::{Authorization, ParseError, Presigned, Scope};
pub use signer::Signer;

/// The one algorithm.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The hash of an empty body.
pub const EMPTY_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// In place of a body's hash: the body is not signed.
pub const UNSIGNED_BODY: &str = "UNSIGNED-PAYLOAD";
/// In place of a body's hash: each event-stream frame of the body carries a signature of its own.
pub const STREAMING_EVENTS: &str = "STREAMING-AWS4-HMAC-SHA256-EVENTS";
/// The end of every credential scope.
const TERMINATOR: &str = "aws4_request";
