//! What one maker's version of the format has.

/// One maker's version of chat completions.
#[derive(Clone, Copy)]
pub struct Format {
    pub(crate) name: &'static str,
    /// The roles of messages.
    pub(crate) roles: &'static [&'static str],
    /// The members beside `messages`, `max_tokens`, `temperature`, `top_p`, `stop`, `tools` and `tool_choice` that the
    /// codec reads where a format has them.
    pub(crate) read: &'static [&'static str],
    /// The members that travel in `additionalModelRequestFields`.
    pub(crate) passed: &'static [(&'static str, Passed)],
    /// The key of the limit in a request that is written.
    pub(crate) limit: &'static str,
    /// The greatest limit that a body may set.
    pub(crate) longest: i64,
    /// The greatest `temperature`.
    pub(crate) hottest: f64,
    /// The most stop sequences.
    pub(crate) stops: usize,
    /// The most answers that `n` may ask for. More than one is never made here.
    pub(crate) answers: i64,
    /// `max_tokens`, `temperature` and `top_p` where a body leaves them out; none where that is the model's affair.
    pub(crate) defaults: (Option<i32>, Option<f32>, Option<f32>),
    /// The `tool_choice` that asks for some tool.
    pub(crate) some_tool: &'static str,
    /// A `tool_choice` may name a tool.
    pub(crate) named_tool: bool,
    /// A user's content may be the object of one text.
    pub(crate) text_objects: bool,
    /// Parts of a user's message may be images and sound.
    pub(crate) media: bool,
    /// Parts of a user's message may be files.
    pub(crate) files: bool,
    /// Turns of one role that follow each other are one: Converse's models want the roles to alternate.
    pub(crate) joins: bool,
    /// Where reasoning stands.
    pub(crate) reasoning: Reasoning,
    /// The counts come in a chunk of their own, behind the one that says why the answer ended.
    pub(crate) usage_apart: bool,
    /// The key under which a choice says why it ended.
    pub(crate) ending: &'static str,
    /// A chunk's choice holds a `message`, not a `delta`, and a tool call comes in one piece.
    pub(crate) whole_messages: bool,
}

/// Where a message has its reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reasoning {
    /// Nowhere.
    None,
    /// Before the text, between tags.
    Tagged,
    /// In the member `reasoning_content`.
    Member,
}

/// How a member that only travels is checked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Passed {
    Boolean,
    Text,
    Object,
    Integer(i64, i64),
    Number(f64, f64),
    Words(&'static [&'static str]),
}

/// OpenAI's reference of chat completions; what the answer could not hold (`logprobs`, `audio`, `modalities`) is read
/// to be refused, or unknown.
const OPENAI_PASSED: &[(&str, Passed)] = &[
    ("chat_template_kwargs", Passed::Object),
    ("frequency_penalty", Passed::Number(-2.0, 2.0)),
    ("logit_bias", Passed::Object),
    ("metadata", Passed::Object),
    ("min_p", Passed::Number(0.0, 1.0)),
    ("parallel_tool_calls", Passed::Boolean),
    ("presence_penalty", Passed::Number(-2.0, 2.0)),
    ("prompt_cache_key", Passed::Text),
    ("reasoning_effort", Passed::Words(&["none", "minimal", "low", "medium", "high", "xhigh"])),
    ("repetition_penalty", Passed::Number(0.0, 2.0)),
    ("safety_identifier", Passed::Text),
    ("seed", Passed::Integer(i64::MIN, i64::MAX)),
    ("service_tier", Passed::Text),
    ("store", Passed::Boolean),
    ("top_k", Passed::Integer(0, i32::MAX as i64)),
    ("user", Passed::Text),
    ("verbosity", Passed::Words(&["low", "medium", "high"])),
];

pub(super) const OPENAI: Format = Format {
    name: "openai-chat",
    roles: &["system", "developer", "user", "assistant", "tool"],
    read: &[
        "logprobs",
        "max_completion_tokens",
        "model",
        "n",
        "response_format",
        "stream",
        "stream_options",
        "top_logprobs",
    ],
    passed: OPENAI_PASSED,
    limit: "max_completion_tokens",
    longest: i32::MAX as i64,
    hottest: 2.0,
    stops: 4,
    answers: 1,
    defaults: (None, None, None),
    some_tool: "required",
    named_tool: true,
    text_objects: false,
    media: true,
    files: false,
    joins: false,
    reasoning: Reasoning::Tagged,
    usage_apart: false,
    ending: "finish_reason",
    whole_messages: false,
};

/// What OpenAI's own clients send. `metadata`, `service_tier` and `store` stand beside the conversation: whoever takes
/// the call reads them.
pub(super) const API: Format = Format {
    name: "openai-api",
    read: &[
        "logprobs",
        "max_completion_tokens",
        "metadata",
        "modalities",
        "model",
        "n",
        "reasoning_effort",
        "response_format",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "top_logprobs",
    ],
    passed: API_PASSED,
    files: true,
    joins: true,
    reasoning: Reasoning::Member,
    usage_apart: true,
    ..OPENAI
};

const API_PASSED: &[(&str, Passed)] = &[
    ("chat_template_kwargs", Passed::Object),
    ("frequency_penalty", Passed::Number(-2.0, 2.0)),
    ("logit_bias", Passed::Object),
    ("min_p", Passed::Number(0.0, 1.0)),
    ("parallel_tool_calls", Passed::Boolean),
    ("presence_penalty", Passed::Number(-2.0, 2.0)),
    ("prompt_cache_key", Passed::Text),
    ("repetition_penalty", Passed::Number(0.0, 2.0)),
    ("safety_identifier", Passed::Text),
    ("seed", Passed::Integer(i64::MIN, i64::MAX)),
    ("top_k", Passed::Integer(0, i32::MAX as i64)),
    ("user", Passed::Text),
    ("verbosity", Passed::Words(&["low", "medium", "high"])),
];

pub(super) const QWEN: Format = Format { name: "qwen", limit: "max_tokens", ..OPENAI };
