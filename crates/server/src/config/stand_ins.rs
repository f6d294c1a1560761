//! Local models that answer for catalogue models.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `[stand_ins]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct StandIns {
    /// Whether there are any.
    pub mode: StandInMode,
    /// For text models.
    pub text: Option<String>,
    /// For embedding models.
    pub embedding: Option<String>,
    /// For models that rank.
    pub rerank: Option<String>,
    /// By model id.
    pub models: BTreeMap<String, String>,
}

/// Whether local models answer for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StandInMode {
    /// In `outcrop dev`, not in `outcrop serve`.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl StandInMode {
    /// The mode, decided.
    pub fn is_on(self, dev: bool) -> bool {
        match self {
            Self::Auto => dev,
            Self::On => true,
            Self::Off => false,
        }
    }
}
