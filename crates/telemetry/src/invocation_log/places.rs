//! Which folders buckets and log groups are.
//!
//! A bucket that takes records is a folder, one that the operator has named or that was made through S3; so is a log
//! group. Its records are S3's objects like any other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use outcrop_buckets::Buckets;

use super::LogError;
use super::operations::{Bucket, Config};

/// The folders that callers may name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destinations {
    /// By the bucket's name.
    pub buckets: BTreeMap<String, PathBuf>,
    /// By the log group's.
    pub log_groups: BTreeMap<String, PathBuf>,
    /// A folder in which every folder `buckets/NAME` is a bucket and every folder `log-groups/NAME` a log group.
    pub data: PathBuf,
}

impl Destinations {
    /// The folder of a bucket, if there is one of that name.
    pub fn bucket(&self, name: &str) -> Option<PathBuf> {
        if let Some(folder) = self.buckets.get(name) {
            return Some(folder.clone());
        }
        let folder = self.data.join("buckets").join(name);
        (is_bucket(name) && folder.is_dir()).then_some(folder)
    }

    /// The folder of a log group.
    pub fn log_group(&self, name: &str) -> Option<PathBuf> {
        if let Some(folder) = self.log_groups.get(name) {
            return Some(folder.clone());
        }
        let folder = self.data.join("log-groups").join(name.trim_start_matches('/'));
        (is_log_group(name) && folder.is_dir()).then_some(folder)
    }

    /// Whether records could go where a configuration of `account` sends them. Another account's bucket takes none.
    pub(super) fn check(&self, config: &Config, buckets: &Buckets, account: &str) -> Result<(), LogError> {
        let large = config.log_group.as_ref().and_then(|group| group.large.as_ref());
        for bucket in config.bucket.iter().chain(large) {
            let may = buckets.owner(&bucket.name).is_none_or(|owner| owner == account);
            let folder = self.bucket(&bucket.name).filter(|_| may).ok_or_else(|| {
                LogError::Invalid(format!(
                    "There is no bucket {}. S3 makes them on this server, or the operator names a folder under \
                     [buckets] or [invocation_logs.buckets], or makes the folder buckets/{0} in the server's data \
                     folder.",
                    shown(&bucket.name)
                ))
            })?;
            prefix(bucket)?;
            writable(&folder, "bucket", &bucket.name)?;
        }
        if let Some(group) = &config.log_group {
            let folder = self.log_group(&group.name).ok_or_else(|| {
                LogError::Invalid(format!(
                    "There is no log group {}. Log groups are folders of this server: the operator names one under \
                     [invocation_logs.log_groups], or makes the folder log-groups/{0} in the server's data folder.",
                    shown(&group.name)
                ))
            })?;
            writable(&folder, "log group", &group.name)?;
        }
        Ok(())
    }
}

fn shown(name: &str) -> &str {
    name.trim_start_matches('/')
}

/// A bucket's prefix as a path below its folder.
pub(super) fn prefix(bucket: &Bucket) -> Result<PathBuf, LogError> {
    let mut path = PathBuf::new();
    let given = bucket.prefix.as_deref().unwrap_or_default();
    for part in given.trim_matches('/').split('/').filter(|_| !given.trim_matches('/').is_empty()) {
        let odd = |c: char| c.is_control() || c == '\\';
        if part.is_empty() || matches!(part, "." | "..") || part.len() > 255 || part.contains(odd) {
            let text = "keyPrefix must be a path of plain names: buckets are folders of this server.";
            return Err(LogError::Invalid(text.into()));
        }
        path.push(part);
    }
    Ok(path)
}

/// S3's rule for names ("General purpose bucket naming rules"), which also keeps them from being paths.
fn is_bucket(name: &str) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    (3..=63).contains(&name.len())
        && name.bytes().all(inner)
        && edge(name.bytes().next())
        && edge(name.bytes().last())
        && !name.contains("..")
}

/// CloudWatch's: letters, digits and `_-/.#`. Here no part of it may lead out of the folder.
fn is_log_group(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_-/.#".contains(&b);
    let parts = name.trim_start_matches('/').split('/');
    name.len() <= 512 && name.bytes().all(fits) && parts.into_iter().all(|part| !matches!(part, "" | "." | ".."))
}

/// AWS, too, tries to write before it accepts a destination.
fn writable(folder: &Path, what: &str, name: &str) -> Result<(), LogError> {
    let tried = std::fs::create_dir_all(folder).and_then(|()| {
        let probe = folder.join(format!(".outcrop-{}", uuid::Uuid::new_v4().simple()));
        std::fs::write(&probe, b"")?;
        std::fs::remove_file(probe)
    });
    tried.map_err(|error| {
        tracing::error!(%error, folder = %folder.display(), "invocation logs cannot be written here");
        LogError::Invalid(format!("The server cannot write to the {what} {}.", shown(name)))
    })
}
