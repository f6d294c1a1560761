//! The audit trail: one record of every call, refused ones included, and of every change of keys and configuration.
//!
//! Records have CloudTrail's own form ([`Event`]) and stand in append-only JSON lines, one file a UTC day, below
//! `<data>/telemetry/audit/<node>/`. Each line carries the SHA-256 of the line before and its own ([`chain`]), over
//! days and restarts, so that no line can be altered, taken away or put between others without a trace ([`verify`]).
//! A node is one process at a time: each has a chain of its own, for two writers of one chain would break it.
//!
//! Never: content of prompts or answers, secrets.
//!
//! One thread writes, in batches. Nobody waits for the disk but when the channel to it is full: then callers wait
//! rather than lose a record. Where the disk fails, [`OnFailure`] says what counts for more, answers or records.

pub mod chain;
pub mod event;
mod folder;
pub mod read;
#[cfg(test)]
pub(crate) mod tests;
pub mod verify;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub use event::{Decision, Event, Who};

/// Records that wait for the thread.
const WAITING: usize = 8_192;
/// How long a caller waits before it tries again to hand over a record.
const PAUSE: Duration = Duration::from_millis(2);

/// What counts for more where records cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// Answers: calls go on. Records that find no room in memory are lost and counted, and the chain says how many.
    #[default]
    Continue,
    /// Records: no call begins until they can be written again.
    Refuse,
}

/// Where the trail lies, below a data folder.
pub fn folder_of(data: &Path) -> PathBuf {
    data.join("telemetry").join("audit")
}

/// The way into the trail. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Audit {
    sender: SyncSender<Message>,
    shared: Arc<Shared>,
    root: Arc<PathBuf>,
}

#[derive(Debug)]
enum Message {
    Event(Box<Event>),
    /// Everything before it is written, then whoever asked is told.
    Flush(SyncSender<()>),
}

#[derive(Debug, Default)]
struct Shared {
    failing: AtomicBool,
    refuse: AtomicBool,
    retention_days: AtomicU32,
    lost: AtomicU64,
    written: AtomicU64,
}

impl Audit {
    /// Opens the chain of a process of this role (`server`, `cli`) below `root`, and starts its thread, which ends
    /// when every clone is gone. `retention_days` 0 keeps everything.
    pub fn open(root: &Path, role: &str, on_failure: OnFailure, retention_days: u32) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        let shared = Arc::<Shared>::default();
        let audit = Self { sender, shared: Arc::clone(&shared), root: Arc::new(root.to_owned()) };
        audit.configure(on_failure, retention_days);
        let log = folder::Log::open(root, role)?;
        std::thread::Builder::new().name("audit".into()).spawn(move || writer::run(&receiver, log, &shared))?;
        Ok(audit)
    }

    /// Other settings, from now on.
    pub fn configure(&self, on_failure: OnFailure, retention_days: u32) {
        self.shared.refuse.store(on_failure == OnFailure::Refuse, Relaxed);
        self.shared.retention_days.store(retention_days, Relaxed);
    }

    /// Whether calls may begin.
    pub fn ready(&self) -> bool {
        !(self.shared.refuse.load(Relaxed) && self.shared.failing.load(Relaxed))
    }

    /// Hands over a record. Waits while there is no room for it, unless the disk fails and calls are to go on.
    pub async fn record(&self, event: Event) {
        let mut message = Message::Event(Box::new(event));
        loop {
            match self.try_hand_over(message) {
                None => return,
                Some(back) => message = back,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same for threads that may block.
    pub fn record_blocking(&self, event: Event) {
        let mut message = Message::Event(Box::new(event));
        while let Some(back) = self.try_hand_over(message) {
            message = back;
            std::thread::sleep(PAUSE);
        }
    }

    fn try_hand_over(&self, message: Message) -> Option<Message> {
        match self.sender.try_send(message) {
            Ok(()) => None,
            Err(TrySendError::Full(message)) => {
                let give_up = self.shared.failing.load(Relaxed) && !self.shared.refuse.load(Relaxed);
                if give_up {
                    self.lose();
                }
                (!give_up).then_some(message)
            }
            // The thread is gone: it can only have panicked.
            Err(TrySendError::Disconnected(_)) => {
                self.lose();
                None
            }
        }
    }

    /// A call was refused because [`ready`](Self::ready) was not: the chain will say how many there were.
    pub fn skip(&self) {
        self.lose();
    }

    fn lose(&self) {
        let lost = self.shared.lost.fetch_add(1, Relaxed) + 1;
        if lost.is_power_of_two() {
            tracing::error!(lost, "audit records were lost: the trail cannot be written");
        }
    }

    /// Waits, blocking, until everything that was handed over is written, or `patience` is over.
    pub fn flush(&self, patience: Duration) -> bool {
        let (done, told) = sync_channel(1);
        let end = Instant::now() + patience;
        let mut message = Message::Flush(done);
        while let Err(error) = self.sender.try_send(message) {
            message = match error {
                TrySendError::Full(message) if Instant::now() < end => message,
                _ => return false,
            };
            std::thread::sleep(PAUSE);
        }
        told.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok()
    }

    /// Records that were lost since the start.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Relaxed)
    }

    /// Records that were written since the start.
    pub fn written(&self) -> u64 {
        self.shared.written.load(Relaxed)
    }

    /// Where the chains lie.
    pub fn root(&self) -> &Path {
        &self.root
    }
}
