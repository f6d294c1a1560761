//! Asks a local model once and measures it: `cargo run --release -p outcrop-engine --example generate -- FILE.gguf
//! [--prompt TEXT] [--prompt-tokens N] [--tokens N] [--parallel N] [--threads N] [--repeat N]`.
//!
//! Prints the first answer and the rates of prefill and decode, to be compared with `llama-bench` on one machine.
//! With `--repeat` it asks once unmeasured, then N times, and prints medians.

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
    let (mut threads, mut repeat) = (None, 1);
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or("an option lacks its value")?;
        match option.as_str() {
            "--prompt" => prompt = value,
            "--prompt-tokens" => prompt_tokens = value.parse()?,
            "--tokens" => tokens = value.parse()?,
            "--parallel" => parallel = value.parse()?,
            "--repeat" => repeat = value.parse::<usize>()?.max(1),
            "--threads" => threads = Some(value.parse()?),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    // Common words are one token each in every vocabulary.
    prompt.push_str(&" and then".repeat(prompt_tokens / 2));
    let model = LocalModel { name: "model".into(), kind: ModelKind::Text, path: path.into(), sha256: None };
    let engine = Engine::new(EngineConfig { models: vec![model], threads, ..EngineConfig::default() });

    let begun = Instant::now();
    engine.count_tokens("model", &chat("warm up")).await?;
    println!("load: {:?}", begun.elapsed());

    if repeat > 1 {
        answer(&engine, &prompt, tokens).await?;
    }
    let mut rounds = Vec::new();
    for _ in 0..repeat {
        rounds.push(round(&engine, &prompt, tokens, parallel).await?);
    }
    if let Some((first, _)) = rounds.first() {
        println!("{}\n\nprompt: {} tokens", first.text, first.finished.usage.prompt_tokens);
    }
    let first_text = median(rounds.iter().map(|(one, _)| one.first_text.as_secs_f64() * 1000.0));
    println!("first text: {first_text:.2} ms after the call");
    println!("prefill: {:.1} tokens/s", median(rounds.iter().map(|(one, _)| one.prefill_rate())));
    println!("decode: {:.1} tokens/s", median(rounds.iter().map(|(one, _)| one.decode_rate())));
    println!("together: {:.1} tokens/s in {parallel} answers", median(rounds.iter().map(|(_, rate)| *rate)));
    engine.shutdown().await;
    Ok(())
}

/// Asks `parallel` times at once. Answers with the first of them and the rate of all.
async fn round(engine: &Engine, prompt: &str, tokens: u32, parallel: usize) -> Result<(Answer, f64), Failure> {
    let begun = Instant::now();
    // The first one's prompt stays as it was given; the others share its length, and no memory.
    let prompts = (0..parallel).map(|number| if number == 0 { prompt.into() } else { format!("{number}. {prompt}") });
    let prompts = prompts.collect::<Vec<String>>();
    let mut answers = future::try_join_all(prompts.iter().map(|prompt| answer(engine, prompt, tokens))).await?;
    let generated: u32 = answers.iter().map(|answer| answer.finished.usage.output_tokens).sum();
    Ok((answers.swap_remove(0), f64::from(generated) / begun.elapsed().as_secs_f64()))
}

struct Answer {
    text: String,
    first_text: Duration,
    finished: Finished,
}

impl Answer {
    fn prefill_rate(&self) -> f64 {
        f64::from(self.finished.usage.prompt_tokens) / self.finished.timings.prefill.as_secs_f64()
    }

    /// The first token comes of the prefill.
    fn decode_rate(&self) -> f64 {
        f64::from(self.finished.usage.output_tokens.saturating_sub(1)) / self.finished.timings.decode.as_secs_f64()
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values = values.collect::<Vec<_>>();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn chat(text: &str) -> Chat {
    // An empty system turn, as the server sends it: without one the template adds a persona of its own.
    let system = ChatMessage { role: Role::System, parts: Vec::new() };
    let user = ChatMessage { role: Role::User, parts: vec![Part::Text(text.into())] };
    Chat { messages: vec![system, user], ..Chat::default() }
}

async fn answer(engine: &Engine, prompt: &str, tokens: u32) -> Result<Answer, Failure> {
    let request = Generate {
        model: "model".into(),
        chat: chat(prompt),
        sampling: Sampling { temperature: Some(0.0), ..Sampling::default() },
        stop: Vec::new(),
        max_tokens: Some(tokens),
        output: OutputShape::Free,
        priority: Priority::Normal,
        // A scope for each call: repeated prompts are computed again.
        scope: format!("{:?}", Instant::now()),
    };
    let begun = Instant::now();
    let mut events = engine.generate(request).await?;
    let (mut text, mut first_text) = (String::new(), None);
    while let Some(event) = events.next().await {
        match event? {
            Event::Text(piece) => {
                first_text.get_or_insert_with(|| begun.elapsed());
                text.push_str(&piece);
            }
            Event::Finished(finished) => {
                return Ok(Answer { text, first_text: first_text.unwrap_or_else(|| begun.elapsed()), finished });
            }
            _ => {}
        }
    }
    Err("the answer ended without a word".into())
}
