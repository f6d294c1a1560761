//! Guardrail resources: drafts and numbered versions, what an account enforces, and the operations that judge text.
//!
//! Never: how a text is judged (`guard`), a model's call (`gateway` asks here what to do with one).
//!
//! Start at [`Guardrails`]. Who calls a model asks it which guardrails a call has ([`Guardrails::find`],
//! [`Guardrails::enforced`]) and gets [`Applied`] ones, each of which judges passages into a [`Judgement`]. The operations
//! are one function each: [`control`], [`versions`], [`enforced`], [`apply`], [`checks`]. What is kept and how stands in
//! `kept.rs`, whose turn it is to be judged in `turns.rs`; `definition/` turns what callers write into that, into what
//! they are shown, and into the engine's policy.

pub mod apply;
pub mod checks;
pub mod control;
pub mod enforced;
pub mod versions;

mod applied;
mod counted;
mod definition;
mod error;
pub mod explained;
pub mod judge;
mod judgement;
mod kept;
mod memory;
mod service;
#[cfg(test)]
mod testing;
mod turns;

pub use applied::{Applied, Guarding, Origin, OwnedPassage, Selective};
pub use error::GuardrailsError;
pub use judgement::{Judgement, Scope, reason};
pub use kept::{GUARDRAIL, KINDS};
pub use memory::Memory;
pub use service::{Guardrails, OnFailure, Settings};
pub use turns::{Asked, Judges, Work};
