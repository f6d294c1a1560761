//! `outcrop config`: look at a configuration, and put it in force.

use std::path::Path;

use outcrop_server::config::{Config, DEFAULT_FILE};
use outcrop_server::control::{self, Ask};
use outcrop_server::reload::{Reloaded, warnings};
use outcrop_server::wiring::{data_folder, examine, examine_keys, examine_start};

use crate::args;
use crate::text::say;

/// Runs one of the commands.
pub fn run(command: args::Config) -> Result<(), String> {
    match command {
        args::Config::Defaults => say(DEFAULT_FILE),
        args::Config::Check { file } => check(file.as_deref()),
        args::Config::Reload { dry_run, folder } => reload(dry_run, &folder),
    }
}

fn check(file: Option<&Path>) -> Result<(), String> {
    let config = Config::load(file, |name| std::env::var(name).ok()).map_err(|e| e.to_string())?;
    let changes: Vec<_> = Config::default().changes(&config).iter().map(ToString::to_string).collect();
    let mut text = section("set, beside the defaults:", &changes);
    text += &section("warnings:", &warnings(&config));
    let mut problems = examine(&config, false);
    problems.extend(examine_keys(&config));
    if problems.is_empty() {
        problems.extend(examine_start(&config).err().map(|e| e.to_string()));
    }
    if !problems.is_empty() {
        say(&text)?;
        return Err(problems.join("\noutcrop: "));
    }
    say(&(text + "ok\n"))
}

fn reload(dry_run: bool, folder: &args::Folder) -> Result<(), String> {
    let data = match (&folder.data, &folder.config) {
        (Some(data), _) => Some(data.clone()),
        (None, None) => None,
        // The file may be what is wrong. The server says that better, but where it is only the file knows.
        (None, Some(file)) => {
            let config = Config::load(Some(file), |name| std::env::var(name).ok());
            config.map_err(|error| format!("{error}\nThe running server was left as it is"))?.data
        }
    };
    let data = data_folder(data.as_deref()).map_err(|e| e.to_string())?;
    let ask = if dry_run { Ask::DryRun } else { Ask::Reload };
    say(&told(&control::ask(&data, ask).map_err(|e| e.to_string())?, dry_run))
}

fn told(done: &Reloaded, dry_run: bool) -> String {
    let (changed, last) = match (dry_run, done.changed.is_empty()) {
        (true, true) => ("", "nothing would change\n"),
        (true, false) => ("would change:", ""),
        (false, true) => ("", "read anew; no setting differs\n"),
        (false, false) => ("changed:", "ok\n"),
    };
    section(changed, &done.changed)
        + &section("only after a restart:", &done.restart)
        + &section("warnings:", &done.warnings)
        + last
}

fn section(head: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("{head}\n  {}\n", lines.join("\n  "))
}
