//! What is counted, and who may read it.

use std::num::NonZeroUsize;

use outcrop_telemetry::meters::{Label, Labels};
use serde::{Deserialize, Serialize};

use super::{ConfigError, SecretRef, impossible};

/// `[metrics]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Metrics {
    pub token: Option<SecretRef>,
    pub open_on_loopback: bool,
    pub labels: Vec<String>,
    pub label_values: NonZeroUsize,
}

impl Default for Metrics {
    fn default() -> Self {
        let label_values = const { NonZeroUsize::new(100).unwrap() };
        Self { token: None, open_on_loopback: false, labels: Vec::new(), label_values }
    }
}

impl Metrics {
    /// The labels that calls have beyond the usual ones.
    pub fn of_calls(&self) -> Result<Labels, ConfigError> {
        let read = |text: &String| {
            text.parse::<Label>().map_err(|_| {
                impossible(
                    "metrics.labels",
                    text,
                    "account, region, tag:KEY or metadata:KEY; all others may be endless",
                )
            })
        };
        let labels = self.labels.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Labels { labels, values: self.label_values.get() })
    }
}
