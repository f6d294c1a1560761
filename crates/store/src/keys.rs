//! Keys that protect other keys: what they look like as text, what they are called, where they come from.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// The name of the key that seals secrets, whatever else is configured.
pub const MASTER: &str = "master";

/// The name of a key, made from the key itself: a wrong key cannot pass for the right one, and an id says nothing
/// about its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub(crate) [u8; 8]);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::Sealed { what: format!("{text:?}"), reason: "is not the id of a key".to_owned() };
        decode_hex(text).and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(wrong)
    }
}

/// A key-encryption key. Its bytes are wiped when it is dropped and `Debug` shows its id only.
pub(crate) struct Key {
    pub(crate) id: KeyId,
    bytes: Zeroizing<[u8; 32]>,
}

impl Key {
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        random(&mut *bytes)?;
        Ok(Self::new(bytes))
    }

    fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        let digest = Sha256::new().chain_update(b"outcrop key id 1").chain_update(*bytes).finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Self { id: KeyId(id), bytes }
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The key's line of a key file.
    pub(crate) fn line(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", STANDARD.encode(*self.bytes)))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// Reads the keys of a key file, oldest first: 32 bytes each as base64 or as 64 hexadecimal digits, apart from each
/// other by white space or commas; from `#` to the end of the line is a comment.
pub(crate) fn parse(text: &str) -> Result<Vec<Key>, String> {
    let mut keys: Vec<Key> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        for word in line.split([' ', '\t', '\r', ',']).filter(|word| !word.is_empty()) {
            let bytes = Zeroizing::new(match word.len() {
                64 => decode_hex(word).unwrap_or_default(),
                _ => STANDARD.decode(word).unwrap_or_default(),
            });
            // The word is not repeated: it may be most of a key.
            let key = <[u8; 32]>::try_from(&bytes[..])
                .map_err(|_| format!("line {} is no key of 32 bytes in base64 or hexadecimal", number + 1))?;
            let key = Key::new(Zeroizing::new(key));
            if keys.iter().all(|other| other.id != key.id) {
                keys.push(key);
            }
        }
    }
    if keys.is_empty() {
        return Err("there is no key in it".to_owned());
    }
    Ok(keys)
}

/// Where the keys of a name are.
#[derive(Clone)]
pub enum KeySource {
    /// A key file. `outcrop secrets rotate` adds to it.
    File(PathBuf),
    /// Anything else that yields the text of a key file.
    Other(OtherSource),
}

/// A source that this crate cannot write to: a variable of the environment, a program's output.
#[derive(Clone)]
pub struct OtherSource {
    /// How people call it: `env:OUTCROP_MASTER_KEY`.
    pub what: String,
    /// Whether a process that runs sees a change of it.
    pub live: bool,
    /// Reads it, blocking.
    pub read: Arc<dyn Fn() -> Result<String, String> + Send + Sync>,
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Other(other) => f.write_str(&other.what),
        }
    }
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl KeySource {
    /// Its keys, oldest first.
    pub(crate) fn read(&self) -> Result<Vec<Key>> {
        let failed = |reason: String| Error::KeySource { place: self.to_string(), reason };
        let text = Zeroizing::new(match self {
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => failed("there is no such file".to_owned()),
                _ => failed(error.to_string()),
            })?,
            Self::Other(other) => (other.read)().map_err(failed)?,
        });
        parse(&text).map_err(failed)
    }
}

/// Which keys there are.
#[derive(Debug, Clone, Default)]
pub struct Encryption {
    /// Where named keys are. Without an entry for [`MASTER`] that is `master.keys` in the data folder, made when
    /// the folder is first used.
    pub keys: BTreeMap<String, KeySource>,
    /// The name of the key that seals documents, blobs and queue rows that name none.
    pub default_key: Option<String>,
}

impl Encryption {
    /// Reads every configured source; what keeps one from yielding keys. Blocks.
    pub fn problems(&self) -> Vec<Error> {
        self.keys.values().filter_map(|source| source.read().err()).collect()
    }
}

pub(crate) fn random(bytes: &mut [u8]) -> Result<()> {
    let filled = getrandom::fill(bytes);
    filled.map_err(|error| Error::Io { context: "asking for random bytes".to_owned(), reason: error.to_string() })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
