//! What is known of an object besides its bytes, in a small file apart.
//!
//! An object is put in two steps that no crash may part: its sheet first, which for a moment tells of the old file and of
//! the new one, then the file itself, by a rename. A file knows its entry by its inode, size and time, so that one
//! which was changed by another program is told as that: without attributes, and with an ETag of its own.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::durable;
use crate::Attributes;

/// What a file is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    inode: u64,
    size: u64,
    seconds: i64,
    nanos: i64,
}

impl Stamp {
    pub fn of(file: &std::fs::Metadata) -> Self {
        Self { inode: file.ino(), size: file.len(), seconds: file.mtime(), nanos: file.mtime_nsec() }
    }

    /// For a file that was not put by this server. The end tells clients that it is no MD5.
    pub fn etag(&self) -> String {
        let digest = Sha256::digest(format!("{}:{}:{}:{}", self.inode, self.size, self.seconds, self.nanos));
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{hex}-1")
    }
}

/// What is said of an object when it is put.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Said {
    pub etag: String,
    pub attributes: Attributes,
    /// How many bytes each of its parts had, where it came in parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<u64>,
    /// By which upload they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
}

/// What was said of one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub stamp: Stamp,
    #[serde(flatten)]
    pub said: Said,
}

/// The entries of a key: of the file that is there, and of the one that is about to be.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sheet(Vec<Entry>);

/// The sheets of a bucket.
#[derive(Debug, Clone)]
pub(super) struct Sheets(pub PathBuf);

impl Sheets {
    fn path(&self, key: &str) -> PathBuf {
        let digest = Sha256::digest(key.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.join(&hex[..2]).join(&hex[2..])
    }

    /// The entry of the file that has `stamp`.
    pub fn entry(&self, key: &str, stamp: Stamp) -> Option<Entry> {
        read(&self.path(key)).0.into_iter().find(|entry| entry.stamp == stamp)
    }

    /// Adds the entry of a file that is about to come, beside that of the one that is there.
    pub fn announce(&self, key: &str, entry: Entry, there: Option<Stamp>) -> io::Result<()> {
        let path = self.path(key);
        let mut entries = vec![entry];
        if let Some(there) = there {
            entries.extend(read(&path).0.into_iter().filter(|entry| entry.stamp == there));
        }
        let text = serde_json::to_vec(&Sheet(entries)).map_err(io::Error::other)?;
        durable::write(&path, &text)
    }

    /// Forgets a key.
    pub fn forget(&self, key: &str) -> io::Result<()> {
        durable::absent(std::fs::remove_file(self.path(key)))
    }
}

/// A sheet that cannot be read tells nothing; its object is still there.
fn read(path: &Path) -> Sheet {
    std::fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}
