//! Where accounts may have their calls logged.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use outcrop_telemetry::invocation_log::Destinations;
use serde::{Deserialize, Serialize};

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

impl InvocationLogs {
    /// The folders that callers may name, those in the data folder included.
    pub fn destinations(&self, data: &Path) -> Destinations {
        Destinations { buckets: self.buckets.clone(), log_groups: self.log_groups.clone(), data: data.to_owned() }
    }
}
