//! A wire format from its server's side, in neutral words.

use bytes::Bytes;
use outcrop_providers::ProviderSettings;
use serde_json::Value;

use crate::fake::{Reply, Seen};

/// How a service speaks.
pub trait Speaks: Sync {
    /// What makes the provider that is tested, for a fake at `url`. Its key is [`KEY`].
    fn settings(&self, url: &str) -> ProviderSettings;

    /// The service's name of its model.
    fn model(&self) -> &'static str;

    /// What a request for an answer asks, and how its key came.
    fn asked(&self, seen: &Seen) -> Asked;

    /// The whole answer that says `said`.
    fn whole(&self, said: &Said) -> Bytes;

    /// The streamed answer that says `said`, event by event. The first event with anything of the answer in it must be
    /// one of the first two, and texts must come in at least two.
    fn chunks(&self, said: &Said) -> Vec<Bytes>;

    /// The content type of whole answers.
    fn whole_type(&self) -> &'static str {
        "application/json"
    }

    /// The content type of streamed ones.
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// A refusal of the kind.
    fn refusal(&self, trouble: &Trouble) -> Reply;

    /// The same trouble told within a stream; none where the service has no way to.
    fn refusal_within(&self, trouble: &Trouble) -> Option<Bytes>;

    /// What the service cannot do.
    fn lacks(&self) -> &'static [Lacks] {
        &[]
    }
}

/// The key that every provider is given, which may show up nowhere.
pub const KEY: &str = "sk-test-5f1ad0c1a1e04b6b";

/// What some services cannot do; the case is then that they say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    /// An answer that follows a JSON schema.
    Schema,
    /// Images.
    Images,
    /// Reasoning of its own.
    Reasoning,
    /// Which sequence ended an answer.
    WhichStop,
    /// Tokens that were cached.
    Cache,
    /// Tools.
    Tools,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub blocks: Vec<Block>,
    pub stop: Stop,
    pub usage: Counts,
}

/// A piece of an answer.
#[derive(Debug, Clone)]
pub enum Block {
    Text(&'static str),
    Reasoning(&'static str),
    /// Id, name and arguments.
    Call(&'static str, &'static str, Value),
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stop {
    #[default]
    End,
    Length,
    Tools,
    Sequence(&'static str),
    Filtered,
}

/// What it took. `input` is without what was cached.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    pub input: i32,
    pub cached: Option<i32>,
    pub output: i32,
}

impl Default for Counts {
    fn default() -> Self {
        Self { input: 12, cached: None, output: 7 }
    }
}

/// A request as the service reads it.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub model: String,
    pub stream: bool,
    /// Instructions.
    pub system: String,
    pub turns: Vec<Turn>,
    /// Names of the tools, with their schemas.
    pub tools: Vec<(String, Value)>,
    pub choice: Option<Choice>,
    pub schema: Option<Value>,
    pub stop: Vec<String>,
    pub max_tokens: Option<u64>,
    pub temperature: Option<f64>,
    /// The key that came.
    pub key: Option<String>,
}

/// A turn. Results of tools and what stands beside them may be one turn or several.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    /// `user`, `assistant`, or `tool` where results have turns of their own.
    pub role: String,
    /// Its texts, lines of their own.
    pub text: String,
    /// Id, name and arguments.
    pub calls: Vec<(String, String, Value)>,
    /// Id and text.
    pub results: Vec<(String, String)>,
    /// Format and bytes, those of results included.
    pub images: Vec<(String, Vec<u8>)>,
}

/// Which tool must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Auto,
    Any,
    Named(String),
}

/// What can go wrong with a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The request is wrong, for this reason.
    Request(&'static str),
    /// The conversation is longer than the model reads.
    TooLong,
    /// The key is wrong; a service may repeat it.
    Key,
    /// The key is good and may not.
    Forbidden,
    /// There is no such model.
    NoModel,
    /// Too many requests, for so many seconds.
    Throttled(Option<u32>),
    /// It is overloaded.
    Overloaded,
    /// It failed.
    Failed,
}
