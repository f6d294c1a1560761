//! How targets are asked, where a route says nothing else.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use outcrop_gateway::routing::{BreakerSettings, Policy};
use serde::{Deserialize, Serialize};

use super::{ConfigError, impossible};

/// `[routing]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Routing {
    pub retries: u32,
    pub retry_share: f64,
    pub longest_pause_ms: u64,
    pub first_token_seconds: NonZeroU32,
    pub between_tokens_seconds: NonZeroU32,
    pub whole_seconds: NonZeroU32,
    pub total_seconds: NonZeroU32,
    pub queue_seconds: u32,
    pub cache_bytes: u64,
    pub breaker: Breaker,
}

/// `[routing.breaker]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Breaker {
    pub consecutive: NonZeroU32,
    pub ratio: f64,
    pub minimum_calls: NonZeroU32,
    pub window_seconds: NonZeroU32,
    pub pause_ms: NonZeroU64,
    pub longest_pause_ms: NonZeroU64,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            retries: 3,
            retry_share: 0.2,
            longest_pause_ms: 2000,
            first_token_seconds: const { NonZeroU32::new(120).unwrap() },
            between_tokens_seconds: const { NonZeroU32::new(60).unwrap() },
            whole_seconds: const { NonZeroU32::new(600).unwrap() },
            total_seconds: const { NonZeroU32::new(3600).unwrap() },
            queue_seconds: 30,
            cache_bytes: 67_108_864,
            breaker: Breaker::default(),
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            consecutive: const { NonZeroU32::new(8).unwrap() },
            ratio: 0.6,
            minimum_calls: const { NonZeroU32::new(40).unwrap() },
            window_seconds: const { NonZeroU32::new(10).unwrap() },
            pause_ms: const { NonZeroU64::new(1000).unwrap() },
            longest_pause_ms: const { NonZeroU64::new(60_000).unwrap() },
        }
    }
}

impl Routing {
    /// The same as the gateway takes it.
    pub fn policy(&self) -> Policy {
        let breaker = &self.breaker;
        Policy {
            retries: self.retries,
            retry_share: self.retry_share,
            longest_pause: Duration::from_millis(self.longest_pause_ms),
            first_token: seconds(self.first_token_seconds),
            between_tokens: seconds(self.between_tokens_seconds),
            whole: seconds(self.whole_seconds),
            total: seconds(self.total_seconds),
            queue: Duration::from_secs(self.queue_seconds.into()),
            breaker: BreakerSettings {
                consecutive: breaker.consecutive.get(),
                ratio: breaker.ratio,
                minimum: breaker.minimum_calls.get(),
                window: seconds(breaker.window_seconds),
                pause: Duration::from_millis(breaker.pause_ms.get()),
                longest: Duration::from_millis(breaker.longest_pause_ms.get()),
            },
            ..Policy::default()
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.retries > 10 {
            return Err(impossible("routing.retries", &self.retries.to_string(), "at most 10"));
        }
        if !(0.0..=1.0).contains(&self.retry_share) {
            return Err(impossible("routing.retry_share", &self.retry_share.to_string(), "from 0 to 1"));
        }
        if !(self.breaker.ratio > 0.0 && self.breaker.ratio <= 1.0) {
            return Err(impossible("routing.breaker.ratio", &self.breaker.ratio.to_string(), "above 0, and at most 1"));
        }
        Ok(())
    }
}

pub(super) fn seconds(n: NonZeroU32) -> Duration {
    Duration::from_secs(n.get().into())
}
