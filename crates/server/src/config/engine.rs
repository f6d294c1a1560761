//! Local inference.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use serde::{Deserialize, Serialize};

/// `[engine]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Engine {
    pub threads: Option<NonZeroUsize>,
    pub max_sequences: NonZeroUsize,
    pub max_waiting: usize,
    pub context_length: Option<NonZeroU32>,
    pub idle_unload_seconds: NonZeroU32,
    pub load_wait_seconds: u32,
    pub memory_bytes: Option<NonZeroU64>,
    pub prefix_bytes: usize,
    pub prefix_sharing: PrefixSharing,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            threads: None,
            max_sequences: const { NonZeroUsize::new(16).unwrap() },
            max_waiting: 256,
            context_length: None,
            idle_unload_seconds: const { NonZeroU32::new(900).unwrap() },
            load_wait_seconds: 60,
            memory_bytes: None,
            prefix_bytes: 256 << 20,
            prefix_sharing: PrefixSharing::Account,
        }
    }
}

/// Within what a prompt's computed beginning may serve another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PrefixSharing {
    /// An account.
    #[default]
    Account,
    /// One user, role session or API key of an account.
    Principal,
    /// Nothing: every prompt is computed in full.
    None,
}
