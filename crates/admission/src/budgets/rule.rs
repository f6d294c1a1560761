//! One budget as configured: whether it lets a call in, and its words when it does not.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use outcrop_api::{Fault, Kind};
use rust_decimal::Decimal;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::account::{Account, Book};
use super::hold::Share;
use super::lease::{self, Counter, Why};
use super::purse::{Purse, Take};
use super::settings::{Budget, Unit, Unpriced, nanos, share_of, whole};
use super::{Mark, Passed, Shared};
use crate::Call;

/// How long a call waits for the store.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// When a call may come again that others in flight keep out.
pub(super) const AGAIN: Duration = Duration::from_secs(1);

/// A budget as configured, with its sums.
pub(super) struct Rule {
    pub(super) budget: Budget,
    pub(super) limit: i64,
    pub(super) hard: i64,
    /// Where somebody is told, ascending: the warnings, and the limit.
    pub(super) marks: Vec<i64>,
    pub(super) account: Arc<Account>,
}

impl Rule {
    pub(super) fn new(budget: Budget, account: Arc<Account>) -> Self {
        let limit = budget.limit.amount();
        let mut marks: Vec<i64> = budget.warn_at.iter().map(|share| share_of(limit, *share)).collect();
        marks.push(limit);
        marks.sort_unstable();
        Self { hard: share_of(limit, budget.hard_limit), limit, marks, account, budget }
    }

    pub(super) fn unit(&self) -> Unit {
        self.budget.limit.unit()
    }

    /// The share of the limit that a mark stands at.
    pub(super) fn share(&self, index: usize) -> Decimal {
        let mut shares: Vec<Decimal> = self.budget.warn_at.clone();
        shares.push(Decimal::ONE);
        shares.sort_unstable();
        shares.get(index).copied().unwrap_or(Decimal::ONE)
    }

    /// The most that `call` may take; none where nobody can say.
    fn most(&self, call: &Call<'_>) -> Option<i64> {
        let most = match self.unit() {
            Unit::Usd => nanos(call.cost?),
            Unit::Tokens => whole(call.input.saturating_add(call.output)),
        };
        // Even a call that costs nothing is one in flight.
        Some(most.max(1))
    }

    /// Reserves what `call` may take. None where it is let in without being counted.
    pub(super) async fn admit(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        call: &Call<'_>,
        value: &str,
    ) -> Result<Option<Share>, Fault> {
        let now = (shared.clock)();
        let mut book = self.account.book(now);
        if !book.is_loaded() {
            book = self.account.loaded(&*shared.store, now).await.map_err(|error| self.unknown(&error.to_string()))?;
        }
        let purse = book.purse(value);
        let Some(most) = self.most(call) else {
            if self.budget.unpriced == Unpriced::Refuse {
                return Err(self.unpriced(call));
            }
            purse.change(|state| state.unpriced += 1);
            return Ok(None);
        };
        let cut = self.take(shared, &book, &purse, most).await?;
        let (shared, rule) = (Arc::clone(shared), Arc::clone(self));
        Ok(Some(Share { shared, rule, book, purse, most, noted: AtomicI64::new(0), cut }))
    }

    async fn take(
        &self,
        shared: &Shared,
        book: &Book,
        purse: &Arc<Purse>,
        most: i64,
    ) -> Result<CancellationToken, Fault> {
        if let Some(cut) = self.try_take(shared, book, purse, most)? {
            return Ok(cut);
        }
        let _waiting = Waiting::new(purse, most);
        let patience = Instant::now() + PATIENCE;
        loop {
            let done = purse.done.notified();
            tokio::pin!(done);
            done.as_mut().enable();
            if let Some(cut) = self.try_take(shared, book, purse, most)? {
                return Ok(cut);
            }
            let since = lease::begin(&self.counter(shared, book, purse), purse, Why::Need(most), &shared.handle);
            // Whoever comes while the store hangs already does not wait as long for it again.
            timeout_at(patience.min(since + PATIENCE), done).await.map_err(|_| self.unknown("it does not answer"))?;
            if let Some(why) = &purse.state().failed {
                return Err(self.unknown(why));
            }
        }
    }

