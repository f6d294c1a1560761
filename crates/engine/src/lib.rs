//! Local inference: a chat in, an answer out, on this machine.
//!
//! Models are loaded by the first call that names them, answer many calls at once and unload when nobody asks.
//! One thread owns a model; everything that needs no model (`template`, `output`, `sample`) is plain code with
//! tests of its own. [`embed`] turns text into vectors, [`rank`] orders texts by their relevance to a query, [`weights`]
//! knows where model files lie and fetches them.
//!
//! Several models share one budget of memory (`memory`): idle ones make room, those that answer never do.
//!
//! Never: serves HTTP, knows accounts or catalogue names. A scope is the only thing known of a caller.
//!
//! Start at [`Engine::generate`]; the heart is the loop in `llama/worker.rs`.

mod chat;
mod config;
pub mod embed;
mod engine;
mod error;
mod generate;
#[cfg_attr(not(feature = "llama"), allow(dead_code, reason = "text models alone share it"))]
mod memory;
pub mod rank;
mod status;
pub mod weights;

#[cfg(feature = "llama")]
mod llama;
#[cfg(feature = "llama")]
mod output;
#[cfg(feature = "llama")]
mod sample;
#[cfg(feature = "llama")]
mod template;
#[cfg(not(feature = "llama"))]
mod without_llama;

pub use chat::{Chat, ChatMessage, Part, Role, Tool, ToolChoice};
pub use config::{EngineConfig, LocalModel, ModelKind};
pub use engine::Engine;
pub use error::EngineError;
pub use generate::{
    Event, FinishReason, Finished, Generate, Generation, OutputShape, Priority, Sampling, Timings, TokenCount, Usage,
};
pub use status::{LoadState, ModelStatus};
