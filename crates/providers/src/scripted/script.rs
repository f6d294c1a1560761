//! The file: a list of models, and rules of which the first that holds answers.
//!
//! ```toml
//! models = ["small", "large"]        # what the provider says it has
//!
//! [[rules]]
//! model = "large"                    # which model; * stands for any text
//! contains = "weather"               # in the last user text, or a document that is text
//! turn = 1                           # how many user messages there are
//! tool_result = false                # whether the last user message answers a tool
//! times = 1                          # how often it answers; then the next rule's turn
//! text = "Let me look."
//! tool_calls = [{ name = "get_weather", input = { city = "Paris" } }]
//!
//! [[rules]]
//! contains = "too much"
//! error = { code = "ThrottlingException", message = "Slow down.", retry_after_seconds = 1 }
//!
//! [[rules]]
//! text = "Hello."
//! chunk = 3                          # characters in each piece of a stream
//! chunk_delay_ms = 10                # before each piece
//! delay_ms = 50                      # before the answer
//! cut_after = 4                      # characters after which a stream breaks off
//! ```

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use outcrop_api::bedrock_runtime::{
    ContentBlock, ConversationRole, ConverseRequest, SystemContentBlock, ToolResultContentBlock,
};
use outcrop_api::{Fault, Kind};
use outcrop_dialects::converse::paper;
use serde::Deserialize;

use crate::{Failure, Glob};

/// The errors that a script can answer with.
const ERRORS: [Kind; 9] = [
    Kind::Validation,
    Kind::AccessDenied,
    Kind::ResourceNotFound,
    Kind::Throttling,
    Kind::ModelNotReady,
    Kind::ModelTimeout,
    Kind::ModelError,
    Kind::ServiceUnavailable,
    Kind::InternalServer,
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    #[serde(default)]
    pub(super) models: Vec<String>,
    pub(super) rules: Vec<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rule {
    model: Option<String>,
    contains: Option<String>,
    system_contains: Option<String>,
    turn: Option<usize>,
    tool_result: Option<bool>,
    pub(super) times: Option<u32>,
    pub(super) text: Option<String>,
    pub(super) reasoning: Option<String>,
    pub(super) tool_calls: Vec<ToolCall>,
    pub(super) stop_reason: Option<String>,
    pub(super) stop_sequence: Option<String>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<Error>,
    pub(super) delay_ms: u64,
    pub(super) chunk: Option<NonZeroUsize>,
    pub(super) chunk_delay_ms: u64,
    pub(super) cut_after: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolCall {
    pub(super) id: Option<String>,
    pub(super) name: String,
    #[serde(default)]
    pub(super) input: toml::Table,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Usage {
    pub(super) input: Option<i32>,
    pub(super) output: Option<i32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Error {
    code: String,
    #[serde(default)]
    message: String,
    retry_after_seconds: Option<f64>,
}

impl Script {
    /// The script in the file at `path`, or what is wrong with it.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let wrong = |why: String| format!("{}: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let script: Self = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        for (n, rule) in script.rules.iter().enumerate() {
            let said = rule.text.is_some() || rule.reasoning.is_some() || !rule.tool_calls.is_empty();
            if said == rule.error.is_some() {
                let n = n + 1;
                return Err(wrong(format!("rule {n} must have either an error or a text, a reasoning or tool calls")));
            }
            if let Some(error) = &rule.error
                && error.kind().is_none()
            {
                let known: Vec<&str> = ERRORS.iter().map(|kind| kind.name()).collect();
                let n = n + 1;
                return Err(wrong(format!("rule {n}: `{}` is none of {}", error.code, known.join(", "))));
            }
        }
        Ok(script)
    }
}

impl Rule {
    /// Whether its conditions hold.
    pub(super) fn holds(&self, model: &str, request: &ConverseRequest) -> bool {
        let messages = request.messages.as_deref().unwrap_or_default();
        let turns = messages.iter().filter(|message| message.role == ConversationRole::User).count();
        let answers_tool = messages
            .last()
            .is_some_and(|message| message.content.iter().any(|block| matches!(block, ContentBlock::ToolResult(_))));
        self.model.as_deref().is_none_or(|pattern| Glob::new(pattern).matches(model))
            && self.contains.as_deref().is_none_or(|part| last_user_text(request).contains(part))
            && self.system_contains.as_deref().is_none_or(|part| system(request).contains(part))
            && self.turn.is_none_or(|turn| turn == turns)
            && self.tool_result.is_none_or(|wanted| wanted == answers_tool)
    }
}

impl Error {
    fn kind(&self) -> Option<Kind> {
        ERRORS.into_iter().find(|kind| kind.name() == self.code)
    }

    /// The failure that the script wants.
    pub(super) fn failure(&self) -> Failure {
        let kind = self.kind().unwrap_or(Kind::InternalServer);
        let mut failure = Failure::from(Fault::new(kind, self.message.clone()));
        failure.retry_after = self.retry_after_seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
        failure
    }
}

/// The texts of the last user message, of its documents that are text, and of the tools that it answers.
pub(super) fn last_user_text(request: &ConverseRequest) -> String {
    let messages = request.messages.as_deref().unwrap_or_default();
    let last = messages.iter().rev().find(|message| message.role == ConversationRole::User);
    last.map(|message| texts(&message.content)).unwrap_or_default()
}

fn texts(content: &[ContentBlock]) -> String {
    let mut out = String::new();
    for block in content {
        match block {
            ContentBlock::Text(text) => out.push_str(text),
            ContentBlock::ToolResult(result) => {
                for part in &result.content {
                    match part {
                        ToolResultContentBlock::Text(text) => out.push_str(text),
                        ToolResultContentBlock::Json(value) => out.push_str(&value.to_string()),
                        _ => {}
                    }
                }
            }
            ContentBlock::Document(document) => out.push_str(&paper(document).unwrap_or_default()),
            _ => continue,
        }
        out.push('\n');
    }
    out
}

fn system(request: &ConverseRequest) -> String {
    let texts = request.system.iter().flatten().filter_map(|block| match block {
        SystemContentBlock::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// How many characters a model would read.
pub(super) fn characters(request: &ConverseRequest) -> usize {
    let messages = request.messages.iter().flatten().map(|message| texts(&message.content).chars().count());
    messages.sum::<usize>() + system(request).chars().count()
}
