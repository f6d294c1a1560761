//! Text models through llama.cpp.
//!
//! A model's thread ([`worker`]) owns its context and is the only one that computes; callers prepare their
//! prompt on their own ([`prompt`], [`grammar`]) and hand it over through a bounded queue ([`queue`]).

mod context;
mod encoder;
#[cfg(test)]
mod goldens;
#[cfg(test)]
pub(crate) use goldens::pooled;
mod grammar;
mod model;
mod prefixes;
mod prompt;
mod queue;
mod seal;
mod sequence;
mod text_model;
mod worker;

use std::sync::OnceLock;

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::{LogOptions, send_logs_to_tracing};

use crate::error::EngineError;
pub(crate) use encoder::Encoder;
pub(crate) use text_model::TextModel;

/// llama.cpp itself, set up once a process and never torn down.
pub(crate) fn backend() -> Result<&'static LlamaBackend, EngineError> {
    static BACKEND: OnceLock<Result<LlamaBackend, String>> = OnceLock::new();
    let backend = BACKEND.get_or_init(|| {
        send_logs_to_tracing(LogOptions::default());
        LlamaBackend::init().map_err(|error| error.to_string())
    });
    backend.as_ref().map_err(|reason| EngineError::Internal(format!("llama.cpp does not start: {reason}")))
}
