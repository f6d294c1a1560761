//! What a caller asks for and what it hears.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::chat::Chat;
use crate::error::EngineError;

/// A request for one answer.
#[derive(Debug, Clone)]
pub struct Generate {
    /// The local model's name.
    pub model: String,
    /// The conversation.
    pub chat: Chat,
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// Text that ends the answer and is not part of it.
    pub stop: Vec<String>,
    /// The most tokens to generate; what the window leaves where absent.
    pub max_tokens: Option<u32>,
    /// What the answer must look like.
    pub output: OutputShape,
    /// Who goes first when calls wait.
    pub priority: Priority,
    /// Computed prefixes are shared within a scope and never across: the caller's account.
    pub scope: String,
}

/// How tokens are drawn. What is absent falls back to the model file's own settings, then to llama.cpp's.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sampling {
    /// 0 takes the likeliest token every time.
    pub temperature: Option<f32>,
    /// Only the likeliest tokens that together have this probability.
    pub top_p: Option<f32>,
    /// Only this many of the likeliest tokens.
    pub top_k: Option<u32>,
    /// The same seed draws the same tokens.
    pub seed: Option<u64>,
}

/// What the answer must look like.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum OutputShape {
    /// Anything.
    #[default]
    Free,
    /// JSON that satisfies this schema.
    JsonSchema(Value),
}

/// Who goes first when calls wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Before all others.
    High,
    /// In between.
    #[default]
    Normal,
    /// When nobody else waits.
    Low,
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The call has its place and the prompt is known; nothing is generated yet. Always first.
    Started(Usage),
    /// Text, never splitting a character.
    Text(String),
    /// The model begins to call a tool.
    ToolCallStart {
        /// The tool.
        name: String,
    },
    /// A fragment of the call's arguments; together they are one JSON object.
    ToolCallArguments(String),
    /// The call is complete.
    ToolCallEnd,
    /// The answer is complete. Always last.
    Finished(Finished),
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Why.
    pub reason: FinishReason,
    /// What it cost.
    pub usage: Usage,
    /// How long it took.
    pub timings: Timings,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishReason {
    /// The model had said everything.
    EndTurn,
    /// The limit, or the end of the window.
    MaxTokens,
    /// This stop sequence.
    StopSequence(String),
    /// The model waits for a tool.
    ToolUse,
}

/// Tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the whole prompt.
    pub prompt_tokens: u32,
    /// Of the prompt, how many an earlier call in the same scope had computed.
    pub cached_tokens: u32,
    /// For each cache point, how many prompt tokens precede it.
    pub checkpoints: Vec<u32>,
    /// Generated.
    pub output_tokens: u32,
}

/// Where the time went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Until a sequence was free.
    pub queued: Duration,
    /// From there to the first token.
    pub prefill: Duration,
    /// From there to the end.
    pub decode: Duration,
}

/// The length of a chat for one model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenCount {
    /// Prompt tokens.
    pub total: u32,
    /// For each cache point, how many tokens precede it.
    pub checkpoints: Vec<u32>,
}

/// An answer as it grows. Dropping it stops the model within one token.
#[derive(Debug)]
pub struct Generation {
    events: mpsc::Receiver<Result<Event, EngineError>>,
    over: bool,
}

#[cfg(feature = "llama")]
impl Generation {
    pub(crate) fn new(events: mpsc::Receiver<Result<Event, EngineError>>) -> Self {
        Self { events, over: false }
    }
}

impl Stream for Generation {
    type Item = Result<Event, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let item = match std::task::ready!(self.events.poll_recv(cx)) {
            Some(item) => item,
            // The model's thread let go without a word: it died. An answer never just ends.
            None => Err(EngineError::Internal("the model's thread stopped".into())),
        };
        self.over = matches!(item, Err(_) | Ok(Event::Finished(_)));
        Poll::Ready(Some(item))
    }
}
