//! `outcrop kb eval`: how good a knowledge base's answers are, what they cost, and which setting is enough.

mod measure;
mod plot;
mod questions;
mod run;
mod settings;
mod told;

use crate::args;
use crate::client::Client;
use crate::kb::{find, remove};
use crate::text::{line, say};
use measure::Row;
use questions::Question;
pub use settings::arn;
use settings::{Served, Setting};

/// Runs every setting over every question.
pub async fn run(client: &Client, args: &args::KbEval) -> Result<(), String> {
    let text = std::fs::read_to_string(&args.file).map_err(|error| format!("{}: {error}", args.file.display()))?;
    let questions = questions::read(&text).map_err(|error| format!("{}:{error}", args.file.display()))?;
    let settings = settings::of(args);
    // What cannot be written is known before anything is paid for.
    if let Some(path) = &args.svg {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let kb = find::one(client, args.kb.as_deref()).await?;
    // Who may not list documents may still measure.
    let known = run::documents(client, &kb.id).await.ok();
    for (document, at) in known.iter().flat_map(|known| questions::unknown(&questions, known)) {
        let file = args.file.display();
        eprintln!("{file}:{at}: no document of {} ends in {}: it cannot be found", kb.name, line(document));
    }
    let served = run::served(client, &settings).await;
    let mut rows: Vec<Row> = Vec::new();
    for chunking in settings::chunkings(args)? {
        let Some(cut) = &chunking else {
            measured(client, &kb.id, None, &settings, &served, &questions, &mut rows).await?;
            continue;
        };
        // One may be left over of a run that was killed.
        let name = run::copy_name(&kb, cut);
        remove::named(client, &name).await?;
        let measured = async {
            let copy = run::copy(client, &kb, cut, &name).await?;
            measured(client, &copy, Some(&cut.label), &settings, &served, &questions, &mut rows).await
        };
        let measured = tokio::select! {
            measured = measured => measured,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        };
        remove::named(client, &name).await?;
        measured?;
    }
    let verdict = measure::verdict(&rows);
    if let Some(path) = &args.svg {
        std::fs::write(path, plot::svg(&rows, verdict)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let told = match args.json {
        true => format!("{:#}\n", told::json(&rows, verdict)),
        false => told::table(&rows, verdict, questions.len()),
    };
    say(&told)
}

async fn measured(
    client: &Client,
    kb: &str,
    chunking: Option<&str>,
    settings: &[Setting],
    served: &Served,
    questions: &[Question],
    rows: &mut Vec<Row>,
) -> Result<(), String> {
    for setting in settings {
        let mut label = setting.label(served);
        if let Some(chunking) = chunking {
            label = format!("{chunking} {label}");
        }
        rows.push(run::one(client, kb, setting, label, questions).await?);
    }
    Ok(())
}
