//! Claims rows and has them worked on.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use outcrop_store::{Claim, Error, Op, Outcome, Store};
use tokio::sync::{Notify, Semaphore};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::held::Place;
use crate::{Held, Lost, Task};

/// How soon a task is tried again after its first failure; twice as late after each further one.
const BACK_OFF: Duration = Duration::from_secs(2);
/// The latest that it is tried again.
const BACK_OFF_MOST: Duration = Duration::from_secs(300);
/// How many times as many tasks as work at once are held at most, the others [aside](Held::aside).
const HELD: usize = 16;

/// Does the tasks of a queue.
#[async_trait]
pub trait Worker: Send + Sync + 'static {
    /// Does a task, or goes on with it where its checkpoint is. Whatever it does is done twice where the process dies
    /// before the next checkpoint.
    async fn work(&self, held: &Held) -> Ended;
}

/// How work on a task ended.
#[derive(Debug)]
pub enum Ended {
    /// It is done; these steps are taken in the transaction that removes it.
    Done(Vec<Op>),
    /// It is to be tried again later, and why.
    Again(String),
}

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Tasks of the queue.
    pub at_once: NonZeroUsize,
    /// Of them, tasks of one account.
    pub per_account: NonZeroUsize,
    /// How long a task stays with a worker of which nothing is heard: how late a task of a dead process is resumed.
    pub lease: Duration,
}

/// Runs one queue. Cheap to clone.
#[derive(Clone)]
pub struct Runner {
    store: Arc<dyn Store>,
    queue: &'static str,
    limits: Limits,
    wake: Arc<Notify>,
}

impl Runner {
    /// A runner of a queue, which does nothing until it runs.
    pub fn new(store: Arc<dyn Store>, queue: &'static str, limits: Limits) -> Self {
        Self { store, queue, limits, wake: Arc::default() }
    }

    /// The queue's name.
    pub fn queue(&self) -> &'static str {
        self.queue
    }

    /// Tells that a row was enqueued. Without it the row waits for the runner's next look, up to half a lease.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Has rows worked on until `stop`; then cancels what is under way and waits for it to end.
    pub async fn run(&self, worker: Arc<dyn Worker>, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        let mut accounts = UnderWay::new();
        let cancel = stop.child_token();
        let at_once = self.limits.at_once.get();
        let places = Arc::new(Semaphore::new(at_once));
        while !stop.is_cancelled() {
            while tasks.len() < at_once.saturating_mul(HELD)
                && let Ok(place) = Arc::clone(&places).try_acquire_owned()
            {
                let place = Arc::new(Place::new(place, Arc::clone(&self.wake)));
                let Some(held) = self.claim(&accounts, &cancel, &place).await else { break };
                let (worker, account) = (Arc::clone(&worker), held.task().account);
                let every = self.limits.lease / 3;
                let started = tasks.spawn(async move { attend(&*worker, held, every).await });
                accounts.insert(started.id(), (account, place));
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(self.limits.lease / 2) => {}
                Some(ended) = tasks.join_next_with_id() => forget(&mut accounts, ended),
            }
        }
        while let Some(ended) = tasks.join_next_with_id().await {
            forget(&mut accounts, ended);
        }
    }

    /// The next task that may begin. One whose account has enough under way is put off, so that others are found.
    async fn claim(&self, under_way: &UnderWay, cancel: &CancellationToken, place: &Arc<Place>) -> Option<Held> {
        loop {
            let claim = Op::Claim { queue: self.queue.to_owned(), lease: self.limits.lease };
            let Claim { lease, body } = match self.store.commit(claim.into()).await {
                Ok(receipt) => match receipt.outcomes().into_iter().next() {
                    Some(Outcome::Claim(Some(claim))) => claim,
                    _ => return None,
                },
                Err(error) => {
                    tracing::warn!(queue = self.queue, %error, "cannot look for work");
                    return None;
                }
            };
            let task: Task = match serde_json::from_slice(&body) {
                Ok(task) => task,
                Err(error) => {
                    // It is kept for a version that can read it; it is met again when its lease has run out.
                    tracing::error!(queue = self.queue, row = lease.row, %error, "a task cannot be read");
                    continue;
                }
            };
            let works = |(account, place): &&(String, Arc<Place>)| *account == task.account && place.is_taken();
            let busy = under_way.values().filter(works).count();
            let (cancel, place) = (cancel.child_token(), Arc::clone(place));
            let held = Held::new(Arc::clone(&self.store), lease, self.limits.lease, task, cancel, place);
            let begins = busy < self.limits.per_account.get();
            let done = if begins { held.begin().await } else { held.pass(self.limits.lease / 2).await };
            match done {
                Ok(()) if begins => return Some(held),
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(queue = self.queue, %error, "cannot begin a task, or put it off");
                    return None;
                }
            }
        }
    }
}

/// The tasks that are held: whose each is, and its place.
type UnderWay = HashMap<Id, (String, Arc<Place>)>;

fn forget(accounts: &mut UnderWay, ended: Result<(Id, ()), tokio::task::JoinError>) {
    let id = match ended {
        Ok((id, ())) => id,
        Err(error) => {
            tracing::error!(%error, "a worker ended abruptly");
            error.id()
        }
    };
    accounts.remove(&id);
}

/// Works on a task and keeps it meanwhile.
async fn attend(worker: &dyn Worker, held: Held, every: Duration) {
    let keep = async {
        loop {
            tokio::time::sleep(every).await;
            match held.renew().await {
                Ok(()) => {}
                Err(Lost::Lease) => std::future::pending().await,
                Err(Lost::Store(error)) => tracing::warn!(%error, "cannot renew a lease"),
            }
        }
    };
    let ended = tokio::select! {
        ended = worker.work(&held) => ended,
        () = keep => return,
    };
    let stopped = held.cancelled().is_cancelled();
    let told = match ended {
        Ended::Done(ops) => held.complete(ops).await.map_err(|lost| lost.to_string()),
        Ended::Again(reason) => Err(reason),
    };
    let Err(reason) = told else { return };
    let failures = held.task().failures;
    let wait = if stopped { Duration::ZERO } else { back_off(failures) };
    if !stopped {
        tracing::warn!(reason, failures, ?wait, "a task is tried again later");
    }
    match held.put_off(wait, !stopped).await {
        // Whoever has it now goes on with it.
        Ok(()) | Err(Lost::Lease | Lost::Store(Error::Closed)) => {}
        Err(Lost::Store(error)) => tracing::warn!(%error, "a task waits for its lease to run out"),
    }
}

/// Twice as long with every failure, and some of it by chance, so that what failed together is not tried together.
fn back_off(failures: u32) -> Duration {
    let whole = BACK_OFF.saturating_mul(1 << failures.min(16)).min(BACK_OFF_MOST);
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}
