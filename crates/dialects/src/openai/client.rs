//! The client's side of chat completions: OpenAI's API as OpenAI serves it, and as the many servers do that copied it.
//!
//! They differ in details ([`Quirks`]): each kind of server is one row. What is written keeps to what all of them read;
//! what is read is whatever any of them says: reasoning under either of its names, tool calls in fragments, whole or
//! interleaved, usage in a chunk of its own, beside the last delta or not at all.

mod answer;
mod calls;
mod fields;
mod media;
mod messages;
mod pass;
mod refusal;
mod request;
mod shapes;
mod stream;
mod think;

use outcrop_api::bedrock_runtime::{ConverseResponse, DocumentBlock, DocumentFormat};

use crate::DialectError;
use crate::client::{Ask, ClientDialect, MakeId, ReadError, Refusal, StreamReader};

pub use pass::{PassedEvent, passed_event, passed_usage, passing};

/// The member of `additionalModelResponseFields` that says that counts are estimates: the provider told none.
pub const ESTIMATED: &str = "usage_estimated";

/// What one kind of server does in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// The member for `maxTokens`: OpenAI's reasoning models refuse the older name, other servers know no newer.
    pub limit: &'static str,
    /// The most stop sequences.
    pub stops: usize,
    /// The model's template has no system role: instructions go into the first turn of the user.
    pub system_as_user: bool,
    /// The member in which an assistant's turn takes its reasoning back, while its tool calls are being answered.
    pub replays: Option<&'static str>,
    /// What becomes of Anthropic's `thinking`.
    pub thinking: Thinking,
    /// An answer that begins with `<think>` begins with reasoning.
    pub think_tags: bool,
    /// How PDF files are read.
    pub pdf: Pdf,
    /// Videos, and sound beside WAV and MP3, are read.
    pub av: bool,
    /// Samplers beside temperature and top_p: `top_k`, `min_p`, `repetition_penalty`, and arguments of the template.
    pub samplers: bool,
    /// `strict` is refused with schemas that leave members open or optional.
    pub closed_schemas: bool,
    /// The ids of tool calls.
    pub ids: Ids,
    /// A stream tells what was used only where it is asked for.
    pub asks_usage: bool,
    /// The beginning of an answer that the model is to go on with is marked.
    pub prefix: bool,
    /// The member for a seed.
    pub seed: &'static str,
}

impl Quirks {
    /// Whether a document that is a file is taken as it is: text, or a PDF that nothing is said about.
    pub fn reads(&self, document: &DocumentBlock) -> bool {
        match document.format {
            Some(DocumentFormat::Txt | DocumentFormat::Md | DocumentFormat::Csv | DocumentFormat::Html) => true,
            Some(DocumentFormat::Pdf) => self.pdf != Pdf::Refused && document.context.is_none(),
            _ => false,
        }
    }
}

/// How PDF files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pdf {
    /// Not at all.
    Refused,
    /// As a part `file`.
    File,
    /// As a part `document_url`.
    Url,
}

/// What ids of tool calls may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// Anything.
    Any,
    /// No longer than this: their ends remain, where ids that begin alike differ.
    Short(usize),
    /// Nine letters and digits, made of the id where it is something else.
    Nine,
}

/// How a server is asked to think before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// `reasoning_effort`, made of the budget.
    Effort,
    /// `thinking` with its type, without a budget.
    Switch,
}

/// Servers of the operator's own: vLLM, SGLang, llama.cpp, Ollama, LM Studio.
const SELF_HOSTED: Quirks = Quirks {
    limit: "max_tokens",
    stops: usize::MAX,
    system_as_user: false,
    replays: Some("reasoning_content"),
    thinking: Thinking::Effort,
    think_tags: true,
    pdf: Pdf::Refused,
    av: true,
    samplers: true,
    closed_schemas: false,
    ids: Ids::Any,
    asks_usage: true,
    prefix: false,
    seed: "seed",
};

/// Services that speak the format and refuse members that they do not know.
const HOSTED: Quirks =
    Quirks { replays: None, think_tags: false, av: false, samplers: true, closed_schemas: false, ..SELF_HOSTED };

/// OpenAI's own.
const OPENAI: Quirks = Quirks {
    limit: "max_completion_tokens",
    stops: 4,
    pdf: Pdf::File,
    samplers: false,
    closed_schemas: true,
    ids: Ids::Short(40),
    ..HOSTED
};

/// DeepSeek's own.
const DEEPSEEK: Quirks =
    Quirks { replays: Some("reasoning_content"), thinking: Thinking::Switch, samplers: false, stops: 16, ..HOSTED };

/// Mistral's own, which refuses members that it does not know and ids that it did not make.
pub(crate) const MISTRAL: Quirks =
    Quirks { pdf: Pdf::Url, ids: Ids::Nine, asks_usage: false, prefix: true, seed: "random_seed", ..HOSTED };

/// The client's side of one kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    quirks: Quirks,
}

/// [`Client`] for the operator's own servers.
pub static SELF_HOSTED_CLIENT: Client = Client::new(SELF_HOSTED);
/// [`Client`] for the operator's own servers whose model has no system role.
pub static SELF_HOSTED_WITHOUT_SYSTEM: Client = Client::new(Quirks { system_as_user: true, ..SELF_HOSTED });
/// [`Client`] for services that nobody knows more of.
pub static HOSTED_CLIENT: Client = Client::new(HOSTED);
/// [`Client`] for services whose model has no system role.
pub static HOSTED_WITHOUT_SYSTEM: Client = Client::new(Quirks { system_as_user: true, ..HOSTED });
/// [`Client`] for OpenAI.
pub static OPENAI_CLIENT: Client = Client::new(OPENAI);
/// [`Client`] for DeepSeek.
pub static DEEPSEEK_CLIENT: Client = Client::new(DEEPSEEK);

impl Client {
    /// For servers with `quirks`.
    pub const fn new(quirks: Quirks) -> Self {
        Self { quirks }
    }

    /// What its servers do in their own way.
    pub const fn quirks(&self) -> &Quirks {
        &self.quirks
    }
}

impl ClientDialect for Client {
    fn name(&self) -> &'static str {
        "openai-chat"
    }
    fn request(&self, ask: &Ask<'_>) -> Result<Vec<u8>, DialectError> {
        request::write(&self.quirks, ask)
    }
    fn answer(&self, body: &[u8], make_id: MakeId) -> Result<ConverseResponse, ReadError> {
        answer::read(&self.quirks, body, make_id)
    }
    fn reader(&self, make_id: MakeId) -> Box<dyn StreamReader> {
        Box::new(stream::Reader::new(&self.quirks, make_id))
    }
    fn refusal(&self, _status: u16, body: &[u8]) -> Refusal {
        refusal::read(body)
    }
}
