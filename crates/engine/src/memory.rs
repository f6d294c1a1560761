//! The memory that all models share: who holds how much of it, and who goes when another needs room.
//!
//! A model claims what it will take before it takes it, and the claim ends when the last part of the model is freed,
//! not when somebody decided so. The model that was used the longest ago goes first; one that is answering never.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often a claim that waits looks again whether somebody became idle.
const LOOK: Duration = Duration::from_millis(20);
/// A model that has said it goes is waited for at least this long: it frees its memory and no more.
const LEAVING: Duration = Duration::from_secs(10);

/// A model that can give its memory back.
pub(crate) trait Occupant: Send + Sync {
    /// When it was last asked for something.
    fn used(&self) -> Instant;
    /// Leaves, unless it is answering or somebody is about to ask. True where its memory will be free soon.
    fn leave(&self) -> bool;
}

/// The memory for models.
pub(crate) struct Memory {
    limit: u64,
    held: Mutex<u64>,
    /// A claim ended.
    freed: Condvar,
    occupants: Mutex<Vec<Weak<dyn Occupant>>>,
}

/// Why a claim failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not even an otherwise empty memory would do.
    TooLarge,
    /// Models that are answering hold too much of it.
    NoRoom,
}

impl Memory {
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit, held: Mutex::new(0), freed: Condvar::new(), occupants: Mutex::default() })
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    pub(crate) fn held(&self) -> u64 {
        *self.lock()
    }

    /// Makes a model known as one that may be asked to leave.
    pub(crate) fn admit(&self, occupant: Weak<dyn Occupant>) {
        self.occupants.lock().unwrap_or_else(PoisonError::into_inner).push(occupant);
    }

    /// Takes `bytes`, asking idle models to leave where that is needed. Waits for `patience` while those that hold
    /// the memory are answering.
    pub(crate) fn claim(self: &Arc<Self>, bytes: u64, patience: Duration) -> Result<Share, Refused> {
        if bytes > self.limit {
            return Err(Refused::TooLarge);
        }
        let mut deadline = Instant::now() + patience;
        let mut held = self.lock();
        loop {
            if held.saturating_add(bytes) <= self.limit {
                *held += bytes;
                return Ok(Share { memory: self.clone(), bytes });
            }
            let before = *held;
            drop(held);
            if self.ask() {
                deadline = deadline.max(Instant::now() + LEAVING);
            }
            held = self.lock();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Refused::NoRoom);
            }
            if *held >= before {
                held = self.freed.wait_timeout(held, left.min(LOOK)).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Asks the one that was used the longest ago, and then the others, until one agrees.
    fn ask(&self) -> bool {
        let mut occupants: Vec<_> = {
            let mut known = self.occupants.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|occupant| occupant.strong_count() > 0);
            known.iter().filter_map(Weak::upgrade).map(|occupant| (occupant.used(), occupant)).collect()
        };
        occupants.sort_by_key(|(used, _)| *used);
        occupants.iter().any(|(_, occupant)| occupant.leave())
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Claimed memory, given back when dropped.
pub(crate) struct Share {
    memory: Arc<Memory>,
    bytes: u64,
}

impl Share {
    /// Puts `bytes` of this share into one of its own.
    pub(crate) fn split(&mut self, bytes: u64) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { memory: self.memory.clone(), bytes }
    }

    /// Claims `bytes` more without waiting for those that answer.
    pub(crate) fn grow(&mut self, bytes: u64) -> Result<(), Refused> {
        let mut more = self.memory.claim(bytes, Duration::ZERO)?;
        self.bytes += std::mem::take(&mut more.bytes);
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.memory.lock() -= self.bytes;
        self.memory.freed.notify_all();
    }
}

/// Three quarters of what this machine, or the container, has; everything where nobody says how much that is.
pub(crate) fn default_limit() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let machine = total_of(&read("/proc/meminfo"));
    // Control groups, version 2 and 1; "max" and huge numbers mean that there is no limit.
    let group = |path: &str| read(path).trim().parse::<u64>().ok();
    let groups = [group("/sys/fs/cgroup/memory.max"), group("/sys/fs/cgroup/memory/memory.limit_in_bytes")];
    let least = groups.into_iter().chain([machine]).flatten().min();
    least.map_or(u64::MAX, |bytes| bytes / 4 * 3)
}

/// `MemTotal` of Linux's `/proc/meminfo`.
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests;
