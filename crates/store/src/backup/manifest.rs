//! What a backup says about itself: JSON, one object a line. The first is the [`Head`], then one for each file; the
//! last has the SHA-256 of all lines before it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::KeyInfo;
use crate::keys::hex;

/// Its name in the backup.
pub(super) const MANIFEST: &str = "manifest.jsonl";
/// The format that is written.
pub(super) const FORMAT: u32 = 1;

/// A backup's table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What was backed up, by what.
    pub head: Head,
    /// Its files, the manifest itself left out.
    pub files: Vec<BackupFile>,
}

/// What was backed up, by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The format of the backup.
    #[serde(rename = "outcrop-backup")]
    pub outcrop_backup: u32,
    /// The Outcrop that made it.
    pub version: String,
    /// The database's schema.
    pub schema: i64,
    /// When.
    pub made: String,
    /// The keys that it knew of, never the keys themselves.
    pub keys: Vec<BackupKey>,
}

/// A key that what is in the backup may be sealed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupKey {
    /// Its id.
    pub id: String,
    /// The name that it was configured under.
    pub name: String,
    /// `ready`, `current`, `old` or `retired`.
    pub state: String,
}

impl From<KeyInfo> for BackupKey {
    fn from(key: KeyInfo) -> Self {
        Self { id: key.id.to_string(), name: key.name, state: key.state.to_string() }
    }
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupFile {
    /// Its path in the backup.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Their SHA-256 in hexadecimal digits.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    files: usize,
    sha256: String,
}

impl Manifest {
    /// The manifest as it stands in the backup.
    pub fn write(&self) -> Vec<u8> {
        let mut text = Vec::new();
        line(&mut text, &self.head);
        self.files.iter().for_each(|file| line(&mut text, file));
        let end = End { files: self.files.len(), sha256: hex(&Sha256::digest(&text)) };
        line(&mut text, &end);
        text
    }

    /// Reads a manifest, which anybody may have written: the names in it lead nowhere but into a data folder. The
    /// error says what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let body = text.strip_suffix(b"\n").ok_or("its manifest is cut off")?;
        let start = body.iter().rposition(|byte| *byte == b'\n').ok_or("its manifest is cut off")? + 1;
        let (lines, end) = body.split_at(start);
        let end: End = serde_json::from_slice(end).map_err(|_| "its manifest is cut off")?;
        if end.sha256 != hex(&Sha256::digest(lines)) {
            return Err("its manifest was altered".to_owned());
        }
        let mut lines = lines.split_inclusive(|byte| *byte == b'\n');
        let head = lines.next().unwrap_or_default();
        let head: Head =
            serde_json::from_slice(head).map_err(|error| format!("its manifest cannot be read: {error}"))?;
        if head.outcrop_backup != FORMAT {
            let found = head.outcrop_backup;
            let maker = head.version.escape_debug();
            return Err(format!("its format is {found}, made by Outcrop {maker}; this version reads format {FORMAT}"));
        }
        let files = lines.map(serde_json::from_slice).collect::<Result<Vec<BackupFile>, _>>();
        let files = files.map_err(|error| format!("its manifest cannot be read: {error}"))?;
        let names: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        if let Some(wrong) = names.iter().find(|name| !is_name(name)) {
            return Err(format!("its manifest names {wrong:?}, which is no file of a backup"));
        }
        if files.len() != end.files || names.len() != files.len() || !names.contains(super::DATABASE) {
            return Err("its manifest is not a list of a backup's files".to_owned());
        }
        Ok(Self { head, files })
    }
}

fn line(text: &mut Vec<u8>, value: &impl Serialize) {
    // Strings and numbers only: nothing that JSON cannot hold.
    text.extend(serde_json::to_vec(value).unwrap_or_default());
    text.push(b'\n');
}

/// Whether a backup may hold a file of that name: no other may lead anywhere.
pub(super) fn is_name(name: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if let Some((first, rest)) = name.strip_prefix("blobs/").and_then(|digest| digest.split_once('/')) {
        return first.len() == 2 && rest.len() == 62 && is_hex(first) && is_hex(rest);
    }
    if let Some(key) = name.strip_prefix("keys/").and_then(|name| name.strip_suffix(".keys")) {
        return is_key_name(key);
    }
    name == super::DATABASE
}

/// Whether a key may have that name: it is a part of file names.
pub(crate) fn is_key_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}
