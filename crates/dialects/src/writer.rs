//! Writer: `writer`, Palmyra's chat completions (user guide, Palmyra X4 and X5). The guide writes a user's content as
//! `{"text": …}`; strings and lists of parts are taken too.

use crate::openai::{CHAT, Format, Passed, Reasoning};

/// `writer`.
pub static PALMYRA: Format = Format {
    name: "writer",
    roles: &["system", "user", "assistant", "tool"],
    read: &["response_format", "stream"],
    passed: &[
        ("frequency_penalty", Passed::Number(-2.0, 2.0)),
        ("min_tokens", Passed::Integer(0, 8192)),
        ("presence_penalty", Passed::Number(-2.0, 2.0)),
        ("seed", Passed::Integer(i64::MIN, i64::MAX)),
    ],
    limit: "max_tokens",
    longest: 8192,
    defaults: (Some(16), Some(1.0), Some(1.0)),
    text_objects: true,
    reasoning: Reasoning::None,
    ..CHAT
};
