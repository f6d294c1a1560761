//! The conversation a model is asked to continue.

#[cfg(feature = "llama")]
pub(crate) mod protect;

use serde_json::Value;

/// A conversation and the tools the model may call.
#[derive(Clone, Default, PartialEq)]
pub struct Chat {
    /// The turns, oldest first. A last turn of the assistant is continued.
    pub messages: Vec<ChatMessage>,
    /// The tools the model may call.
    pub tools: Vec<Tool>,
    /// Whether it must.
    pub tool_choice: ToolChoice,
}

/// One turn.
#[derive(Clone, PartialEq)]
pub struct ChatMessage {
    /// Whose turn.
    pub role: Role,
    /// What was said and done, in order.
    pub parts: Vec<Part>,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The instructions.
    System,
    /// The caller.
    User,
    /// The model.
    Assistant,
}

/// A piece of a turn.
#[derive(Clone, PartialEq)]
pub enum Part {
    /// Text.
    Text(String),
    /// The model called a tool.
    ToolCall {
        /// Names the call.
        id: String,
        /// The tool.
        name: String,
        /// An object.
        arguments: Value,
    },
    /// What a tool answered.
    ToolResult {
        /// The call it answers.
        id: String,
        /// The tool, where the caller knows it; otherwise it is looked up by `id`.
        name: Option<String>,
        /// The answer as text.
        content: String,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// The model's reasoning.
    Reasoning(String),
    /// Everything up to here is worth keeping for a later call.
    CachePoint,
}

/// A tool the model may call.
#[derive(Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON schema of its arguments.
    pub schema: Value,
}

/// Whether the model must call a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it likes.
    #[default]
    Auto,
    /// Some tool.
    Any,
    /// This one.
    Named(String),
}

// Prompts are private: no log line may show one by accident, so nothing here prints its content.
impl std::fmt::Debug for Chat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chat({} messages, {} tools)", self.messages.len(), self.tools.len())
    }
}
