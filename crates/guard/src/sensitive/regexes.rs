//! A guardrail's own expressions.

use regex::{Regex, RegexBuilder};

use crate::error::Refused;

/// How much a compiled expression may take, in bytes.
const SIZE: usize = 4 << 20;

/// Compiles an expression, or says what is wrong with it.
pub fn compile(name: &str, pattern: &str) -> Result<Regex, Refused> {
    let refused = |reason: String| Refused::Regex { name: name.to_owned(), reason };
    let built = RegexBuilder::new(pattern).size_limit(SIZE).dfa_size_limit(SIZE).build();
    built.map_err(|error| match (unsupported(pattern), error) {
        (Some((construct, what, at)), _) => refused(format!("{what} ({construct}) at character {at} is not supported")),
        (None, regex::Error::CompiledTooBig(_)) => {
            refused("it is too large once its repetitions are counted out".to_owned())
        }
        (None, error) => refused(last_line(&error.to_string())),
    })
}

/// The engine draws the pattern; what is wrong stands on the last line.
fn last_line(error: &str) -> String {
    let line = error.lines().last().unwrap_or(error).trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// The first construct that needs backtracking: its text, its name, its place in characters from 1.
fn unsupported(pattern: &str) -> Option<(String, &'static str, usize)> {
    const CONSTRUCTS: [(&str, &str); 11] = [
        ("(?=", "look-ahead"),
        ("(?!", "negative look-ahead"),
        ("(?<=", "look-behind"),
        ("(?<!", "negative look-behind"),
        ("(?>", "an atomic group"),
        ("(?(", "a conditional"),
        ("(?|", "a branch reset"),
        ("(?R)", "recursion"),
        ("(?P=", "a back-reference"),
        ("(?&", "recursion"),
        ("(?#", "a comment"),
    ];
    let (mut in_class, mut rest, mut at) = (false, pattern, 1);
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match first {
            '\\' => {
                let escaped = rest[length..].chars().next()?;
                if !in_class && (matches!(escaped, '1'..='9') || matches!(escaped, 'k' | 'g')) {
                    return Some((format!("\\{escaped}"), "a back-reference", at));
                }
                if !in_class && matches!(escaped, 'G' | 'K' | 'Z' | 'R' | 'X') {
                    return Some((format!("\\{escaped}"), "an escape of other engines", at));
                }
                length += escaped.len_utf8();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                if let Some((construct, what)) = CONSTRUCTS.iter().find(|(construct, _)| rest.starts_with(construct)) {
                    return Some(((*construct).to_owned(), what, at));
                }
            }
            _ => {}
        }
        at += rest[..length].chars().count();
        rest = &rest[length..];
    }
    None
}
