//! Cohere: `cohere-command` (a prompt and its completion), `command-r` (a message, what was said before it, documents
//! and tools), `cohere-embed-v3`, `cohere-embed-v4`. [`client`] is the client's side of Cohere's own API.

pub mod client;
mod command;
mod command_r;
mod embed;
mod embed_v4;

pub use command::Command;
pub use command_r::CommandR;
pub use embed::EmbedV3;
pub use embed_v4::EmbedV4;

use outcrop_api::bedrock_runtime::StopReason;

/// Why an answer ended.
fn finish_reason(reason: &StopReason) -> &'static str {
    match reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => "MAX_TOKENS",
        StopReason::ContentFiltered | StopReason::GuardrailIntervened => "ERROR_TOXIC",
        StopReason::MalformedModelOutput | StopReason::MalformedToolUse => "ERROR",
        _ => "COMPLETE",
    }
}
