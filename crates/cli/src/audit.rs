//! `outcrop audit`: the audit trail of a data folder, whether a server runs on it or not.

use std::io::Write;
use std::path::PathBuf;

use jiff::civil::Date;
use outcrop_server::config::Config;
use outcrop_server::wiring::data_folder;
use outcrop_telemetry::audit::{folder_of, read, verify};
use serde_json::Value;

use crate::args;
use crate::text::{say, table};

/// Runs one of the commands.
pub fn run(command: args::Audit) -> Result<(), String> {
    match command {
        args::Audit::Verify { hash, folder } => prove(hash.as_deref(), &folder),
        args::Audit::Export { from, to, folder } => {
            let root = root(&folder)?;
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            let each = |line: &[u8]| {
                out.write_all(line)?;
                out.write_all(b"\n")
            };
            read::forward(&root, from.unwrap_or(Date::MIN), to.unwrap_or(Date::MAX), each).map_err(told)?;
            out.flush().map_err(told)
        }
        args::Audit::Tail { lines, json, folder } => {
            let found = newest(&root(&folder)?, (None, None), lines, |_| true)?;
            show(&found, json)
        }
        args::Audit::Search(search) => {
            let found = newest(&root(&search.folder)?, (search.from, search.to), search.lines, |record| {
                holds(record, &search)
            })?;
            show(&found, search.json)
        }
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn root(folder: &args::Folder) -> Result<PathBuf, String> {
    let config = Config::load(folder.config.as_deref(), |name| std::env::var(name).ok()).map_err(told)?;
    let data = data_folder(folder.data.as_deref().or(config.data.as_deref())).map_err(told)?;
    let root = folder_of(&data);
    if root.is_dir() {
        return Ok(root);
    }
    Err(format!("{} has no audit trail: no server has used it. Name its data folder with --data", data.display()))
}

fn prove(hash: Option<&str>, folder: &args::Folder) -> Result<(), String> {
    let reports = verify::verify(&root(folder)?, hash).map_err(told)?;
    let rows: Vec<_> = reports
        .iter()
        .map(|report| {
            let (last, end) = report.last.clone().unwrap_or_default();
            let state = match (&report.broken, report.torn) {
                (Some(_), _) => "BROKEN",
                (None, 0) => "whole",
                (None, _) => "whole; its last line is not finished",
            };
            let pruned = report.pruned.to_string();
            [report.node.clone(), report.lines.to_string(), pruned, last.to_string(), state.to_owned(), end]
        })
        .collect();
    say(&table(["CHAIN", "RECORDS", "REMOVED BY AGE", "LAST", "STATE", "LAST HASH"], &rows))?;
    if let Some((report, broken)) = reports.iter().find_map(|report| Some((report, report.broken.as_ref()?))) {
        return Err(format!(
            "the chain {} is broken: {}, line {}: {}",
            report.node,
            broken.file.display(),
            broken.line,
            broken.why
        ));
    }
    match hash {
        Some(hash) if !reports.iter().any(|report| report.found) => {
            Err(format!("no record has the hash {hash}: it was removed by age, or records were cut off a chain's end"))
        }
        _ => Ok(()),
    }
}

/// The newest records for which `wanted` holds, the newest last.
fn newest(
    root: &std::path::Path,
    (from, to): (Option<Date>, Option<Date>),
    most: usize,
    wanted: impl Fn(&Value) -> bool,
) -> Result<Vec<(Value, Vec<u8>)>, String> {
    let mut lines =
        read::Backward::open(root, from.unwrap_or(Date::MIN), to.unwrap_or(Date::MAX), None).map_err(told)?;
    let mut found = Vec::new();
    while found.len() < most
        && let Some(line) = lines.older().map_err(told)?
    {
        match serde_json::from_slice(&line) {
            Ok(record) if wanted(&record) => found.push((record, line)),
            _ => {}
        }
    }
    found.reverse();
    Ok(found)
}

fn holds(record: &Value, search: &args::Search) -> bool {
    let who = &record["userIdentity"];
    let decided = &record["additionalEventData"]["decidedBy"];
    let is = |value: &Value, asked: &Option<String>| asked.as_ref().is_none_or(|asked| value == asked.as_str());
    let part = |values: &[&Value], asked: &Option<String>| {
        let within = |asked: &str| values.iter().any(|value| value.as_str().is_some_and(|text| text.contains(asked)));
        asked.as_deref().is_none_or(within)
    };
    is(&record["eventName"], &search.event)
        && is(&record["recipientAccountId"], &search.account)
        && part(&[&who["arn"], &who["userName"]], &search.principal)
        && is(&who["accessKeyId"], &search.key)
        && is(&record["errorCode"], &search.error)
        && is(&record["requestID"], &search.request_id)
        && part(&[&decided["policy"], &decided["statement"], &decided["kind"]], &search.policy)
}

fn show(found: &[(Value, Vec<u8>)], json: bool) -> Result<(), String> {
    if json {
        let mut out = std::io::stdout().lock();
        return found
            .iter()
            .try_for_each(|(_, line)| out.write_all(line).and_then(|()| out.write_all(b"\n")))
            .map_err(told);
    }
    if found.is_empty() {
        return say("There are no such records.\n");
    }
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let rows: Vec<_> = found
        .iter()
        .map(|(record, _)| {
            let who = &record["userIdentity"];
            let decided = &record["additionalEventData"]["decidedBy"];
            let by = [&decided["effect"], &decided["policy"], &decided["statement"]];
            let by: Vec<&str> = by.into_iter().filter_map(Value::as_str).collect();
            let by = if by.is_empty() { text(&decided["kind"]) } else { by.join(" ") };
            let name = ["arn", "userName", "accessKeyId", "type"].iter().find_map(|name| who[*name].as_str());
            [
                text(&record["eventTime"]),
                text(&record["eventName"]),
                name.unwrap_or("-").to_owned(),
                text(&record["sourceIPAddress"]),
                text(&record["requestParameters"]["modelId"]),
                record["errorCode"].as_str().unwrap_or("ok").to_owned(),
                by,
            ]
        })
        .collect();
    say(&table(["TIME", "EVENT", "WHO", "FROM", "MODEL", "OUTCOME", "DECIDED BY"], &rows))
}
