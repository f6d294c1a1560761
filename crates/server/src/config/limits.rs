//! What clients may hold.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::listen::Limits;

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct ClientLimits {
    pub body_bytes: NonZeroUsize,
    pub body_memory_bytes: NonZeroUsize,
    pub header_bytes: NonZeroUsize,
    pub connections: NonZeroUsize,
    pub requests: NonZeroUsize,
    pub streams_per_connection: NonZeroU32,
    pub header_timeout_seconds: NonZeroU32,
    pub body_timeout_seconds: NonZeroU32,
    pub idle_timeout_seconds: NonZeroU32,
    pub stall_timeout_seconds: NonZeroU32,
    pub request_timeout_seconds: NonZeroU32,
    pub grace_seconds: u32,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            body_bytes: const { NonZeroUsize::new(25_000_000).unwrap() },
            body_memory_bytes: const { NonZeroUsize::new(512 * 1024 * 1024).unwrap() },
            header_bytes: const { NonZeroUsize::new(64 * 1024).unwrap() },
            connections: const { NonZeroUsize::new(4096).unwrap() },
            requests: const { NonZeroUsize::new(1024).unwrap() },
            streams_per_connection: const { NonZeroU32::new(128).unwrap() },
            header_timeout_seconds: const { NonZeroU32::new(10).unwrap() },
            body_timeout_seconds: const { NonZeroU32::new(30).unwrap() },
            idle_timeout_seconds: const { NonZeroU32::new(75).unwrap() },
            stall_timeout_seconds: const { NonZeroU32::new(60).unwrap() },
            request_timeout_seconds: const { NonZeroU32::new(3600).unwrap() },
            grace_seconds: 30,
        }
    }
}

impl ClientLimits {
    /// The part of them that the listener keeps.
    pub fn of_listener(&self) -> Limits {
        Limits {
            connections: self.connections.get(),
            requests: self.requests.get(),
            header_timeout: seconds(self.header_timeout_seconds.get()),
            idle_timeout: seconds(self.idle_timeout_seconds.get()),
            stall_timeout: seconds(self.stall_timeout_seconds.get()),
            header_bytes: self.header_bytes.get(),
            body_memory: self.body_memory_bytes.get(),
            streams: self.streams_per_connection.get(),
            grace: seconds(self.grace_seconds),
            ..Limits::default()
        }
    }

    /// The `body_timeout` of [`crate::listen::collect`].
    pub fn body_timeout(&self) -> Duration {
        seconds(self.body_timeout_seconds.get())
    }

    /// The deadline of one request.
    pub fn request_timeout(&self) -> Duration {
        seconds(self.request_timeout_seconds.get())
    }
}

fn seconds(n: u32) -> Duration {
    Duration::from_secs(n.into())
}
