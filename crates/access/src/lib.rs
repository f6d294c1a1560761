//! Who is calling and what they may.
//!
//! Does: proves a request's caller from its signature or bearer token ([`Gate`]), makes and looks up keys
//! ([`Keys`]), and answers whether a caller may do a thing ([`Context::allow`]).
//! Never: reads a socket, routes, knows an operation's shape; the arithmetic of signatures is `outcrop_wire::sigv4`.
//!
//! Start at [`Gate::prove`]. `outcrop dev` believes any well-formed credentials, `outcrop serve` only what it can
//! verify; both are one gate in two [`Mode`]s.

mod account;
mod caller;
mod client;
mod context;
mod error;
mod gate;
pub mod keys;
mod permissions;
mod policy;
mod secret;

pub use account::{DEFAULT_ACCOUNT, account_of_key};
pub use caller::{Caller, CallerKind};
pub use client::ClientInfo;
pub use context::Context;
pub use error::AccessError;
pub use gate::{Body, Claim, Clock, Gate, Head, Mode, Proof};
pub use keys::{AccessKey, ApiKey, Keys, MemoryKeys, StoredKeys};
pub use permissions::Permissions;
pub use policy::Policy;
pub use secret::Secret;
