//! Asks a plan's targets until one begins to answer.

#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;

use outcrop_access::Context;
use outcrop_api::Fault;
use outcrop_providers::Failure;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::backoff;
use super::failed::{Failures, late};
use super::lease::{Lease, Shut};
use super::plan::Plan;
use super::target::Target;
use crate::begin::stopping;

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

impl Plan {
    /// Puts the call to the first target, and to the next where that fails in a way in which another may not. When all
    /// have failed there is another round, after a pause, for those that may answer then: while the route's retries
    /// and its budget last. Nothing of an answer has been sent while this runs.
    pub async fn attempt<T, F, Fut>(&self, cx: &Context, run: F) -> Result<Served<T>, Fault>
    where
        F: Fn(Arc<Target>) -> Fut,
        Fut: Future<Output = Result<T, Failure>>,
    {
        let policy = &self.route.policy;
        self.route.budget.deposit(policy.retry_share);
        let mut failures = Failures::default();
        let fresh = |target| Candidate { target, asked: false, out: false, not_before: None };
        let mut candidates: Vec<Candidate<'_>> = self.candidates.iter().map(fresh).collect();
        for round in 0..=policy.retries {
            if round > 0 && !self.pause(cx, round, &candidates).await? {
                break;
            }
            for candidate in candidates.iter_mut().filter(|c| !c.out) {
                if candidate.not_before.is_some_and(|at| Instant::now() < at) {
                    continue;
                }
                let mut lease = match Lease::take(candidate.target, self.tokens, &policy.breaker) {
                    Ok(lease) => lease,
                    Err(Shut::Open(left)) => {
                        failures.open(left);
                        continue;
                    }
                    Err(Shut::Full) => {
                        failures.full();
                        continue;
                    }
                };
                // Another target is no repetition: it has a load of its own.
                if candidate.asked && !self.route.budget.withdraw() {
                    return Err(failures.fault());
                }
                candidate.asked = true;
                failures.made += 1;
                let asked = timeout_at(self.limit(candidate.target), run(Arc::clone(candidate.target)));
                let answer = tokio::select! {
                    biased;
                    answer = asked => answer.unwrap_or_else(|_| Err(late())),
                    () = cx.cancel.cancelled() => return Err(stopping()),
                };
                let failure = match answer {
                    Ok(output) => {
                        lease.begun();
                        let target = Arc::clone(candidate.target);
                        return Ok(Served { output, target, lease, attempts: failures.made });
                    }
                    Err(failure) => failure,
                };
                tracing::info!(
                    target = %candidate.target.name,
                    cause = ?failure.cause,
                    ms = lease.elapsed().as_millis() as u64,
                    attempt = failures.made,
                    "an attempt failed"
                );
                lease.refused(&failure);
                drop(lease);
                let long = failure.retry_after.is_some_and(|wait| wait > policy.longest_pause);
                candidate.out = long || !failure.cause.may_pass();
                candidate.not_before = failure.retry_after.map(|wait| Instant::now() + wait);
                let last = !failure.cause.others_may();
                failures.push(failure);
                if last || Instant::now() >= self.deadline {
                    return Err(failures.fault());
                }
            }
        }
        Err(failures.fault())
    }

    /// When an attempt that is made now is given up.
    fn limit(&self, target: &Target) -> Instant {
        match self.stream && !target.local() {
            true => self.deadline.min(Instant::now() + self.route.policy.first_token),
            false => self.deadline,
        }
    }

    /// Waits before round `round`. False where that makes no sense any more.
    async fn pause(&self, cx: &Context, round: u32, candidates: &[Candidate<'_>]) -> Result<bool, Fault> {
        let asked = candidates.iter().filter(|c| c.asked && !c.out);
        // Of those that asked to be left alone, the first that may be asked.
        let Some(soonest) = asked.map(|c| c.not_before).min() else { return Ok(false) };
        let until = Instant::now() + backoff::pause(round, self.route.policy.longest_pause);
        let until = soonest.map_or(until, |at| at.max(until));
        if until >= self.deadline {
            return Ok(false);
        }
        tokio::select! {
            () = sleep_until(until) => Ok(true),
            () = cx.cancel.cancelled() => Err(stopping()),
        }
    }
}

impl<T> Served<T> {
    /// The same with another output.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Served<U> {
        Served { output: with(self.output), target: self.target, lease: self.lease, attempts: self.attempts }
    }
}
