//! `outcrop guardrail`: what a guardrail of a running server makes of texts, and why.

mod lines;
mod tally;

use std::time::Instant;

use serde_json::{Value, json};

use crate::args::{self, Side};
use crate::client::Client;
use crate::text::say;
use lines::Line;
use tally::{Judged, Tally};

/// Runs one of the commands.
pub async fn run(command: args::Guardrail) -> Result<(), String> {
    match command {
        args::Guardrail::Test { file, which, min_precision, min_recall, json } => {
            let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let lines = lines::read(&text).map_err(|error| format!("{}:{error}", file.display()))?;
            let tally = test(&lines, &which).await?;
            say(&if json { format!("{:#}\n", tally.json()) } else { tally.to_string() })?;
            tally.enough(min_precision, min_recall)
        }
        args::Guardrail::Explain { text, which, side, source, query, json } => {
            let mut asked = json!({
                "guardrailIdentifier": which.id,
                "guardrailVersion": which.version,
                "source": name(side),
                "text": text,
            });
            if let Some(source) = source {
                asked["groundingSource"] = source.into();
            }
            if let Some(query) = query {
                asked["query"] = query.into();
            }
            let told = Client::new(&which.url)?.post("/outcrop/guardrails/explain", &asked).await?;
            say(&if json { format!("{told:#}\n") } else { explained(&told) })
        }
    }
}

async fn test(lines: &[Line], which: &args::GuardrailOf) -> Result<Tally, String> {
    let client = Client::new(&which.url)?;
    let path = client.path(&["guardrail", &which.id, "version", &which.version, "apply"]);
    let mut tally = Tally::default();
    for line in lines {
        let content = json!([{"text": {"text": line.text}}]);
        let asked = json!({"source": name(line.side), "content": content, "outputScope": "FULL"});
        let began = Instant::now();
        let told = client.post(&path, &asked).await.map_err(|error| format!("line {}: {error}", line.number))?;
        tally.add(line, Judged::read(&told, began.elapsed()));
    }
    Ok(tally)
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Input => "INPUT",
        Side::Output => "OUTPUT",
    }
}

/// The answer of the explain door, for people.
fn explained(told: &Value) -> String {
    let mut text = format!("{}\n", told["action"].as_str().unwrap_or("NONE"));
    for entry in told["policies"].as_array().into_iter().flatten() {
        let of = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let mut facts = vec![of("action")];
        if let Some(score) = entry["score"].as_f64() {
            facts.push(format!("score {score:.3}"));
        }
        if let Some(threshold) = entry["threshold"].as_f64() {
            facts.push(format!("threshold {threshold:.2}"));
        }
        if entry["confidence"].is_string() {
            facts.push(format!("confidence {}, strength {}", of("confidence"), of("strength")));
        }
        text += &format!("\n{} {}  {}\n", of("policy"), of("name"), facts.join(", "));
        if let Some(part) = entry["at"]["text"].as_str() {
            text += &format!("  at {}..{}: {part}\n", entry["at"]["start"], entry["at"]["end"]);
        }
        for why in entry["because"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            text += &format!("  because {why}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests;
