//! Weights that are replaced while a server runs.
//!
//! A model in memory does not notice: its file was read, not mapped. The next load reads what is there by then, and
//! whoever said what the file must be (the configuration, the record of a pulled model) is asked again.

use std::fs::Metadata;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::config::LocalModel;
use crate::error::EngineError;
use crate::weights::RecordedFile;

/// What a file of weights must be, and what it was when it was last looked at.
pub(super) struct Seal {
    model: String,
    path: PathBuf,
    sha256: Option<String>,
    verified: Mutex<Option<Marks>>,
}

/// By what a change shows without hashing.
#[derive(Clone, PartialEq)]
struct Marks {
    length: u64,
    modified: Option<SystemTime>,
    /// Another file under the same name.
    identity: (u64, u64),
}

impl Seal {
    pub(super) fn of(spec: &LocalModel) -> Self {
        let (model, path) = (spec.name.clone(), spec.path.clone());
        Self { model, path, sha256: spec.sha256.clone(), verified: Mutex::default() }
    }

    /// Runs `load` on the file that should be there. What was read while the file changed is thrown away.
    pub(super) fn watch<T>(&self, load: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
        let before = self.marks();
        self.verify(before.as_ref())?;
        let loaded = load()?;
        if self.marks() != before {
            return Err(self.unusable("the file changed while it was being read; the next call reads it again".into()));
        }
        Ok(loaded)
    }

    fn verify(&self, marks: Option<&Marks>) -> Result<(), EngineError> {
        let Some(expected) = &self.sha256 else { return Ok(()) };
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.is_some() && verified.as_ref() == marks {
            return Ok(());
        }
        let found =
            RecordedFile::hash(&self.path, "", &mut |_| ()).map_err(|error| self.unusable(error.to_string()))?;
        if !found.sha256.eq_ignore_ascii_case(expected) {
            let path = self.path.display();
            return Err(self.unusable(format!("{path} has the SHA-256 {}, not {expected}", found.sha256)));
        }
        *verified = marks.cloned();
        Ok(())
    }

    fn marks(&self) -> Option<Marks> {
        let meta = std::fs::metadata(&self.path).ok()?;
        Some(Marks { length: meta.len(), modified: meta.modified().ok(), identity: identity(&meta) })
    }

    fn unusable(&self, reason: String) -> EngineError {
        EngineError::Weights { model: self.model.clone(), reason }
    }
}

#[cfg(unix)]
fn identity(meta: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
