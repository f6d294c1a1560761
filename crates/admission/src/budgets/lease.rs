//! Leases: what is spent was taken from the store's counter before.
//!
//! One at a time for each purse, in a task of its own, so that what the store grants late is not lost with the caller
//! that stopped waiting for it. An amount whose fate is unknown counts as spent.

use std::sync::Arc;
use std::time::Duration;

use outcrop_store::{Batch, Error, Op, Outcome, Scope, Store};
use tokio::time::Instant;

use super::purse::{Purse, State};

/// A lease that was used up sooner is followed by a greater one, one that lasted longer by a smaller one.
const SOON: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(30);
/// Steps for one lease: a refusal of the store teaches what its counter is, and the next step goes by that.
const STEPS: usize = 5;

/// Where a purse's counter is, and what it may come to.
#[derive(Clone)]
pub(super) struct Counter {
    pub(super) store: Arc<dyn Store>,
    pub(super) name: String,
    pub(super) limit: i64,
}

/// Why the store is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// A call waits that may take so much.
    Need(i64),
    /// The lease runs out.
    Ahead,
    /// More was spent than leased, or more is leased than may be spent.
    Correct,
    /// Nobody spends here now.
    Release,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Take so much, within the limit.
    Lease(i64),
    /// Take so much although it goes over the limit, if the counter is still below it.
    Overrun(i64),
    /// The same whatever the counter is: it is the end of a lease that this process has, or was spent already.
    Book(i64),
    /// Give so much back; it is no longer this process's.
    Return(i64),
    /// Only look.
    Look,
    Nothing,
}

/// The scope of what belongs to the whole server.
pub(super) fn scope() -> Scope {
    Scope::new("", "")
}

/// Begins to lease, unless that is under way. Since when it is.
pub(super) fn begin(counter: &Counter, purse: &Arc<Purse>, why: Why, handle: &tokio::runtime::Handle) -> Instant {
    let now = Instant::now();
    {
        let mut state = purse.state();
        if let Some(since) = state.leasing {
            return since;
        }
        state.leasing = Some(now);
    }
    let (counter, purse) = (counter.clone(), Arc::clone(purse));
    handle.spawn(async move { run(&counter, &purse, why).await });
    now
}

/// Gives back what is leased and not in use, and waits until that is done.
pub(super) async fn release(counter: &Counter, purse: &Arc<Purse>) {
    loop {
        let done = purse.done.notified();
        tokio::pin!(done);
        done.as_mut().enable();
        {
            let mut state = purse.state();
            if state.leasing.is_none() {
                if state.free() <= 0 {
                    return;
                }
                state.leasing = Some(Instant::now());
                break;
            }
        }
        done.await;
    }
    run(counter, purse, Why::Release).await;
}

async fn run(counter: &Counter, purse: &Purse, why: Why) {
    let (mut failed, mut heard) = (None, false);
    for _ in 0..STEPS {
        let step = purse.change(|state| next(state, counter.limit, why));
        if step == Step::Nothing || (step == Step::Look && heard) {
            break;
        }
        match step.ask(counter).await {
            Ok(value) => purse.change(|state| granted(state, step, value)),
            Err(Error::OutOfBounds { value, .. }) => purse.change(|state| state.counter = value),
            Err(error) => {
                tracing::error!(%error, counter = counter.name, "a budget's counter cannot be written");
                purse.change(|state| refused(state, step, &error));
                failed = Some(error.to_string());
                break;
            }
        }
        heard = true;
        if why == Why::Ahead && purse.state().free() > 0 {
            break;
        }
    }
    let mut state = purse.state();
    state.leasing = None;
    state.asked = Instant::now();
    state.failed = failed;
    drop(state);
    purse.done.notify_waiters();
}

/// What to do next.
fn next(state: &mut State, limit: i64, why: Why) -> Step {
    let (free, room) = (state.free(), limit.saturating_sub(state.counter));
    if free < 0 {
        return Step::Book(free.saturating_neg());
    }
    let give = match why {
        Why::Need(_) | Why::Ahead => 0,
        Why::Correct if state.retired => free,
        Why::Correct => free.min(room.saturating_neg()),
        Why::Release => free,
    };
    if give > 0 {
        // From here on nobody spends it, whatever becomes of the commit.
        state.leased = state.leased.saturating_sub(give);
        state.counter = state.counter.saturating_sub(give);
        return Step::Return(give);
    }
    let (most, left) = match why {
        Why::Need(most) => (most, limit.saturating_sub(state.total())),
        Why::Ahead => (0, room),
        Why::Correct | Why::Release => return Step::Nothing,
    };
    let fits = most <= left.saturating_sub(state.reserved);
    if why == Why::Ahead && (room <= 0 || !fits) {
        return Step::Nothing;
    }
    if left <= 0 || (!fits && state.reserved > 0) {
        return Step::Look;
    }
    let must = most.saturating_sub(free).max(0);
    if must == 0 && why != Why::Ahead {
        return Step::Nothing;
    }
    if fits {
        // Half of what is left at the most, so that others may have some, but no crumbs.
        let half = (room / 2).max(limit / 200);
        let wanted = state.block(limit, most).max(state.waiting.saturating_sub(free));
        let by = wanted.min(half).max(must).min(room);
        return if by > 0 { Step::Lease(by) } else { Step::Nothing };
    }
    if free > 0 { Step::Book(must) } else { Step::Overrun(must) }
}

impl State {
    /// How much to lease at a time: a hundredth of the limit, more where calls are great or come fast.
    fn block(&mut self, limit: i64, most: i64) -> i64 {
        let least = (limit / 100).max(1).max(most.saturating_mul(2));
        let greatest = (limit / 10).max(1);
        let since = Instant::now().saturating_duration_since(self.asked);
        let block = if since < SOON {
            self.block.saturating_mul(2)
        } else if since > LONG {
            self.block / 2
        } else {
            self.block
        };
        self.block = block.max(least).min(greatest);
        self.block
    }
}

/// The store did `step`, and its counter is at `value`.
fn granted(state: &mut State, step: Step, value: i64) {
    state.counter = value;
    match step {
        Step::Lease(by) | Step::Overrun(by) | Step::Book(by) => state.leased = state.leased.saturating_add(by),
        Step::Return(_) | Step::Look | Step::Nothing => {}
    }
}

/// The store did not do `step`, or nobody knows.
fn refused(state: &mut State, step: Step, error: &Error) {
    if let Step::Return(amount) = step {
        state.counter = state.counter.saturating_add(amount);
        // A store that closes may have done it all the same.
        if !matches!(error, Error::Closed) {
            state.leased = state.leased.saturating_add(amount);
        }
    }
}

impl Step {
    async fn ask(self, counter: &Counter) -> Result<i64, Error> {
        let Counter { store, name, limit } = counter;
        let add = |by, max| Op::Add { scope: scope(), counter: name.clone(), by, min: i64::MIN, max };
        let batch = match self {
            Self::Lease(by) => Batch::from(add(by, *limit)),
            // The first step fails where nothing is left, and with it the second.
            Self::Overrun(by) => Batch::new([add(1, *limit), add(by.saturating_sub(1), i64::MAX)]),
            Self::Book(by) => Batch::from(add(by, i64::MAX)),
            Self::Return(by) => Batch::from(add(by.saturating_neg(), i64::MAX)),
            Self::Look | Self::Nothing => return store.counter(scope(), name.clone()).await,
        };
        match store.commit(batch).await?.outcomes().last() {
            Some(Outcome::Counter(value)) => Ok(*value),
            _ => Err(Error::Closed),
        }
    }
}
