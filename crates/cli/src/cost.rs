//! `outcrop cost`: what was spent, read from the data folder, beside a running server or without one.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use outcrop_server::config::Config;
use outcrop_server::wiring::{data_folder, telemetry};
use outcrop_telemetry::advise::{Advice, advise};
use outcrop_telemetry::cost::{Query, focus, report, show, tasks};

use crate::args::{self, CostReport, Spend, Which};
use crate::text::{columns, say};

/// Runs one of the reports.
pub fn run(args: args::Cost) -> Result<(), String> {
    match args.report {
        None => spend(&args.spend),
        Some(CostReport::Tasks { which, json }) => {
            let mut parts: Vec<&str> = which.by.split(',').map(str::trim).collect();
            // A task has no day of its own; the default of the other report means nothing here.
            parts.retain(|part| *part != "task" && !part.is_empty());
            let by_task = which.by.split(',').any(|part| part.trim() == "task");
            let by = if which.by == "day" { String::new() } else { parts.join(",") };
            let (config, data) = place(&which)?;
            drop(config);
            let told = tasks::tasks(&data, &query(&which, &by)?, by_task).map_err(|e| e.to_string())?;
            if json {
                return say(&format!("{:#}\n", told.json()));
            }
            let (head, rows) = show::tasks_table(&told);
            say(&columns(&head, &rows, told.query.by.len() + usize::from(told.by_task)))
        }
        Some(CostReport::Advise { which, json }) => {
            let (config, data) = place(&which)?;
            let catalogue = telemetry::catalogue(&config).map_err(|e| e.to_string())?;
            let (prices, facts) = (telemetry::prices(&config, &catalogue), telemetry::facts(&catalogue));
            let told = advise(&data, &prices, &facts, &query(&which, "")?).map_err(|e| e.to_string())?;
            say(&if json { format!("{:#}\n", told.json()) } else { shown(&told) })
        }
    }
}

fn spend(args: &Spend) -> Result<(), String> {
    let (config, data) = place(&args.which)?;
    let catalogue = telemetry::catalogue(&config).map_err(|e| e.to_string())?;
    let prices = telemetry::prices(&config, &catalogue);
    let query = query(&args.which, &args.which.by)?;
    if let Some(file) = &args.focus {
        let text = focus::export(&data, &prices, &query).map_err(|e| e.to_string())?;
        write(file, &text)?;
        return say(&format!("{}: {} rows\n", file.display(), text.lines().count().saturating_sub(1)));
    }
    let report = report(&data, &prices, &query).map_err(|e| e.to_string())?;
    if let Some(file) = &args.svg {
        write(file, &show::svg(&report).map_err(|e| e.to_string())?)?;
    }
    for problem in &report.problems {
        eprintln!("outcrop: {problem}");
    }
    if args.csv {
        return say(&show::csv(&report));
    }
    if args.json {
        return say(&format!("{:#}\n", report.json()));
    }
    let (head, rows) = show::table(&report);
    say(&columns(&head, &rows, query.by.len()))
}

/// The configuration and the data folder, as the server was told them.
fn place(which: &Which) -> Result<(Config, PathBuf), String> {
    let folder = &which.folder;
    let config = Config::load(folder.config.as_deref(), |name| std::env::var(name).ok()).map_err(|e| e.to_string())?;
    let data = data_folder(folder.data.as_deref().or(config.data.as_deref())).map_err(|e| e.to_string())?;
    Ok((config, data))
}

fn query(which: &Which, by: &str) -> Result<Query, String> {
    let (from, to) = (which.from.as_deref(), which.to.as_deref());
    Query::parse(by, &which.filter, from, to, Timestamp::now()).map_err(|e| e.to_string())
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn shown(advice: &Advice) -> String {
    if let Some(why) = &advice.too_little {
        return format!("{why}\n");
    }
    let hours = advice.seconds as f64 / 3600.0;
    let mut text = format!("{} answered calls in {hours:.1} hours, as if 30 days went on like that:\n", advice.calls);
    if advice.findings.is_empty() {
        text += "\nNothing to save was found.\n";
    }
    for finding in &advice.findings {
        text += &format!(
            "\n{} a month  {}: {}\n  {}\n  How: {}\n  But: {}\n",
            show::dollars(finding.dollars_a_month),
            finding.rule,
            finding.about,
            finding.what,
            finding.how,
            finding.caveat
        );
    }
    text
}
