//! `outcrop budgets`: what may be spent, and what is.

use outcrop_server::budgets::{self, Report, Row, State, Unit};
use outcrop_server::config::Config;
use outcrop_server::control::{self, Ask, ControlError};
use outcrop_server::wiring::data_folder;

use crate::args;
use crate::text::{say, table};

/// Asks the running server, or the store where none runs.
pub async fn run(args: &args::Budgets) -> Result<(), String> {
    let config = Config::load(args.folder.config.as_deref(), |name| std::env::var(name).ok());
    let config = config.map_err(|e| e.to_string())?;
    let folder = data_folder(args.folder.data.as_deref().or(config.data.as_deref())).map_err(|e| e.to_string())?;
    let report: Report = match control::ask(&folder, Ask::Budgets) {
        Err(ControlError::NoServer(_)) => budgets::kept(&folder, &config).await.map_err(|e| e.to_string())?,
        asked => asked.map_err(|e| e.to_string())?,
    };
    if args.json {
        return say(&(serde_json::to_string_pretty(&report).map_err(|e| e.to_string())? + "\n"));
    }
    say(&shown(&report))
}

const HEAD: [&str; 8] = ["NAME", "SCOPE", "SPENT", "RESERVED", "LIMIT", "A", "UNTIL", "STATE"];

fn shown(report: &Report) -> String {
    if report.budgets.is_empty() {
        return "no budget is configured; [[budgets]] in the configuration says what may be spent\n".to_owned();
    }
    let rows: Vec<_> = report.budgets.iter().map(line).collect();
    let omitted = match report.omitted {
        0 => String::new(),
        more => format!("and {more} more, which are further from their limits\n"),
    };
    table(HEAD, &rows) + &omitted
}

fn line(row: &Row) -> [String; 8] {
    let scope: Vec<_> = row.scope.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let unit = match row.unit {
        Unit::Usd => "USD",
        Unit::Tokens => "tokens",
    };
    let uncounted = match row.unpriced {
        0 => String::new(),
        calls => format!(", {calls} calls without a price"),
    };
    let state = match row.state {
        State::Ok => "ok",
        State::Warned => "warned",
        State::Reached => "reached",
        State::Cut => "cut",
    };
    [
        row.name.clone(),
        if scope.is_empty() { "every call".into() } else { scope.join(" ") },
        row.spent.to_string(),
        row.reserved.to_string(),
        format!("{} {unit}", row.limit),
        row.period.name().to_owned(),
        row.end.to_string(),
        format!("{state}{uncounted}"),
    ]
}
