//! Mistral AI: `mistral-text`, a prompt in the form `<s>[INST] … [/INST]`, and `mistral-chat`, chat completions whose
//! choices carry a `stop_reason`. [`CLIENT`] is the client's side of Mistral's own API.

mod prompt;
mod text;

use crate::openai::client::{Client, MISTRAL};
use crate::openai::{Format, Passed, Reasoning};

pub use text::Text;

/// `mistral-chat`. Keys and defaults as the user guide lists them for Mistral Large.
pub static CHAT: Format = Format {
    name: "mistral-chat",
    roles: &["system", "user", "assistant", "tool"],
    read: &[],
    passed: &[("top_k", Passed::Integer(0, 200)), ("safe_prompt", Passed::Boolean), ("random_seed", SEED)],
    limit: "max_tokens",
    longest: i32::MAX as i64,
    hottest: 1.0,
    stops: 10,
    answers: 1,
    defaults: (Some(8192), Some(0.7), Some(1.0)),
    some_tool: "any",
    named_tool: false,
    text_objects: false,
    media: true,
    files: false,
    joins: false,
    reasoning: Reasoning::None,
    usage_apart: false,
    ending: "stop_reason",
    whole_messages: true,
};

/// The client's side of Mistral's own API: chat completions as OpenAI has them, with what Mistral has in its own way.
/// PDF is a part `document_url`, an answer that was begun is marked `prefix`, ids of tool calls have nine letters and
/// digits, reasoning comes as parts of the type `thinking`, and every stream tells its usage unasked.
pub static CLIENT: Client = Client::new(MISTRAL);

const SEED: Passed = Passed::Integer(0, i64::MAX);