    fn try_take(
        &self,
        shared: &Shared,
        book: &Book,
        purse: &Arc<Purse>,
        most: i64,
    ) -> Result<Option<CancellationToken>, Fault> {
        match purse.take(most, self.limit) {
            Take::Taken { cut, low } => {
                if low {
                    lease::begin(&self.counter(shared, book, purse), purse, Why::Ahead, &shared.handle);
                }
                Ok(Some(cut))
            }
            Take::Lease => Ok(None),
            Take::Spent { total } => Err(self.reached(book, purse, total)),
            Take::Reserved { left, reserved } => Err(self.reserved(purse, most, left, reserved)),
        }
    }

    pub(super) fn counter(&self, shared: &Shared, book: &Book, purse: &Purse) -> Counter {
        shared.counter(book, purse, self.limit)
    }

    pub(super) fn tell(&self, shared: &Shared, book: &Book, purse: &Purse, mark: Mark) {
        let unit = self.unit();
        let passed = Passed {
            budget: self.budget.name.clone(),
            scope: self.budget.matches.scope(&purse.value),
            mark,
            spent: unit.decimal(purse.state().total()),
            limit: unit.decimal(self.limit),
            unit,
            end: book.span.ends,
        };
        tracing::warn!(
            budget = passed.budget,
            scope = ?passed.scope,
            ?mark,
            spent = %passed.spent,
            limit = %passed.limit,
            unit = unit.name(),
            until = %passed.end,
            "a budget has passed a mark"
        );
        if let Some(watcher) = shared.watcher.get() {
            watcher.passed(&passed);
        }
    }
}

/// The caller's words.
impl Rule {
    pub(super) fn whose(&self, purse: &Purse) -> String {
        let scope = self.budget.matches.scope(&purse.value);
        let scope: Vec<_> = scope.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let of = if scope.is_empty() { String::new() } else { format!(" of {}", scope.join(", ")) };
        format!("the budget `{}`{of}", self.budget.name)
    }

    fn reached(&self, book: &Book, purse: &Purse, total: i64) -> Fault {
        let (whose, unit, period) = (self.whose(purse), self.unit(), self.budget.period.name());
        let (spent, limit, end) = (unit.shown(total), unit.shown(self.limit), book.span.ends);
        let text = format!(
            "You have reached a limit: {whose} has spent {spent} of its limit of {limit} a {period}. Calls are refused \
             until {end}, or until the limit is raised."
        );
        Fault::new(Kind::AccessDenied, text)
    }

    fn reserved(&self, purse: &Purse, most: i64, left: i64, reserved: i64) -> Fault {
        let (whose, unit) = (self.whose(purse), self.unit());
        let text = format!(
            "This call may take up to {}, and {whose} has {} left, of which calls in flight have reserved {}. Try again \
             when they are over, or ask for fewer tokens (maxTokens).",
            unit.shown(most),
            unit.shown(left),
            unit.shown(reserved)
        );
        Fault::new(Kind::Throttling, text).after(AGAIN)
    }

    fn unpriced(&self, call: &Call<'_>) -> Fault {
        let text = format!(
            "The model {} has no price, so the budget `{}`, which is in dollars, cannot count it. Give it a price, or \
             let the budget allow models without one (unpriced = \"allow\").",
            call.model, self.budget.name
        );
        Fault::new(Kind::AccessDenied, text)
    }

    fn unknown(&self, why: &str) -> Fault {
        tracing::error!(budget = self.budget.name, why, "a call was refused: the store cannot count it");
        let text = format!(
            "What the budget `{}` has spent cannot be recorded at the moment, so the call was not begun. Try again later.",
            self.budget.name
        );
        Fault::new(Kind::ServiceUnavailable, text).after(AGAIN)
    }
}

/// A call that waits for a lease, which is to be great enough for all that do.
struct Waiting<'a>(&'a Purse, i64);

impl<'a> Waiting<'a> {
    fn new(purse: &'a Purse, most: i64) -> Self {
        purse.change(|state| state.waiting = state.waiting.saturating_add(most));
        Self(purse, most)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.waiting = state.waiting.saturating_sub(self.1));
    }
}
