//! Guardrail resources: drafts and numbered versions, what an account enforces, and the operations that judge text.
//!
//! Never: how a text is judged (`guard`), a model's call (`gateway` asks here what to do with one).
//!
//! Start at [`Guardrails`]. Who calls a model asks it which guardrails a call has ([`Guardrails::find`],
//! [`Guardrails::enforced`]) and gets [`Applied`] ones, each of which judges passages into a [`Judgement`].

mod applied;
mod error;
mod judgement;
mod service;

pub use applied::{Applied, Guarding, Origin, OwnedPassage, Selective};
pub use error::GuardrailsError;
pub use judgement::{Judgement, Scope, reason};
pub use service::{Guardrails, OnFailure, Settings};
