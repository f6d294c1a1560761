//! Secrets that stand elsewhere.

use std::fmt;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[cfg(test)]
mod tests;

/// How long a program may take to say its secret.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than any secret; a file that is longer is not one.
const MOST_BYTES: u64 = 64 * 1024;
/// What a secret that stands in the configuration itself is shown as.
pub(super) const PLAIN: &str = "<a secret in plain text>";

/// A secret in the configuration: `env:NAME`, `file:PATH`, `cmd:PROGRAM ARGS`, or the secret itself.
///
/// It is resolved as the configuration is read, so a reference that leads nowhere refuses the file, with its line.
/// Neither `Debug` nor what is written of a configuration shows the value; [`SecretRef::expose`] gives it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretRef {
    /// None for a secret that stands in the configuration.
    reference: Option<String>,
    value: String,
}

impl SecretRef {
    /// Follows `text` to its secret.
    pub fn resolve(text: &str) -> Result<Self, String> {
        let value = match text.split_once(':') {
            Some(("env", name)) => {
                std::env::var(name).map_err(|_| format!("the environment variable {name} is not set, or not UTF-8"))
            }
            Some(("file", path)) => from_file(path),
            Some(("cmd", line)) => from_program(line, PATIENCE),
            _ => return Ok(Self { reference: None, value: text.to_owned() }),
        }?;
        // Editors and programs end their last line; no secret does.
        let value = value.strip_suffix('\n').map_or(value.as_str(), |v| v.strip_suffix('\r').unwrap_or(v));
        if value.is_empty() {
            return Err(format!("{text} leads to an empty secret"));
        }
        Ok(Self { reference: Some(text.to_owned()), value: value.to_owned() })
    }

    /// The value of the environment variable `name`.
    pub(crate) fn of_environment(name: &str, value: String) -> Self {
        Self { reference: Some(format!("env:{name}")), value }
    }

    /// The secret.
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// The file that it stands in, where it stands in one.
    pub(crate) fn file(&self) -> Option<&str> {
        self.reference.as_deref()?.strip_prefix("file:")
    }

    fn shown(&self) -> &str {
        self.reference.as_deref().unwrap_or(PLAIN)
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::resolve(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

fn from_file(path: &str) -> Result<String, String> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text))
        .map_err(|error| format!("cannot read the secret in {path}: {error}"))?;
    Ok(text)
}

/// What a program prints. Its words are divided by blanks and nothing else: no shell reads them, so nothing in them
/// can become a command.
fn from_program(line: &str, patience: Duration) -> Result<String, String> {
    let mut words = line.split_whitespace();
    let program = words.next().ok_or("cmd: names no program")?;
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}, which should print a secret, does not start: {error}"))?;
    let (said, heard) = mpsc::channel();
    let stdout = child.stdout.take();
    // A thread of its own: reading a pipe has no time limit.
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.map(|out| out.take(MOST_BYTES).read_to_string(&mut text));
        said.send(read.is_some_and(|read| read.is_ok()).then_some(text)).ok();
    });
    let until = Instant::now() + patience;
    let text = heard.recv_timeout(patience);
    // It may close its output and go on.
    let status = loop {
        match child.try_wait().map_err(|error| format!("{program}: {error}"))? {
            Some(status) => break Some(status),
            None if Instant::now() >= until => break None,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let (Some(status), Ok(text)) = (status, text) else {
        child.kill().and_then(|()| child.wait()).ok();
        return Err(format!("{program} did not print a secret and end within {patience:?}; it was ended"));
    };
    match text {
        _ if !status.success() => Err(format!("{program}, which should print a secret, ended with {status}")),
        None => Err(format!("what {program} printed is not UTF-8")),
        Some(text) => Ok(text),
    }
}
