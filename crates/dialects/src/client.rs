//! The client's side of a format: what is written to a provider that speaks it, and what is read of its answer.
//!
//! A format that both sides speak shares its types between them; the two differ in who is trusted. A caller's body is
//! checked to the letter, a provider's answer is read for what it says: members that nobody knows are passed over.

mod splice;

pub(crate) use splice::members;

use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseResponse, ConverseStreamOutput, TokenUsage};

use crate::DialectError;

/// A conversation for a provider.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The conversation.
    pub request: &'a ConverseRequest,
    /// The provider's own name of the model.
    pub model: &'a str,
    /// The answer is to come as it is made.
    pub stream: bool,
}

/// Makes an id for a tool call to which a provider gave none: codecs have no randomness of their own.
pub type MakeId = fn() -> String;

/// A format, from its client's side.
pub trait ClientDialect: Send + Sync {
    /// The format's name, as [`crate::by_name`] and configurations have it.
    fn name(&self) -> &'static str;
    /// The body of the request. What differs between models is absorbed here; what the format has no place for is
    /// [`DialectError::NoPlace`], which names the member.
    fn request(&self, ask: &Ask<'_>) -> Result<Vec<u8>, DialectError>;
    /// Reads a whole answer. `additionalModelResponseFields` is everything of it that a caller may point at.
    fn answer(&self, body: &[u8], make_id: MakeId) -> Result<ConverseResponse, ReadError>;
    /// A reader of one streamed answer.
    fn reader(&self, make_id: MakeId) -> Box<dyn StreamReader>;
    /// What the body of a refusal says.
    fn refusal(&self, status: u16, body: &[u8]) -> Refusal;
}

/// Reads one streamed answer, server-sent event by event.
pub trait StreamReader: Send {
    /// Appends what the event says, in the order of Converse: `messageStart` first, block by block, `messageStop`, and
    /// `metadata` last. Latencies are left 0.
    fn event(&mut self, name: &str, data: &[u8], out: &mut Vec<ConverseStreamOutput>) -> Result<(), ReadError>;
    /// What the prompt took, as far as the events told it so far; the output count is 0.
    fn prompt(&self) -> TokenUsage {
        TokenUsage::default()
    }
    /// The stream ended: appends what is still owed, or says that the answer was cut.
    fn end(&mut self, out: &mut Vec<ConverseStreamOutput>) -> Result<(), ReadError>;
}

/// What a provider says where it refuses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// Its text, for the caller; empty where there is none.
    pub message: String,
    /// Its name for the error: `rate_limit_error`, `model_not_found`.
    pub code: Option<String>,
}

/// Why an answer could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not what the format says.
    #[error("the provider's answer is malformed: {0}")]
    Malformed(String),
    /// It ended before it was complete.
    #[error("the provider's answer ended before it was complete")]
    Cut,
    /// The provider told of an error within its answer.
    #[error("the provider reports: {}", .0.message)]
    Refused(Refusal),
}

impl ReadError {
    /// What is no JSON of the form that is expected. The place says enough: what stands there may be the answer itself,
    /// which belongs into no log.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        use serde_json::error::Category;
        let what = match error.classify() {
            Category::Eof => "the JSON ends too early",
            Category::Data => "the JSON has another form",
            Category::Syntax | Category::Io => "no JSON",
        };
        Self::Malformed(format!("{what} at column {}", error.column()))
    }
}
