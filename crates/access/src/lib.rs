//! Who is calling and what they may.
//!
//! Does: proves a request's caller from its signature or bearer token ([`Gate`]), makes and looks up keys
//! ([`Keys`]), reads IAM policies ([`Policy`]), and answers whether a caller may do a thing ([`Context::ask`]).
//! Users, roles and issuers of web identities are declared in a [`Directory`]; [`Sts`] makes sessions of roles.
//! [`Acting`] is a resource's own doing, in the name of its role.
//! Never: reads a socket, routes, knows an operation's shape; the arithmetic of signatures is `outcrop_wire::sigv4`.
//!
//! Start at [`Gate::prove`]. `outcrop dev` believes any well-formed credentials, `outcrop serve` only what it can
//! verify; both are one gate in two [`Mode`]s.

mod account;
pub mod acting;
mod ask;
mod caller;
mod client;
mod context;
pub mod directory;
mod error;
mod gate;
pub mod keys;
pub mod oidc;
mod permissions;
mod policy;
mod resource_policies;
mod secret;
pub mod sts;
mod trail;

pub use account::{DEFAULT_ACCOUNT, account_of_key};
pub use acting::{Acting, ActingError};
pub use ask::Ask;
pub use caller::{Caller, CallerKind};
pub use client::ClientInfo;
pub use context::Context;
pub use directory::{Directory, DirectoryError};
pub use error::{AccessError, Denial};
pub use gate::{Body, Claim, Clock, Gate, Head, Mode, Payload, Proof, Seal};
pub use keys::{AccessKey, ApiKey, Keys, MemoryKeys, StoredKeys};
pub use permissions::Permissions;
pub use policy::{
    Decision, Keys as ConditionKeys, MAX_BYTES as MAX_POLICY_BYTES, Policy, PolicyError, PolicyKind, Principal, Request,
};
pub use resource_policies::ResourcePolicies;
pub use secret::Secret;
pub use sts::Sts;
pub use trail::{Decided, Noted, Trail};
