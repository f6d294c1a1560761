//! AI21 Labs: `jamba`, chat completions with defaults and bounds of their own (user guide, Jamba models).

use crate::openai::{CHAT, Format, Passed, Reasoning};

/// `jamba`.
pub static JAMBA: Format = Format {
    name: "jamba",
    roles: &["system", "user", "assistant", "tool"],
    read: &["n", "response_format"],
    passed: &[("frequency_penalty", Passed::Number(-2.0, 2.0)), ("presence_penalty", Passed::Number(-2.0, 2.0))],
    limit: "max_tokens",
    stops: 16,
    answers: 16,
    defaults: (Some(4096), Some(1.0), Some(1.0)),
    media: false,
    reasoning: Reasoning::None,
    ..CHAT
};
