//! What `s3://` names: buckets of the operator's, and S3 on the server's own port.

use std::collections::BTreeMap;
use std::path::PathBuf;

use outcrop_buckets::{Named, Place, Settings, is_bucket};
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, impossible};

/// `[s3]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct S3 {
    pub enabled: bool,
}

/// `[buckets.NAME]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bucket {
    /// Whose it is.
    pub account: Option<String>,
    /// The folder that it is.
    pub folder: Option<PathBuf>,
    /// Nobody writes.
    pub read_only: bool,
}

impl Bucket {
    fn named(&self) -> Named {
        let place = match &self.folder {
            Some(folder) => Place::Folder(folder.clone()),
            None => Place::Own,
        };
        Named { account: self.account.clone(), read_only: self.read_only, place }
    }
}

impl Config {
    /// What the configuration says of buckets; those that invocation logs may name are buckets like others.
    pub(crate) fn buckets(&self, dev: bool) -> Settings {
        let logs = self.invocation_logs.buckets.iter().filter(|(name, _)| is_bucket(name));
        let logs = logs.map(|(name, folder)| {
            (name.clone(), Named { account: None, read_only: false, place: Place::Folder(folder.clone()) })
        });
        let named = self.buckets.iter().map(|(name, bucket)| (name.clone(), bucket.named()));
        Settings {
            named: logs.chain(named).collect(),
            // In `serve` what belongs to nobody opens to nobody.
            ownerless: dev.then(|| self.dev.account.clone()),
            region: self.dev.region.clone(),
        }
    }
}

pub(super) fn check(buckets: &BTreeMap<String, Bucket>) -> Result<(), ConfigError> {
    for (name, bucket) in buckets {
        if !is_bucket(name) {
            let expected = "a bucket's name: 3 to 63 lower case letters, digits, dots and dashes";
            return Err(impossible("buckets", name, expected));
        }
        if let Some(account) =
            bucket.account.as_ref().filter(|a| a.len() != 12 || !a.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(impossible(&format!("buckets.{name}.account"), account, "12 digits"));
        }
    }
    Ok(())
}
