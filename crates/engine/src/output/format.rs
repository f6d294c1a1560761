//! The ways in which models write tool calls.

/// Control tokens that are part of a call's writing. Everywhere else control tokens are not text.
pub(crate) const MARKERS: [&str; 6] =
    ["<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[CALL_ID]", "[ARGS]", "<|python_tag|>"];

/// How a model writes a tool call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallFormat {
    /// `<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Hermes, Qwen, SmolLM and most others.
    Hermes,
    /// `[TOOL_CALLS][{"name": …, "arguments": {…}}]`, newer ones `[TOOL_CALLS]name[ARGS]{…}`.
    Mistral,
    /// The answer is `{"name": …, "parameters": {…}}`, perhaps after `<|python_tag|>`.
    Llama,
}

impl CallFormat {
    /// By what a chat template writes for earlier calls.
    pub(crate) fn of(template: &str) -> Self {
        if template.contains("<tool_call>") {
            Self::Hermes
        } else if template.contains("[TOOL_CALLS]") {
            Self::Mistral
        } else if template.contains("<|python_tag|>") || template.contains("\"parameters\"") {
            Self::Llama
        } else {
            Self::Hermes
        }
    }

    /// What opens a call.
    pub(super) const fn marker(self) -> &'static str {
        match self {
            Self::Hermes => "<tool_call>",
            Self::Mistral => "[TOOL_CALLS]",
            Self::Llama => "<|python_tag|>",
        }
    }
}
