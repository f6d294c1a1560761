//! From the paths of calls to everybody who wants to know what calls took: one bounded channel, one thread.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::Entry;

/// Entries that wait for the thread. At 10,000 calls a second it may be away for six seconds.
const WAITING: usize = 65_536;
/// Entries that are handed on together.
const TOGETHER: usize = 4_096;
/// How long entries gather after the first.
const GATHER: Duration = Duration::from_millis(20);
/// How often consumers may write down what they have: half of the second that a crash may cost.
const TICK: Duration = Duration::from_millis(500);

/// Somebody who wants to know what calls took. All of it runs on the hub's own thread, which may block.
pub trait Consumer: Send {
    /// Calls are over.
    fn take(&mut self, entries: &[Entry]);
    /// Half a second has passed, or more: what must not be lost is written now.
    fn tick(&mut self) {}
}

/// What the thread is told.
#[derive(Debug)]
enum Told {
    /// A call is over.
    Call(Entry),
    /// Somebody waits until all before this is written.
    Settle(oneshot::Sender<()>),
    /// There is no more.
    End,
}

/// Where calls are told. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Recorder {
    sender: SyncSender<Told>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    /// A call is over. Never waits: an entry for which there is no room is lost, and counted.
    pub fn record(&self, entry: Entry) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Told::Call(entry)) {
            let lost = self.dropped.fetch_add(1, Relaxed) + 1;
            if lost.is_power_of_two() {
                tracing::error!(lost, "usage records were lost: calls end faster than they can be written down");
            }
        }
    }

    /// Waits until every consumer has written what was recorded before this: whoever asks then what calls took is told
    /// of all of them. Returns at once where there is no room to ask, since then entries are being lost anyway.
    pub async fn settle(&self) {
        let (sender, written) = oneshot::channel();
        if self.sender.try_send(Told::Settle(sender)).is_ok() {
            // It fails where the thread has ended, which has written all that it will.
            written.await.ok();
        }
    }

    /// Entries that were lost for want of room.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

/// The thread. It ends when it is joined, or when this and every [`Recorder`] are gone.
#[derive(Debug)]
pub struct Hub {
    thread: JoinHandle<()>,
    sender: SyncSender<Told>,
}

impl Hub {
    /// Starts to hand what is recorded to `consumers`, in their order.
    pub fn start(consumers: Vec<Box<dyn Consumer>>) -> std::io::Result<(Recorder, Self)> {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("telemetry".into()).spawn(move || run(&receiver, consumers))?;
        Ok((Recorder { sender: sender.clone(), dropped: Arc::default() }, Self { thread, sender }))
    }

    /// Waits until everything that was recorded has been taken and written. What is recorded after this is lost.
    pub fn join(self) {
        // It fails where the thread has ended, and then there is nothing to wait for.
        self.sender.send(Told::End).ok();
        if self.thread.join().is_err() {
            tracing::error!("the telemetry thread had failed");
        }
    }
}

fn run(receiver: &Receiver<Told>, mut consumers: Vec<Box<dyn Consumer>>) {
    let mut batch = Vec::with_capacity(TOGETHER);
    let mut settled = Vec::new();
    let mut next = Instant::now() + TICK;
    loop {
        let mut ended = false;
        match receiver.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(first) => {
                // Whoever tells of a call while this thread sleeps does not have to wake it: at some thousand calls a
                // second waking it for each took an eighth of the server's time.
                std::thread::sleep(GATHER);
                for told in std::iter::once(first).chain(receiver.try_iter()).take(TOGETHER) {
                    match told {
                        Told::Call(entry) => batch.push(entry),
                        Told::Settle(waiting) => settled.push(waiting),
                        Told::End => {
                            // The last that is looked at.
                            ended = true;
                            break;
                        }
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => ended = true,
        }
        let due = ended || !settled.is_empty() || Instant::now() >= next;
        for consumer in &mut consumers {
            if !batch.is_empty() {
                consumer.take(&batch);
            }
            if due {
                consumer.tick();
            }
        }
        batch.clear();
        for waiting in settled.drain(..) {
            // It fails where nobody waits any more.
            waiting.send(()).ok();
        }
        if ended {
            return;
        }
        if due {
            next = Instant::now() + TICK;
        }
    }
}
