//! Why a configuration is refused, for the terminal.

use std::path::PathBuf;

/// A configuration that cannot be used. The text says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that a setting names cannot be read.
    #[error("cannot read {} (set as {key}): {source}", path.display())]
    UnreadableNamed {
        /// The setting.
        key: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file says something that cannot be meant.
    #[error("{file}{}: {what}", line.map(|n| format!(", line {n}")).unwrap_or_default())]
    InFile {
        /// The file's name.
        file: String,
        /// Where in it.
        line: Option<usize>,
        /// What is wrong.
        what: String,
    },
    /// Users, roles, policies or issuers that cannot be.
    #[error("{key}: {what}")]
    Access {
        /// The setting, and the file behind it.
        key: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A variable of the environment cannot be understood.
    #[error("the environment variable {name} is `{value}`, but must be {expected}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// A value is of the right type, and still impossible.
    #[error("the setting {key} is `{value}`, but must be {expected}")]
    Value {
        /// The key.
        key: String,
        /// Its value.
        value: String,
        /// What it should have been.
        expected: String,
    },
}

impl ConfigError {
    pub(super) fn variable(name: &'static str, value: &str, expected: &'static str) -> Self {
        Self::Variable { name, value: value.to_owned(), expected }
    }

    pub(super) fn in_file(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().and_then(|span| Some(text.get(..span.start)?.matches('\n').count() + 1));
        let what = unknown_key(error.message()).unwrap_or_else(|| {
            let said = error.message().trim_end().replace('\n', "; ");
            let said = above_zero(&said).unwrap_or(said);
            let written = line.and_then(|n| text.lines().nth(n - 1)).and_then(|l| l.split_once('='));
            match written {
                Some((key, _)) => format!("{}: {said}", key.trim()),
                None => said,
            }
        });
        Self::InFile { file: file.to_owned(), line, what }
    }
}

/// The sentence for a number that must not be 0. serde words it "invalid value: integer `-1`, expected a nonzero u32".
fn above_zero(message: &str) -> Option<String> {
    let (found, integer) = message.split_once(", expected a nonzero ")?;
    let found = found.split_once(": ").map_or(found, |(_, found)| found);
    let most = if integer == "u32" { format!(" and at most {}", u32::MAX) } else { String::new() };
    Some(format!("must be a whole number above 0{most}, not {found}"))
}

/// The sentence for a key that does not exist. serde words it "unknown field `x`, expected one of `a`, `b`", and has
/// no other way of telling which keys there are.
fn unknown_key(message: &str) -> Option<String> {
    let mut words = message.strip_prefix("unknown field `")?.split('`');
    let key = words.next()?;
    // Between the names stand the commas.
    let known: Vec<&str> = words.skip(1).step_by(2).collect();
    let near = known.iter().map(|known| (strsim::damerau_levenshtein(key, known), known)).min();
    Some(match near {
        Some((distance, near)) if distance <= near.len().div_ceil(3) => {
            format!("unknown key `{key}`. Did you mean `{near}`?")
        }
        _ => format!("unknown key `{key}`. The keys here are: {}.", known.join(", ")),
    })
}
