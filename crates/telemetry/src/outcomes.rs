//! What became of tasks: callers say whether a call, or all calls with a value in their `requestMetadata`, did what it
//! was for. Said again, the last word counts.
//!
//! Lines of JSON, one file a day, on the disk before the caller is answered.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ledger::{Days, LedgerError, Reader, day_of};

/// One outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marked {
    /// When it was said.
    pub at: Timestamp,
    /// By whose account; it is about calls of that account only.
    pub account: String,
    /// Of what.
    pub subject: Subject,
    /// It did what it was for.
    pub success: bool,
    /// What kind of task it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
}

/// What an outcome is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// One call, by the `x-amzn-RequestId` of its answer.
    RequestId(String),
    /// Every call whose `requestMetadata` has this key with this value: together they are one task.
    Metadata {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
}

/// Takes outcomes.
#[derive(Debug)]
pub struct Outcomes(Mutex<Days>);

impl Outcomes {
    /// Those of a data folder.
    pub fn open(data: &Path) -> Result<Self, LedgerError> {
        Ok(Self(Mutex::new(Days::open(&folder(data))?)))
    }

    /// Keeps one. It is on the disk when this returns; that may take a while, so it is not for an async task.
    pub fn mark(&self, marked: &Marked) -> Result<(), LedgerError> {
        let mut line =
            serde_json::to_vec(marked).map_err(|error| LedgerError::io(Path::new("outcome"), error.into()))?;
        line.push(b'\n');
        let days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        days.append(day_of(marked.at), &line).1
    }
}

fn folder(data: &Path) -> PathBuf {
    data.join("telemetry").join("outcomes")
}

/// Everything that was said since, the oldest first.
pub fn since(data: &Path, from: Timestamp) -> Result<Reader<Marked>, LedgerError> {
    Reader::open(&folder(data), from..Timestamp::MAX)
}
