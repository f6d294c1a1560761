//! One limit's money in this process: what was leased from the store, spent, and reserved by calls in flight.
//!
//! The store's counter is the sum of what all processes have leased; what is leased and not spent can be spent without
//! asking. `total` is what counts against the limit: others' leases, which may all be spent, and this process's own
//! spending. Every decision is a few sums under a lock that is never held for longer.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long the store's last word counts where it stands in a call's way: another process may have given back.
const FRESH: Duration = Duration::from_secs(1);

/// The state of one counter.
pub(super) struct Purse {
    /// Which of its budget's.
    pub(super) value: Box<str>,
    /// Whoever waits for a lease is woken.
    pub(super) done: Notify,
    state: Mutex<State>,
    /// What running calls have taken so far, as far as they said.
    noted: AtomicI64,
    /// [`State::total`], to be read without the lock.
    total: AtomicI64,
}

/// The sums, each in the limit's unit.
pub(super) struct State {
    /// The store's counter, when it was last heard of.
    pub(super) counter: i64,
    /// What of it is this process's.
    pub(super) leased: i64,
    /// What this process has spent.
    pub(super) spent: i64,
    /// What calls in flight may still take.
    pub(super) reserved: i64,
    /// What those that wait for a lease would reserve.
    pub(super) waiting: i64,
    /// What is leased at a time.
    pub(super) block: i64,
    /// A lease is under way, since then.
    pub(super) leasing: Option<Instant>,
    /// When the last one ended, and why it failed if it did.
    pub(super) asked: Instant,
    pub(super) failed: Option<String>,
    /// When a call was last let in.
    pub(super) used: Instant,
    /// Nobody will spend here any more: what is left goes back.
    pub(super) retired: bool,
    /// Calls that were let in without a price.
    pub(super) unpriced: u64,
    /// The greatest mark at which somebody was told.
    told: i64,
    cut: CancellationToken,
}

/// What becomes of a call.
pub(super) enum Take {
    /// It is let in. `low`: the lease is running out.
    Taken { cut: CancellationToken, low: bool },
    /// The store has to be asked.
    Lease,
    /// All is spent.
    Spent { total: i64 },
    /// What is left is reserved.
    Reserved { left: i64, reserved: i64 },
}

impl State {
    /// What may be reserved without asking the store.
    pub(super) fn free(&self) -> i64 {
        self.leased.saturating_sub(self.spent).saturating_sub(self.reserved)
    }

    /// What counts as spent, of all processes.
    pub(super) fn total(&self) -> i64 {
        self.counter.saturating_sub(self.leased).saturating_add(self.spent)
    }
}

impl Purse {
    /// One whose counter is known to be at `counter`.
    pub(super) fn new(value: &str, counter: i64) -> Self {
        let now = Instant::now();
        let state = State {
            counter,
            leased: 0,
            spent: 0,
            reserved: 0,
            waiting: 0,
            block: 0,
            leasing: None,
            asked: now,
            failed: None,
            used: now,
            retired: false,
            unpriced: 0,
            told: 0,
            cut: CancellationToken::new(),
        };
        Self {
            value: value.into(),
            done: Notify::new(),
            state: Mutex::new(state),
            noted: AtomicI64::new(0),
            total: AtomicI64::new(counter),
        }
    }

    /// The sums; not to be held for longer than it takes to add them up.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, and what follows from them is put in force.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let out = change(&mut state);
        self.total.store(state.total(), Ordering::Relaxed);
        out
    }

    /// Reserves `most` under `limit`, if that can be said here.
    pub(super) fn take(&self, most: i64, limit: i64) -> Take {
        let mut state = self.state();
        let now = Instant::now();
        let stale = now.saturating_duration_since(state.asked) > FRESH && state.counter > state.leased;
        let left = limit.saturating_sub(state.total());
        if left <= 0 {
            return if stale { Take::Lease } else { Take::Spent { total: state.total() } };
        }
        // Whoever fits is let in. So is one who does not, where nobody else is in flight: it alone may overrun.
        if most > left.saturating_sub(state.reserved) && state.reserved > 0 {
            return if stale { Take::Lease } else { Take::Reserved { left, reserved: state.reserved } };
        }
        if most > state.free() {
            return Take::Lease;
        }
        // Even a call that is said to cost nothing is one that is in flight.
        state.reserved = state.reserved.saturating_add(most);
        state.used = now;
        let low = state.free() < state.block / 4 && state.leasing.is_none() && state.counter < limit;
        let backing_off = state.failed.is_some() && now.saturating_duration_since(state.asked) < FRESH;
        Take::Taken { cut: state.cut.clone(), low: low && !backing_off }
    }

    /// Ends a call that had reserved `most`, said that it had taken `noted`, and took `spent`. Says which of `marks`
    /// were passed for the first time, and whether the store's counter should be corrected.
    pub(super) fn settle(&self, most: i64, noted: i64, spent: i64, limit: i64, marks: &[i64]) -> (Vec<usize>, bool) {
        // First down, then up: for a moment it is less than it was, and nobody is cut for what was counted twice.
        self.noted.fetch_sub(noted, Ordering::Relaxed);
        self.change(|state| {
            state.reserved = state.reserved.saturating_sub(most);
            state.spent = state.spent.saturating_add(spent);
            let total = state.total();
            let passed = marks.iter().enumerate().filter(|(_, mark)| state.told < **mark && **mark <= total);
            let passed: Vec<usize> = passed.map(|(index, _)| index).collect();
            state.told = passed.iter().fold(state.told, |told, index| told.max(marks[*index]));
            let free = state.free();
            let excess = free > 0 && (state.counter > limit || state.retired);
            (passed, (free < 0 || excess) && state.leasing.is_none())
        })
    }

    /// A running call has taken `more`. True where that and all that was spent reaches `hard`.
    pub(super) fn note(&self, more: i64, hard: i64) -> bool {
        let noted = self.noted.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        noted.saturating_add(self.total.load(Ordering::Relaxed)) >= hard
    }

    /// Ends all calls that run now.
    pub(super) fn cut(&self) {
        let running = std::mem::take(&mut self.state().cut);
        running.cancel();
    }
}
