//! Which keys seal what is kept.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use outcrop_resources::KmsKeys;
use outcrop_store::{KeySource, MASTER, Options, OtherSource};
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, SecretRef, impossible};

#[cfg(test)]
mod tests;

/// `[encryption]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Encryption {
    /// Where the master key is; without it, `master.keys` in the data folder.
    pub key_file: Option<PathBuf>,
    /// The key that seals documents, blobs and queue rows that name none.
    pub default_key: Option<String>,
    /// Where further keys are, by name: `file:PATH`, `env:NAME` or `cmd:PROGRAM ARGS`.
    pub keys: BTreeMap<String, String>,
    /// Which of them stands for which KMS key, by ARN.
    pub kms: BTreeMap<String, String>,
}

impl Encryption {
    /// What no type says.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        for (name, place) in &self.keys {
            if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
                return Err(impossible("encryption.keys", name, "named with at most 64 letters, digits, - and _"));
            }
            if source(place).is_none() {
                // Whatever stands there may be a key: it is not repeated.
                let expected =
                    "file:PATH, env:NAME or cmd:PROGRAM ARGS; a key itself never stands in the configuration";
                return Err(impossible(&format!("encryption.keys.{name}"), "<hidden>", expected));
            }
        }
        if let Some(file) = &self.key_file
            && self.keys.contains_key(MASTER)
        {
            let expected = "left out where encryption.keys.master is set: they mean the same key";
            return Err(impossible("encryption.key_file", &file.display().to_string(), expected));
        }
        let names = || {
            let known = self.keys.keys().cloned().collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { known } else { format!(" ({known})") };
            format!("master or a key under [encryption.keys]{known}")
        };
        let known = |name: &str| name == MASTER || self.keys.contains_key(name);
        if let Some(name) = self.default_key.as_deref().filter(|name| !known(name)) {
            return Err(impossible("encryption.default_key", name, &names()));
        }
        for (arn, name) in &self.kms {
            let parts: Vec<&str> = arn.splitn(6, ':').collect();
            if !matches!(parts[..], ["arn", _, "kms", _, _, last] if last.starts_with("key/") || last.starts_with("alias/"))
            {
                let expected =
                    "the ARN of a KMS key or alias, such as arn:aws:kms:us-east-1:111122223333:alias/payments";
                return Err(impossible("encryption.kms", arn, expected));
            }
            if !known(name) {
                return Err(impossible(&format!("encryption.kms.\"{arn}\""), name, &names()));
            }
        }
        Ok(())
    }

    /// The KMS keys that callers may name.
    pub fn kms_keys(&self) -> KmsKeys {
        KmsKeys::new(&self.kms)
    }
}

impl Config {
    /// How the store is opened.
    pub fn store(&self) -> Options {
        let mut keys: BTreeMap<String, KeySource> =
            self.encryption.keys.iter().filter_map(|(name, place)| Some((name.clone(), source(place)?))).collect();
        if let Some(file) = &self.encryption.key_file {
            keys.insert(MASTER.to_owned(), KeySource::File(file.clone()));
        }
        let encryption = outcrop_store::Encryption { keys, default_key: self.encryption.default_key.clone() };
        Options { encryption, ..Options::default() }
    }
}

/// Where keys are. A file is rotated by Outcrop; what a program prints is read again when a new key is needed; the
/// environment of a process does not change.
fn source(place: &str) -> Option<KeySource> {
    let (scheme, rest) = place.split_once(':').filter(|(_, rest)| !rest.trim().is_empty())?;
    let live = match scheme {
        "file" => return Some(KeySource::File(rest.into())),
        "env" => false,
        "cmd" => true,
        _ => return None,
    };
    let what = place.to_owned();
    let read = {
        let what = what.clone();
        Arc::new(move || SecretRef::resolve(&what).map(|secret| secret.expose().to_owned()))
    };
    Some(KeySource::Other(OtherSource { what, live, read }))
}
