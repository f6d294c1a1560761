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
    /// Whether the thread has nothing to do and waits.
    idle: bool,
    /// Whether the thread was asked to leave when it had nothing to do.
    dismissed: bool,
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
        let state = State { waiting: Default::default(), open: false, closing: false, idle: false, dismissed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), attention: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread begins to serve.
    pub(super) fn open(&self) {
        let mut state = self.lock();
        state.open = true;
        state.dismissed = false;
    }

    /// Asks the thread to leave now if it has nothing to do. Answers whether it does.
    pub(super) fn dismiss(&self) -> bool {
        let mut state = self.lock();
        let free = state.open && !state.closing && state.idle && state.waiting.iter().all(VecDeque::is_empty);
        if free {
            state.dismissed = true;
            self.changed.notify_one();
        }
        free
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

    /// Blocks until a job is there. After `idle` without one, or when dismissed, the queue is no longer served, and
    /// `leave` runs before any caller can see that.
    pub(super) fn wait(&self, idle: Duration, leave: impl FnOnce()) -> Woken {
        let mut state = self.lock();
        state.idle = true;
        let nothing =
            |state: &mut State<J>| !state.closing && !state.dismissed && state.waiting.iter().all(VecDeque::is_empty);
        let (mut state, _) =
            self.changed.wait_timeout_while(state, idle, nothing).unwrap_or_else(PoisonError::into_inner);
        self.attention.store(false, Ordering::Release);
        state.idle = false;
        // Who came in the meantime is answered, whatever was asked of the thread.
        state.dismissed = false;
        if state.closing {
            Woken::Closing
        } else if state.waiting.iter().all(VecDeque::is_empty) {
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
