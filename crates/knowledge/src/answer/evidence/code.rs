//! Text that is typed and not read: commands, and lines of a configuration.

use super::pieces::CELLS;
use super::question::{code, command};

/// Digits that a number has at least that names something: an account, a time in milliseconds.
const DIGITS: usize = 10;

/// Whether a text begins with code: a command, or a line of JSON, TOML or YAML. A row of a table tells of one.
pub(super) fn is_code(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default().trim();
    first.starts_with("```") || command(first) && !first.contains(CELLS) || configures(first)
}

/// Whether a line is one of a configuration: JSON, TOML or YAML.
pub(super) fn configures(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or_default().trim();
    json(line) || toml(line) || yaml(line)
}

fn json(line: &str) -> bool {
    let key = line.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    let member = key.is_some_and(|(key, rest)| !key.is_empty() && rest.trim_start().starts_with(':'));
    let ends = line.starts_with(['}', ']']) && line.trim_end_matches(['}', ']', ',', ';']).is_empty();
    let begins = line.starts_with('{') && (line.len() == 1 || line.contains(':'));
    member || begins || ends || line.starts_with("[{")
}

fn toml(line: &str) -> bool {
    let table = line.trim_start_matches('[');
    let name = table.trim_end_matches(']');
    if table.len() < line.len() && name.len() < table.len() {
        return name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.contains([' ', '[', ']', '(']);
    }
    line.split_once(" = ").is_some_and(|(key, value)| {
        let names = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"'));
        let within = value.starts_with(['"', '\'', '[', '{']);
        let plain = value.starts_with(|c: char| c.is_ascii_digit()) || matches!(value, "true" | "false");
        names && !key.is_empty() && (within || plain && !value.contains(' '))
    })
}

/// Only what prose has not either: "port: 7711" may stand in a list that is read.
fn yaml(line: &str) -> bool {
    let line = line.strip_prefix("- ").unwrap_or(line);
    line.starts_with("{ ") && line.contains(':')
        || line.split_once(':').is_some_and(|(key, value)| {
            let name = key.contains('_') && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            name && (value.is_empty() || value.starts_with(' ') && value.split_whitespace().count() == 1)
        })
}

/// What of a text is prose: without lines of code, and without words that name something by their digits.
pub(super) fn prose(text: &str) -> String {
    let lines = text.lines().filter(|line| !is_code(line));
    lines.flat_map(str::split_whitespace).filter(|word| !named(word)).collect::<Vec<_>>().join(" ")
}

/// Whether the digits of a word are of a name, and count nothing: an account, "us-east-1", a path.
fn named(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let account = bare.len() >= DIGITS && bare.bytes().all(|byte| byte.is_ascii_digit());
    let letters = bare.bytes().take_while(u8::is_ascii_alphabetic).count() > 1;
    account || letters && bare.contains(['-', '_']) && bare.contains(|c: char| c.is_ascii_digit()) || code(word)
}
