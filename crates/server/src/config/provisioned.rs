//! Throughput that callers may reserve.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};

use serde::{Deserialize, Serialize};

/// `[provisioned]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Provisioned {
    pub units: u32,
    pub tokens_per_minute_per_unit: NonZeroU64,
    pub concurrency_per_unit: NonZeroU32,
    pub models: BTreeMap<String, ProvisionedModel>,
}

impl Default for Provisioned {
    fn default() -> Self {
        Self {
            units: 16,
            tokens_per_minute_per_unit: const { NonZeroU64::new(10_000).unwrap() },
            concurrency_per_unit: const { NonZeroU32::new(2).unwrap() },
            models: BTreeMap::new(),
        }
    }
}

/// `[provisioned.models."ID"]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct ProvisionedModel {
    pub units: Option<u32>,
    pub tokens_per_minute_per_unit: Option<NonZeroU64>,
    pub concurrency_per_unit: Option<NonZeroU32>,
    pub tokens_per_minute: Option<NonZeroU64>,
    pub concurrency: Option<NonZeroU32>,
}
