//! Asks a local model once and measures it: `cargo run --release -p outcrop-engine --example generate -- FILE.gguf
//! [--prompt TEXT] [--prompt-tokens N] [--tokens N] [--parallel N]`.
//!
//! Prints the first answer and the rates of prefill and decode, to be compared with `llama-bench` on one machine.

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use futures_util::{StreamExt, future};
use outcrop_engine::{
    Chat, ChatMessage, Engine, EngineConfig, Event, Finished, Generate, LocalModel, ModelKind, OutputShape, Part,
    Priority, Role, Sampling,
};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("give the path of a GGUF file")?;
    let (mut prompt, mut prompt_tokens, mut tokens, mut parallel) = (String::from("What is a volcano?"), 0, 128, 1);
    let mut threads = None;
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or("an option lacks its value")?;
        match option.as_str() {
            "--prompt" => prompt = value,
            "--prompt-tokens" => prompt_tokens = value.parse()?,
            "--tokens" => tokens = value.parse()?,
            "--parallel" => parallel = value.parse()?,
            "--threads" => threads = Some(value.parse()?),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    // Common words are one token each in every vocabulary.
    prompt.push_str(&" and then".repeat(prompt_tokens / 2));
    let model = LocalModel { name: "model".into(), kind: ModelKind::Text, path: path.into() };
    let engine = Engine::new(EngineConfig { models: vec![model], threads, ..EngineConfig::default() });

    let begun = Instant::now();
    engine.count_tokens("model", &chat("warm up")).await?;
    println!("load: {:?}", begun.elapsed());

    let begun = Instant::now();
    let answers = (0..parallel).map(|number| {
        answer(&engine, if number == 0 { prompt.clone() } else { format!("{number}. {prompt}") }, tokens)
    });
    let answers = future::try_join_all(answers).await?;
    let wall = begun.elapsed();
    let generated: u32 = answers.iter().map(|(_, finished)| finished.usage.output_tokens).sum();
    if let Some((text, finished)) = answers.first() {
        println!("{text}\n");
        let usage = &finished.usage;
        println!(
            "prefill: {} tokens, {:.1} tokens/s",
            usage.prompt_tokens,
            rate(usage.prompt_tokens, finished.timings.prefill)
        );
        println!(
            "decode:  {} tokens, {:.1} tokens/s",
            usage.output_tokens,
            rate(usage.output_tokens, finished.timings.decode)
        );
    }
    println!("{parallel} answers: {generated} tokens in {wall:?}, {:.1} tokens/s together", rate(generated, wall));
    engine.shutdown().await;
    Ok(())
}

fn rate(tokens: u32, time: Duration) -> f64 {
    f64::from(tokens) / time.as_secs_f64()
}

fn chat(text: &str) -> Chat {
    let message = ChatMessage { role: Role::User, parts: vec![Part::Text(text.into())] };
    Chat { messages: vec![message], ..Chat::default() }
}

async fn answer(engine: &Engine, prompt: String, tokens: u32) -> Result<(String, Finished), Failure> {
    let request = Generate {
        model: "model".into(),
        chat: chat(&prompt),
        sampling: Sampling { temperature: Some(0.0), ..Sampling::default() },
        stop: Vec::new(),
        max_tokens: Some(tokens),
        output: OutputShape::Free,
        priority: Priority::Normal,
        scope: prompt,
    };
    let mut events = engine.generate(request).await?;
    let mut text = String::new();
    while let Some(event) = events.next().await {
        match event? {
            Event::Text(piece) => text.push_str(&piece),
            Event::Finished(finished) => return Ok((text, finished)),
            _ => {}
        }
    }
    Err("the answer ended without a word".into())
}
