//! What `s3://` names: buckets of the operator's, and S3 on the server's own port.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use outcrop_buckets::{BucketError, Named, Place, Remote, Service, Settings, is_bucket};
use outcrop_outbound::Outbound;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, SecretRef, impossible};

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
    /// Nobody writes.
    pub read_only: bool,
    /// The folder that it is.
    pub folder: Option<PathBuf>,
    /// The kind of service that it is in.
    pub kind: Option<BucketKind>,
    /// Its name there.
    pub bucket: Option<String>,
    /// What stands before each key there.
    pub prefix: Option<String>,
    /// Where the service is.
    pub url: Option<String>,
    /// The Region of S3.
    pub region: Option<String>,
    /// What S3 knows this server by.
    pub access_key_id: Option<String>,
    /// The same.
    pub secret_access_key: Option<SecretRef>,
    /// The same, of a session.
    pub session_token: Option<SecretRef>,
    /// What GCS knows this server by.
    pub service_account: Option<SecretRef>,
    /// The storage account of Azure.
    pub storage_account: Option<String>,
    /// What Azure knows this server by.
    pub account_key: Option<SecretRef>,
}

/// What a bucket's service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BucketKind {
    /// Amazon S3, or what speaks like it.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
}

fn exposed(secret: &Option<SecretRef>) -> Option<String> {
    secret.as_ref().map(|secret| secret.expose().to_owned())
}

impl Bucket {
    fn service(&self) -> Option<Service> {
        let url = self.url.clone();
        Some(match self.kind? {
            BucketKind::S3 => Service::S3 {
                url,
                region: self.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
                key: self
                    .access_key_id
                    .clone()
                    .zip(exposed(&self.secret_access_key))
                    .map(|(id, secret)| (id, secret, exposed(&self.session_token))),
            },
            BucketKind::Gcs => Service::Gcs { url, service_account: exposed(&self.service_account) },
            BucketKind::Azure => Service::Azure {
                url,
                account: self.storage_account.clone().unwrap_or_default(),
                key: exposed(&self.account_key),
            },
        })
    }

    fn named(&self, name: &str, outbound: &Outbound) -> Result<Named, BucketError> {
        let place = match (&self.folder, self.service()) {
            (Some(folder), _) => Place::Folder(folder.clone()),
            (None, None) => Place::Own,
            (None, Some(service)) => {
                let there = self.bucket.as_deref().unwrap_or(name);
                let prefix = self.prefix.as_deref().unwrap_or_default();
                Place::Remote(Arc::new(Remote::open(&service, there, prefix, outbound)?))
            }
        };
        Ok(Named { account: self.account.clone(), read_only: self.read_only, place })
    }
}

impl Config {
    /// What the configuration says of buckets; those that invocation logs may name are buckets like others.
    pub(crate) fn buckets(&self, dev: bool, outbound: &Outbound) -> Result<Settings, ConfigError> {
        let logs = self.invocation_logs.buckets.iter().filter(|(name, _)| is_bucket(name));
        let logs = logs.map(|(name, folder)| {
            (name.clone(), Named { account: None, read_only: false, place: Place::Folder(folder.clone()) })
        });
        let mut named: BTreeMap<_, _> = logs.collect();
        for (name, bucket) in &self.buckets {
            let opened = bucket.named(name, outbound);
            let opened = opened
                .map_err(|error| ConfigError::Access { key: format!("buckets.{name}"), what: error.to_string() })?;
            named.insert(name.clone(), opened);
        }
        Ok(Settings {
            named,
            // In `serve` what belongs to nobody opens to nobody.
            ownerless: dev.then(|| self.dev.account.clone()),
            region: self.dev.region.clone(),
        })
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
        if bucket.folder.is_some() && bucket.kind.is_some() {
            return Err(impossible(&format!("buckets.{name}.folder"), "set", "left out where kind is set"));
        }
        if bucket.access_key_id.is_some() != bucket.secret_access_key.is_some() {
            let expected = "set beside access_key_id, and left out without it";
            return Err(impossible(&format!("buckets.{name}.secret_access_key"), "one without the other", expected));
        }
        if (bucket.kind == Some(BucketKind::Azure)) != bucket.storage_account.is_some() {
            let expected = "set where kind is \"azure\", and left out elsewhere";
            return Err(impossible(&format!("buckets.{name}.storage_account"), "otherwise", expected));
        }
    }
    Ok(())
}
