//! Asks a plan's targets until one begins to answer.

mod hedge;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;

use outcrop_access::Context;
use outcrop_api::Fault;
use outcrop_providers::Failure;
use outcrop_telemetry::trace;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::backoff;
use super::failed::{Failures, late};
use super::lease::{Lease, Shut};
use super::plan::Plan;
use super::slot::Slot;
use super::target::Target;
use crate::begin::stopping;
use hedge::Asked;

/// An answer that has begun, and by whom.
pub struct Served<T> {
    /// The answer.
    pub output: T,
    /// Who gives it.
    pub target: Arc<Target>,
    /// Its hold on the target; to be kept as long as the answer lasts.
    pub lease: Lease,
    /// How many attempts it took.
    pub attempts: u32,
    /// A second target was asked before the first had failed.
    pub hedged: bool,
}

/// A candidate, and what this call has learnt of it.
struct Candidate<'a> {
    target: &'a Arc<Target>,
    /// It was asked.
    asked: bool,
    /// Asking it again would bring nothing.
    out: bool,
    /// It asked to be left alone until then.
    not_before: Option<Instant>,
}

/// What one attempt came to.
struct Reached<T> {
    at: usize,
    lease: Lease,
    answer: Result<T, Failure>,
}

impl Plan {
    /// Puts the call to the first target, and to the next where that fails in a way in which another may not. When all
    /// have failed there is another round, after a pause, for those that may answer then: while the route's retries
    /// and its budget last. Nothing of an answer has been sent while this runs.
    pub async fn attempt<T, F, Fut>(&self, cx: &Context, run: F) -> Result<Served<T>, Fault>
    where
        F: Fn(Arc<Target>) -> Fut,
        Fut: Future<Output = Result<T, Failure>>,
    {
        tokio::select! {
            biased;
            served = self.rounds(run) => served,
            () = cx.cancel.cancelled() => Err(stopping()),
        }
    }

    async fn rounds<T, F, Fut>(&self, run: F) -> Result<Served<T>, Fault>
    where
        F: Fn(Arc<Target>) -> Fut,
        Fut: Future<Output = Result<T, Failure>>,
    {
        let policy = &self.route.policy;
        self.route.budget.deposit(policy.retry_share);
        let mut failures = Failures::default();
        let mut hedged = false;
        let fresh = |target| Candidate { target, asked: false, out: false, not_before: None };
        let mut candidates: Vec<Candidate<'_>> = self.candidates.iter().map(fresh).collect();
        for round in 0..=policy.retries {
            if round > 0 && !self.pause(round, &candidates).await {
                break;
            }
            for at in 0..candidates.len() {
                let again = candidates[at].asked;
                // A hedge may have asked it in this round.
                let skip = candidates[at].out || (round == 0 && again);
                if skip || candidates[at].not_before.is_some_and(|at| Instant::now() < at) {
                    continue;
                }
                let Some(lease) = self.lease(candidates[at].target, &mut failures) else { continue };
                // Another target is no repetition: it has a load of its own.
                if again && !self.route.budget.withdraw() {
                    return Err(failures.fault());
                }
                let asked = match round {
                    0 => self.hedged(&mut candidates, at, lease, &run, &mut failures).await,
                    _ => Asked::one(self.ask(at, lease, &run, &mut failures).await),
                };
                hedged |= asked.hedged;
                for reached in [Some(asked.reached), asked.other].into_iter().flatten() {
                    let Reached { at, lease, answer } = reached;
                    match answer {
                        Ok(output) => {
                            let (target, attempts) = (Arc::clone(lease.target()), failures.made);
                            return Ok(Served { output, target, lease, attempts, hedged });
                        }
                        Err(failure) => {
                            if !self.learn(&mut candidates[at], lease, failure, &mut failures) {
                                return Err(failures.fault());
                            }
                        }
                    }
                }
            }
            // Nobody has room: wait for it, once.
            if failures.made == 0
                && let Some((at, lease)) = self.queue(&candidates, &mut failures).await
            {
                let Reached { at, lease, answer } = self.ask(at, lease, &run, &mut failures).await;
                match answer {
                    Ok(output) => {
                        let (target, attempts) = (Arc::clone(lease.target()), failures.made);
                        return Ok(Served { output, target, lease, attempts, hedged });
                    }
                    Err(failure) => {
                        candidates[at].asked = true;
                        if !self.learn(&mut candidates[at], lease, failure, &mut failures) {
                            return Err(failures.fault());
                        }
                    }
                }
            }
        }
        Err(failures.fault())
    }

