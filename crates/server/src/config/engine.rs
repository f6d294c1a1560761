//! Local inference.

use std::num::{NonZeroU32, NonZeroUsize};

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
        }
    }
}
