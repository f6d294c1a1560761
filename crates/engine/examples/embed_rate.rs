//! How fast the embedding model runs on one core here: `cargo run --release -p outcrop-engine
//! --no-default-features --example embed_rate`.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::time::Instant;

use outcrop_engine::embed::Embedder;
use outcrop_engine::weights::{EMBEDDING_MODEL, ModelDir, Silent};

const SENTENCE: &str = "The quick brown fox jumps over the lazy dog near the river bank while rain falls. ";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let models = ModelDir::locate()?;
    models.pull(EMBEDDING_MODEL, &mut Silent)?;
    let started = Instant::now();
    let embedder = Embedder::load(&models.folder(EMBEDDING_MODEL)?)?;
    println!("loaded in {} ms", started.elapsed().as_millis());
    for (name, words, count) in [("8-word", 8, 64), ("126-token", 126, 32), ("256-token", 400, 16)] {
        let text = SENTENCE.split_inclusive(' ').cycle().take(words).collect::<String>();
        let tokens = (embedder.count_tokens(&text) + 2).min(256);
        for batch in [1, count] {
            let texts = vec![text.as_str(); batch];
            embedder.embed(&texts)?;
            let mut best: f64 = 0.0;
            for _ in 0..5 {
                let rounds = count / batch;
                let before = cpu_seconds();
                for _ in 0..rounds {
                    embedder.embed(&texts)?;
                }
                best = best.max((rounds * batch) as f64 / (cpu_seconds() - before));
            }
            let rate = best * f64::from(tokens);
            println!("{name} texts, {batch} a call: {best:.0} embeddings and {rate:.0} tokens per CPU second");
        }
    }
    Ok(())
}

/// CPU time of this thread: other work on the machine does not count. Elsewhere than on Linux, the wall's.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.map_or_else(
        || std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64(),
        |nanoseconds| nanoseconds / 1e9,
    )
}