    fn lease(&self, target: &Arc<Target>, failures: &mut Failures) -> Option<Lease> {
        match Lease::take(target, self.tokens, &self.route.policy.breaker) {
            Ok(lease) => Some(lease),
            Err(Shut::Open(left)) => {
                failures.open(left);
                None
            }
            Err(Shut::Full) => {
                failures.full();
                None
            }
        }
    }

    /// One attempt.
    async fn ask<T, F, Fut>(&self, at: usize, mut lease: Lease, run: &F, failures: &mut Failures) -> Reached<T>
    where
        F: Fn(Arc<Target>) -> Fut,
        Fut: Future<Output = Result<T, Failure>>,
    {
        failures.made += 1;
        let target = Arc::clone(lease.target());
        self.attempts.made(&target);
        let limit = self.limit(&target);
        let answer = trace::within(lease.trace.clone(), timeout_at(limit, run(target))).await;
        let answer = answer.unwrap_or_else(|_| Err(late()));
        match &answer {
            Ok(_) => lease.begun(),
            Err(failure) => lease.refused(failure),
        }
        Reached { at, lease, answer }
    }

    /// Remembers why a candidate failed. False where nobody else need be asked.
    fn learn(&self, candidate: &mut Candidate<'_>, lease: Lease, failure: Failure, failures: &mut Failures) -> bool {
        candidate.asked = true;
        tracing::info!(
            asked = %candidate.target.name,
            cause = ?failure.cause,
            ms = lease.elapsed().as_millis() as u64,
            attempt = failures.made,
            "an attempt failed"
        );
        let long = failure.retry_after.is_some_and(|wait| wait > self.route.policy.longest_pause);
        candidate.out = long || !failure.cause.may_pass();
        candidate.not_before = failure.retry_after.map(|wait| Instant::now() + wait);
        let last = !failure.cause.others_may();
        failures.push(failure);
        !last && Instant::now() < self.deadline
    }

    /// When an attempt that is made now is given up.
    fn limit(&self, target: &Target) -> Instant {
        let policy = &self.route.policy;
        let patience = match self.stream {
            _ if target.local() => return self.deadline,
            true => policy.first_token,
            // Nothing is seen of a whole answer until it is there: too long is only what somebody else may do sooner.
            false if self.candidates.len() > 1 => policy.whole,
            false => return self.deadline,
        };
        self.deadline.min(Instant::now() + patience)
    }

    /// Waits before round `round`. False where that makes no sense any more.
    async fn pause(&self, round: u32, candidates: &[Candidate<'_>]) -> bool {
        let asked = candidates.iter().filter(|c| c.asked && !c.out);
        // Of those that asked to be left alone, the first that may be asked.
        let Some(soonest) = asked.map(|c| c.not_before).min() else { return false };
        let until = Instant::now() + backoff::pause(round, self.route.policy.longest_pause);
        let until = soonest.map_or(until, |at| at.max(until));
        if until >= self.deadline {
            return false;
        }
        sleep_until(until).await;
        true
    }

    /// Waits for a place at the first candidate that is full.
    async fn queue(&self, candidates: &[Candidate<'_>], failures: &mut Failures) -> Option<(usize, Lease)> {
        let policy = &self.route.policy;
        let full = |(_, c): &(usize, &Candidate<'_>)| c.target.full();
        let (at, candidate) = candidates.iter().enumerate().find(full)?;
        let until = self.deadline.min(Instant::now() + policy.queue);
        let place = Slot::wait(&candidate.target.state, candidate.target.max_concurrent?, self.priority);
        let slot = timeout_at(until, place).await.ok().flatten()?;
        match Lease::with(slot, candidate.target, self.tokens, &policy.breaker) {
            Ok(lease) => Some((at, lease)),
            Err(_) => {
                failures.full();
                None
            }
        }
    }
}
