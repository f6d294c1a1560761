//! `outcrop kb eval`: how good a knowledge base's answers are, what they cost, and which setting is enough.

mod measure;
mod plot;
mod questions;
mod run;
mod settings;
mod told;

use serde_json::Value;

use crate::args;
use crate::client::Client;
use crate::kb::{find, remove};
use crate::text::say;
use measure::Row;
use questions::Question;
use settings::Setting;

/// Runs every setting over every question.
pub async fn run(client: &Client, args: &args::KbEval) -> Result<(), String> {
    let text = std::fs::read_to_string(&args.file).map_err(|error| format!("{}: {error}", args.file.display()))?;
    let questions = questions::read(&text).map_err(|error| format!("{}:{error}", args.file.display()))?;
    let settings = settings::of(args);
    let kb = find::one(client, args.kb.as_deref()).await?;
    let mut rows: Vec<Row> = Vec::new();
    for chunking in settings::chunkings(args)? {
        let (id, copy) = match &chunking {
            None => (kb.id.clone(), None),
            Some(cut) => {
                let made = run::copy(client, &kb, cut).await?;
                (made.id.clone(), Some(made))
            }
        };
        let label = chunking.as_ref().map(|cut| cut.label.clone());
        let measured = measured(client, &id, label.as_deref(), &settings, &questions, &mut rows).await;
        if let Some(copy) = copy {
            remove::delete(client, &copy).await?;
        }
        measured?;
    }
    let verdict = measure::verdict(&rows);
    if let Some(path) = &args.svg {
        std::fs::write(path, plot::svg(&rows, verdict)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let told = match args.json {
        true => format!("{:#}\n", Value::from(rows.iter().map(told::json).collect::<Vec<_>>())),
        false => told::table(&rows, verdict, questions.len()),
    };
    say(&told)
}

async fn measured(
    client: &Client,
    kb: &str,
    chunking: Option<&str>,
    settings: &[Setting],
    questions: &[Question],
    rows: &mut Vec<Row>,
) -> Result<(), String> {
    for setting in settings {
        let mut label = setting.label();
        if let Some(chunking) = chunking {
            label = format!("{chunking} {label}");
        }
        rows.push(run::one(client, kb, setting, label, questions).await?);
    }
    Ok(())
}
