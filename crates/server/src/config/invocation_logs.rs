//! Where accounts may have their calls logged.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use outcrop_telemetry::invocation_log::Destinations;
use serde::{Deserialize, Serialize};

use super::Config;

/// `[invocation_logs]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct InvocationLogs {
    pub buffer_bytes: NonZeroUsize,
    pub buckets: BTreeMap<String, PathBuf>,
    pub log_groups: BTreeMap<String, PathBuf>,
}

impl Default for InvocationLogs {
    fn default() -> Self {
        Self {
            buffer_bytes: const { NonZeroUsize::new(64 * 1024 * 1024).unwrap() },
            buckets: BTreeMap::new(),
            log_groups: BTreeMap::new(),
        }
    }
}

impl Config {
    /// The folders that callers may name, those in the data folder included. A bucket in a service takes no records,
    /// and neither does one that nobody writes.
    pub(crate) fn destinations(&self, data: &Path) -> Destinations {
        let folders = self.buckets.iter().filter(|(_, bucket)| !bucket.read_only);
        let folders = folders.filter_map(|(name, bucket)| Some((name.clone(), bucket.folder.clone()?)));
        let logs = &self.invocation_logs;
        Destinations {
            buckets: logs.buckets.clone().into_iter().chain(folders).collect(),
            log_groups: logs.log_groups.clone(),
            data: data.to_owned(),
        }
    }
}
