//! A second attempt where the first is slow to begin: whoever begins first answers, the other is dropped.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use outcrop_providers::Failure;

use super::{Candidate, Reached};
use crate::routing::failed::Failures;
use crate::routing::lease::Lease;
use crate::routing::plan::Plan;
use crate::routing::target::Target;

/// So many attempts must be known before one of them can be called slow.
const KNOWN: u32 = 20;

/// What one attempt, or two beside each other, came to.
pub(super) struct Asked<T> {
    /// Who was first to begin, or failed first.
    pub reached: Reached<T>,
    /// The other, where both failed or the first to end did.
    pub other: Option<Reached<T>>,
    /// There were two.
    pub hedged: bool,
}

impl<T> Asked<T> {
    pub(super) fn one(reached: Reached<T>) -> Self {
        Self { reached, other: None, hedged: false }
    }
}

impl Plan {
    /// Asks candidate `at`, and, where the route hedges and it is slow, the next one beside it.
    pub(super) async fn hedged<T, F, Fut>(
        &self,
        candidates: &mut [Candidate<'_>],
        at: usize,
        lease: Lease,
        run: &F,
        failures: &mut Failures,
    ) -> Asked<T>
    where
        F: Fn(Arc<Target>) -> Fut,
        Fut: Future<Output = Result<T, Failure>>,
    {
        let Some(hedge) = self.route.policy.hedge else {
            return Asked::one(self.ask(at, lease, run, failures).await);
        };
        self.route.hedges.deposit(hedge.share);
        let known = &lease.target().state.first_event;
        let slow = known.quantile(hedge.percentile).filter(|_| known.count() >= KNOWN);
        let next = (at + 1..candidates.len()).find(|at| !candidates[*at].asked);
        let (Some(slow), Some(next)) = (slow, next) else {
            return Asked::one(self.ask(at, lease, run, failures).await);
        };
        let mut made = Failures::default();
        let mut beside_made = Failures::default();
        let mut first = pin!(self.ask(at, lease, run, &mut made));
        tokio::select! {
            biased;
            reached = &mut first => {
                failures.made += 1;
                return Asked::one(reached);
            }
            () = tokio::time::sleep(slow) => {}
        }
        failures.made += 1;
        let beside = self.lease(candidates[next].target, &mut beside_made);
        let Some(beside) = beside.filter(|_| self.route.hedges.withdraw()) else { return Asked::one(first.await) };
        tracing::debug!(asked = %candidates[next].target.name, "asked beside another that is slow");
        candidates[next].asked = true;
        candidates[next].target.variant.hedges.fetch_add(1, Relaxed);
        failures.made += 1;
        let mut second = pin!(self.ask(next, beside, run, &mut beside_made));
        // Where one fails the other may still answer.
        let (reached, other) = tokio::select! {
            biased;
            reached = &mut first => match reached.answer {
                Ok(_) => (reached, None),
                Err(_) => (reached, Some(second.await)),
            },
            reached = &mut second => match reached.answer {
                Ok(_) => (reached, None),
                Err(_) => (reached, Some(first.await)),
            },
        };
        Asked { reached, other, hedged: true }
    }
}
