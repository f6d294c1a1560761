//! The engine with the real default text model. The weights are found in `OUTCROP_TEST_GGUF` or where
//! `outcrop models pull` puts them; without them these tests fail and say so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod bounds;
mod forced;
mod lifecycle;
mod prefixes;

use std::path::PathBuf;

use futures_util::StreamExt;
use outcrop_engine::{
    Chat, ChatMessage, Engine, EngineConfig, EngineError, Event, FinishReason, Finished, Generate, Generation,
    LocalModel, ModelKind, OutputShape, Part, Priority, Role, Sampling, Tool, ToolChoice,
};
use serde_json::Value;

/// The model's name in these tests.
const MODEL: &str = "smollm2-135m-instruct";

fn weights() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let path = folder("OUTCROP_TEST_GGUF").unwrap_or_else(|| {
        let models = folder("OUTCROP_MODELS").unwrap_or_else(|| {
            let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache"))).unwrap_or_default();
            cache.join("outcrop").join("models")
        });
        models.join(MODEL).join("SmolLM2-135M-Instruct.Q4_1.gguf")
    });
    assert!(
        path.is_file(),
        "these tests need the default text model at {}: run `make test`, or `outcrop models pull`",
        path.display()
    );
    path
}

fn config() -> EngineConfig {
    let model = LocalModel { name: MODEL.into(), kind: ModelKind::Text, path: weights(), sha256: None };
    // One thread: the tests run beside each other.
    EngineConfig { models: vec![model], threads: Some(1), ..EngineConfig::default() }
}

fn engine() -> Engine {
    Engine::new(config())
}

fn user(text: &str) -> ChatMessage {
    ChatMessage { role: Role::User, parts: vec![Part::Text(text.into())] }
}

fn system(text: &str) -> ChatMessage {
    ChatMessage { role: Role::System, parts: vec![Part::Text(text.into())] }
}

fn chat(messages: Vec<ChatMessage>) -> Chat {
    Chat { messages, ..Chat::default() }
}

/// A greedy request.
fn ask(messages: Vec<ChatMessage>, max_tokens: u32) -> Generate {
    Generate {
        model: MODEL.into(),
        chat: chat(messages),
        sampling: Sampling { temperature: Some(0.0), ..Sampling::default() },
        stop: Vec::new(),
        max_tokens: Some(max_tokens),
        output: OutputShape::Free,
        priority: Priority::Normal,
        scope: "111122223333".into(),
    }
}

/// A whole answer.
struct Answer {
    text: String,
    /// Names and arguments.
    calls: Vec<(String, String)>,
    events: Vec<Event>,
    finished: Finished,
}

impl Answer {
    fn reason(&self) -> &FinishReason {
        &self.finished.reason
    }
}

async fn heard(mut generation: Generation) -> Result<Answer, EngineError> {
    let (mut text, mut calls, mut events) = (String::new(), Vec::<(String, String)>::new(), Vec::new());
    while let Some(event) = generation.next().await {
        let event = event?;
        events.push(event.clone());
        match event {
            Event::Started(usage) => assert!(events.len() == 1 && usage.prompt_tokens > 0),
            Event::Text(piece) => text.push_str(&piece),
            Event::ToolCallStart { name } => calls.push((name, String::new())),
            Event::ToolCallArguments(piece) => calls.last_mut().expect("a call has begun").1.push_str(&piece),
            Event::ToolCallEnd => {}
            Event::Finished(finished) => {
                assert!(generation.next().await.is_none(), "nothing follows the end");
                return Ok(Answer { text, calls, events, finished });
            }
        }
    }
    panic!("the answer ended without a word");
}

async fn answer(engine: &Engine, request: Generate) -> Answer {
    heard(engine.generate(request).await.expect("admitted")).await.expect("answered")
}

fn tool(name: &str, schema: Value) -> Tool {
    Tool { name: name.into(), description: format!("The {name} tool."), schema }
}

/// A text of about this many tokens that no other number shares.
fn long(number: usize, tokens: usize) -> String {
    format!("Note {number}. {}", "and then ".repeat(tokens / 2))
}
