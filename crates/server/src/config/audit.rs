//! What is recorded of calls and changes.

pub use outcrop_telemetry::audit::OnFailure;
use serde::{Deserialize, Serialize};

/// `[audit]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Audit {
    pub enabled: bool,
    pub on_failure: OnFailure,
    pub retention_days: u32,
}

impl Default for Audit {
    fn default() -> Self {
        Self { enabled: true, on_failure: OnFailure::Continue, retention_days: 365 }
    }
}
