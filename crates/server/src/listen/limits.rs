//! What one client, and all of them, may hold.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use super::collect;

/// Permits that can be taken in one go, which bounds by how much a bound can shrink.
const MOST: usize = u32::MAX as usize;

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

/// The limits as they are now: they can be changed while the listener runs. What counts over all connections changes
/// at once, the rest holds for connections that come after.
pub struct LiveLimits {
    now: ArcSwap<Limits>,
    pub(super) connections: Bound,
    pub(super) requests: Bound,
    /// In the steps by which [`super::collect`] takes it.
    pub(super) memory: Bound,
}

impl LiveLimits {
    /// `limits`, until they are changed.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            connections: Bound::new(limits.connections),
            requests: Bound::new(limits.requests),
            memory: Bound::new(collect::steps(limits.body_memory)),
            now: ArcSwap::from_pointee(limits),
        })
    }

    /// The limits for a connection that comes now.
    pub fn now(&self) -> Arc<Limits> {
        self.now.load_full()
    }

    /// Connections and requests that there are now.
    pub fn held(&self) -> (usize, usize) {
        (self.connections.held(), self.requests.held())
    }

    /// Changes them. What is held beyond a smaller bound is kept, and nothing new is let in until it is given back.
    pub fn set(&self, limits: Limits) {
        self.connections.resize(limits.connections);
        self.requests.resize(limits.requests);
        self.memory.resize(collect::steps(limits.body_memory));
        self.now.store(Arc::new(limits));
    }
}

/// A semaphore whose size can change.
pub(super) struct Bound {
    pub(super) permits: Arc<Semaphore>,
    size: Mutex<usize>,
}

impl Bound {
    fn new(size: usize) -> Self {
        let size = size.clamp(1, MOST);
        Self { permits: Arc::new(Semaphore::new(size)), size: Mutex::new(size) }
    }

    fn held(&self) -> usize {
        let size = *self.size.lock().unwrap_or_else(PoisonError::into_inner);
        size.saturating_sub(self.permits.available_permits())
    }

    fn resize(&self, size: usize) {
        let size = size.clamp(1, MOST);
        let mut now = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        if size >= *now {
            self.permits.add_permits(size - *now);
        } else {
            // Waiting first in line, this takes what is free and then what is given back, before anybody new.
            let (permits, fewer) = (self.permits.clone(), (*now - size) as u32);
            tokio::spawn(async move {
                if let Ok(taken) = permits.acquire_many_owned(fewer).await {
                    taken.forget();
                }
            });
        }
        *now = size;
    }
}
