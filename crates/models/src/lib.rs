//! Everything that a modelId can name: the catalogue of Bedrock's models, the inference profiles and prompt routers that
//! AWS defines and those that callers create, provisioned throughput, and the way from a modelId to the model that is
//! meant; agreements, and how much of a call an account lets others keep.
//!
//! Never: calling a model, HTTP, a canned answer. Lifecycle, Regions and on-demand are always reported as AWS has
//! them and refused only where [`Settings`] says so.
//!
//! Start at [`Models::resolve`], then at [`Catalogue`], whose facts stand in `data/` (one file a provider, sources in
//! `docs/catalogue.md`). [`foundation_models`], [`inference_profiles`], [`prompt_routers`] and [`data_retention`]
//! are the operations, one function each; so are [`provisioned`] and [`model_access`], of which [`Memory`] holds
//! what invocations must know. [`prompt_routers::rule`] says which of a router's models a prompt gets.

pub mod catalogue;
pub mod data_retention;
pub mod error;
pub mod foundation_models;
pub mod identifier;
pub mod inference_profiles;
mod memory;
pub mod model_access;
mod models;
pub mod permission;
pub mod prompt_routers;
pub mod provisioned;
pub mod regions;
pub mod resolve;
pub mod settings;
#[cfg(test)]
mod testing;

pub use catalogue::{Catalogue, LocalKind, LocalModel, Model, OwnKind, OwnModel};
pub use error::ModelsError;
pub use memory::Memory;
pub use model_access::ModelAccess;
pub use models::{Models, TAGGED};
pub use permission::Invocation;
pub use provisioned::Units;
pub use resolve::{Resolved, Router, Throughput};
pub use settings::Settings;
