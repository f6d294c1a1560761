//! What one client, and all of them, may hold.

use std::time::Duration;

/// The bounds of a listener. Every default is meant for a server that strangers can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time. At the limit idle ones are closed and new ones wait in the kernel's backlog:
    /// refusing one politely would mean to read its request first, and that is what has run out.
    pub connections: usize,
    /// Requests at one time, over all connections, until the last byte of the answer. More are throttled.
    pub requests: usize,
    /// Paths that are answered even then: a probe must tell busy from dead.
    pub never_throttled: &'static [&'static str],
    /// From accepting a connection to the end of its first request's head, sniffing of the version included.
    pub header_timeout: Duration,
    /// For a connection without an open request, the head of the next request included.
    pub idle_timeout: Duration,
    /// For a client that does not read the answer that waits for it.
    pub stall_timeout: Duration,
    /// The size of a request's head. HTTP/1.1 takes at least 8 KiB.
    pub header_bytes: usize,
    /// Memory for request bodies that are being read or held, together.
    pub body_memory: usize,
    /// Open streams of one HTTP/2 connection.
    pub streams: u32,
    /// How often a silent HTTP/2 client is asked whether it lives; as long it may take to answer.
    pub ping: Duration,
    /// How long open requests may take to finish once the listener shuts down.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            requests: 1024,
            never_throttled: &["/outcrop/health"],
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(60),
            header_bytes: 64 * 1024,
            body_memory: 512 * 1024 * 1024,
            streams: 128,
            ping: Duration::from_secs(20),
            grace: Duration::from_secs(30),
        }
    }
}
