//! The record beside a model's files: what was verified, and by which marks a change shows without hashing.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::catalog::ModelKind;
use super::error::WeightsError;
use super::gguf::GgufHeader;

/// The record's name; no model file may be called that.
pub(super) const RECORD: &str = "outcrop-model.json";

/// A file as it was when its digest was computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFile {
    /// The name in the model's folder.
    pub name: String,
    /// The digest, lower-case hexadecimal.
    pub sha256: String,
    /// The size in bytes.
    pub size: u64,
    /// The modification time in nanoseconds since 1970, as text: JSON numbers end at 2^53.
    modified: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub kind: ModelKind,
    pub licence: Option<String>,
    /// A package requirement, or the path a local file came from.
    pub source: String,
    pub files: Vec<RecordedFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gguf: Option<GgufHeader>,
}

impl Record {
    /// The record in `folder`; none where it is missing or unreadable, which means "verify again".
    pub fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read(folder.join(RECORD)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes the record whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<(), WeightsError> {
        let path = folder.join(RECORD);
        let text = serde_json::to_vec_pretty(self).map_err(|e| WeightsError::io("write", &path, e.into()))?;
        let mut builder = tempfile::Builder::new();
        // Temporary files are private; a cache may be another user's.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder).map_err(|e| WeightsError::io("write in", folder, e))?;
        file.write_all(&text).map_err(|e| WeightsError::io("write", &path, e))?;
        file.as_file().sync_all().map_err(|e| WeightsError::io("write", &path, e))?;
        file.persist(&path).map_err(|e| WeightsError::io("write", &path, e.error))?;
        Ok(())
    }
}

impl RecordedFile {
    /// Hashes `path` and remembers size and time; `tick` hears the bytes read so far.
    pub fn hash(path: &Path, name: &str, tick: &mut dyn FnMut(u64)) -> Result<Self, WeightsError> {
        let failed = |e| WeightsError::io("read", path, e);
        let mut file = File::open(path).map_err(failed)?;
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 1 << 18];
        let mut size = 0;
        loop {
            let n = file.read(&mut buffer).map_err(failed)?;
            let Some(chunk) = buffer.get(..n).filter(|chunk| !chunk.is_empty()) else { break };
            digest.update(chunk);
            size += n as u64;
            tick(size);
        }
        let modified = modified(&file.metadata().map_err(failed)?);
        Ok(Self { name: name.to_owned(), sha256: hex(&digest.finalize()), size, modified })
    }

    /// A file whose hash is known, as it is now.
    pub(super) fn known(path: &Path, name: &str, sha256: &str) -> Result<Self, WeightsError> {
        let meta = std::fs::metadata(path).map_err(|e| WeightsError::io("read", path, e))?;
        Ok(Self { name: name.to_owned(), sha256: sha256.to_owned(), size: meta.len(), modified: modified(&meta) })
    }

    /// True when the file in `folder` has the recorded size and time.
    pub fn unchanged(&self, folder: &Path) -> bool {
        std::fs::metadata(folder.join(&self.name))
            .is_ok_and(|meta| meta.is_file() && meta.len() == self.size && modified(&meta) == self.modified)
    }
}

fn modified(meta: &std::fs::Metadata) -> String {
    let since = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |time| time.as_nanos()).to_string()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
