//! How long a connection may go on as it does. hyper bounds neither the sniffing of the version (hyper #3756, #3962)
//! nor a client that stops reading, and its header time-out would also close kept-alive connections; so one clock
//! per connection watches all of it from outside.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::Limits;

/// What one connection is doing.
pub(super) struct Watch {
    header_timeout: Duration,
    idle_timeout: Duration,
    stall_timeout: Duration,
    /// Part of a request was not read and may still be under way.
    left_unread: AtomicBool,
    state: Mutex<State>,
}

struct State {
    /// Requests whose answer is not fully handed over.
    open: usize,
    /// Since when there is none.
    idle_since: Instant,
    /// Whether a first request came.
    greeted: bool,
    /// Answers of which a piece was handed over and no further one asked for, and since when.
    unread: HashMap<u64, Instant>,
    next: u64,
}

/// What to do with the connection now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing before this time.
    LookAgain(Instant),
    /// It is idle: close it politely.
    Idle,
    /// Its first request did not come in time.
    Silent,
    /// It does not read its answer.
    Stalled,
}

impl Watch {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
            stall_timeout: limits.stall_timeout,
            left_unread: AtomicBool::new(false),
            state: Mutex::new(State {
                open: 0,
                idle_since: Instant::now(),
                greeted: false,
                unread: HashMap::new(),
                next: 0,
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request's head has arrived.
    pub(super) fn begin(self: &Arc<Self>) -> Open {
        let mut state = self.state();
        state.greeted = true;
        state.open += 1;
        state.next += 1;
        Open { watch: self.clone(), id: state.next, permit: None }
    }

    pub(super) fn verdict(&self, now: Instant) -> Verdict {
        let state = self.state();
        let (since, limit, verdict) = match (state.open, state.greeted) {
            (0, false) => (state.idle_since, self.header_timeout, Verdict::Silent),
            (0, true) => (state.idle_since, self.idle_timeout, Verdict::Idle),
            _ => (state.unread.values().min().copied().unwrap_or(now), self.stall_timeout, Verdict::Stalled),
        };
        let deadline = since + limit;
        if deadline <= now { verdict } else { Verdict::LookAgain(deadline) }
    }

    /// An answer was given before the whole request was read.
    pub(super) fn leave_unread(&self) {
        self.left_unread.store(true, Ordering::Release);
    }

    pub(super) fn left_unread(&self) -> bool {
        self.left_unread.load(Ordering::Acquire)
    }

    /// Whether nothing has been open for `least`, after a first request.
    pub(super) fn idle_for(&self, least: Duration) -> bool {
        let state = self.state();
        state.open == 0 && state.greeted && state.idle_since.elapsed() >= least
    }
}

/// One request until the last byte of its answer is handed over, or nobody wants it any more.
pub(super) struct Open {
    watch: Arc<Watch>,
    id: u64,
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

impl Open {
    /// Notes whether the client still owes reading the piece that it was just given.
    pub(super) fn handed_a_piece(&self, unread: bool) {
        let mut state = self.watch.state();
        if unread {
            state.unread.insert(self.id, Instant::now());
        } else {
            state.unread.remove(&self.id);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.watch.state();
        state.unread.remove(&self.id);
        state.open -= 1;
        if state.open == 0 {
            state.idle_since = Instant::now();
        }
    }
}
