//! What passes between callers and a model's thread.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::generate::Priority;

/// Jobs that wait for a sequence, by priority. How many may wait is bounded by the permits that jobs carry.
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
    /// Set when there is something to look at, so that a busy thread need not take the lock at every token.
    attention: AtomicBool,
}

struct State<J> {
    waiting: [VecDeque<J>; 3],
    /// Whether a thread serves the queue.
    open: bool,
    closing: bool,
}

/// What ended a wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// A job is there.
    Work,
    /// Nobody came; the queue is no longer served.
    Idle,
    /// The engine is going away.
    Closing,
}

impl<J> Queue<J> {
    pub(super) fn new() -> Self {
        let state = State { waiting: Default::default(), open: false, closing: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), attention: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread begins to serve.
    pub(super) fn open(&self) {
        self.lock().open = true;
    }

    /// Hands a job over, or back where no thread serves any more.
    pub(super) fn push(&self, job: J, priority: Priority) -> Result<(), J> {
        let mut state = self.lock();
        if !state.open || state.closing {
            return Err(job);
        }
        state.waiting[priority as usize].push_back(job);
        self.attention.store(true, Ordering::Release);
        self.changed.notify_one();
        Ok(())
    }

    /// The next job: the highest priority, the oldest of it.
    pub(super) fn take(&self) -> Option<J> {
        self.lock().waiting.iter_mut().find_map(VecDeque::pop_front)
    }

    /// Lets go of the jobs whose callers have.
    pub(super) fn forget(&self, abandoned: impl Fn(&J) -> bool) {
        for waiting in &mut self.lock().waiting {
            waiting.retain(|job| !abandoned(job));
        }
    }

    /// Whether something changed since the last look.
    pub(super) fn attention(&self) -> bool {
        self.attention.swap(false, Ordering::Acquire)
    }

    pub(super) fn closing(&self) -> bool {
        self.lock().closing
    }

    /// No more jobs; those that wait are dropped by the thread or here.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        if !state.open {
            state.waiting = Default::default();
        }
        self.attention.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// The thread stops serving for whatever reason: drops what waits.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.open = false;
        state.waiting = Default::default();
    }

    /// Blocks until a job is there. After `idle` without one the queue is no longer served, and `leave` runs
    /// before any caller can see that.
    pub(super) fn wait(&self, idle: Duration, leave: impl FnOnce()) -> Woken {
        let state = self.lock();
        let nothing = |state: &mut State<J>| !state.closing && state.waiting.iter().all(VecDeque::is_empty);
        let (mut state, waited) =
            self.changed.wait_timeout_while(state, idle, nothing).unwrap_or_else(PoisonError::into_inner);
        self.attention.store(false, Ordering::Release);
        if state.closing {
            Woken::Closing
        } else if waited.timed_out() && state.waiting.iter().all(VecDeque::is_empty) {
            state.open = false;
            leave();
            Woken::Idle
        } else {
            Woken::Work
        }
    }
}

#[cfg(test)]
mod tests;
