//! Labelled lines, as JSON or as a label, a tab and a text.

use serde_json::Value;

use crate::args::Side;

/// A text and what should become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands in the file, from 1.
    pub number: usize,
    pub text: String,
    /// Whether it should be blocked or masked.
    pub block: bool,
    pub side: Side,
}

/// The lines of a file; empty ones are passed over. An error begins with the number of its line.
pub fn read(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        lines.push(one(number, line).map_err(|error| format!("{number}: {error}"))?);
    }
    if lines.is_empty() { Err("1: there is no labelled line".to_owned()) } else { Ok(lines) }
}

fn one(number: usize, line: &str) -> Result<Line, String> {
    if !line.trim_start().starts_with('{') {
        let (label, text) =
            line.split_once('\t').ok_or("write block or allow, a tab, and the text; or a JSON object")?;
        return Ok(Line { number, text: text.to_owned(), block: label_of(label.trim())?, side: Side::Input });
    }
    let line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let text = line["text"].as_str().ok_or("\"text\" is missing")?;
    let label = line["label"].as_str().ok_or("\"label\" is missing: block or allow")?;
    let side = match line["side"].as_str() {
        None if line["side"].is_null() => Side::Input,
        Some("input") => Side::Input,
        Some("output") => Side::Output,
        _ => return Err("\"side\" is neither input nor output".to_owned()),
    };
    Ok(Line { number, text: text.to_owned(), block: label_of(label)?, side })
}

fn label_of(label: &str) -> Result<bool, String> {
    match label {
        "block" => Ok(true),
        "allow" => Ok(false),
        other => Err(format!("the label is {other}; write block or allow")),
    }
}
