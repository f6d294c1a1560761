//! A budget's purses: one for each value that it tells apart, for one period.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use outcrop_store::{Batch, Error, Op, Store};
use tokio::sync::OnceCell;

use super::lease::scope;
use super::matching::OTHERS;
use super::period::{Period, Span};
use super::purse::Purse;
use super::settings::{Budget, Unit};

/// Values that a budget tells apart in one period; all beyond them share one purse.
const VALUES: usize = 100_000;
/// Counters that are forgotten in one commit.
const TOGETHER: usize = 256;

/// What makes two configurations' budgets the same, whatever they say else: what is spent is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    name: String,
    unit: Unit,
    period: Period,
    each: Vec<String>,
}

/// A budget's money, whatever its limit becomes.
pub(super) struct Account {
    identity: Identity,
    book: ArcSwap<Book>,
    /// The first period's book was opened.
    opened: OnceCell<()>,
}

/// One period.
pub(super) struct Book {
    pub(super) span: Span,
    prefix: String,
    purses: RwLock<HashMap<Box<str>, Arc<Purse>>>,
    loaded: OnceCell<()>,
    /// What is past when it began is forgotten.
    swept: AtomicBool,
}

impl Identity {
    pub(super) fn of(budget: &Budget) -> Self {
        let (name, unit) = (budget.name.clone(), budget.limit.unit());
        Self { name, unit, period: budget.period, each: budget.matches.each() }
    }

    /// Counters of all periods begin so. A name has no slash, so none begins with another's.
    fn prefix(&self) -> String {
        format!("budgets/{}/{}/{}/", self.name, self.unit.name(), self.period.name())
    }

    fn book(&self, span: Span) -> Book {
        let prefix = format!("{}{}/", self.prefix(), span.start);
        Book { span, prefix, purses: RwLock::default(), loaded: OnceCell::new(), swept: AtomicBool::new(false) }
    }
}

impl Account {
    pub(super) fn new(identity: Identity, now: Timestamp) -> Self {
        let book = ArcSwap::from_pointee(identity.book(identity.period.at(now)));
        Self { identity, book, opened: OnceCell::new() }
    }

    /// The book of the time. A clock that goes back does not open the last one again.
    pub(super) fn book(&self, now: Timestamp) -> Arc<Book> {
        let book = self.book.load_full();
        if now < book.span.ends {
            return book;
        }
        let next = Arc::new(self.identity.book(self.identity.period.at(now)));
        let before = self.book.compare_and_swap(&book, Arc::clone(&next));
        if !Arc::ptr_eq(&before, &book) {
            return Arc::clone(&before);
        }
        book.retire();
        next
    }

    /// The same, with what the store knows of it.
    pub(super) async fn loaded(&self, store: &dyn Store, now: Timestamp) -> Result<Arc<Book>, Error> {
        self.opened.get_or_try_init(|| self.open(store, now)).await?;
        let book = self.book(now);
        book.loaded.get_or_try_init(|| book.load(store)).await?;
        Ok(book)
    }

    /// After a restart, too, a clock that went back by less than a day does not open the last period again.
    async fn open(&self, store: &dyn Store, now: Timestamp) -> Result<(), Error> {
        let tomorrow = now.checked_add(jiff::SignedDuration::from_hours(24)).unwrap_or(now);
        let (book, next) = (self.book(now), self.identity.period.at(tomorrow));
        if next == book.span {
            return Ok(());
        }
        let next = self.identity.book(next);
        if !store.counters(scope(), next.prefix.clone(), 1).await?.is_empty() {
            tracing::warn!(
                budget = self.identity.name,
                period = %next.span.start,
                "the clock is behind what was spent already: the later period goes on"
            );
            self.book.compare_and_swap(&book, Arc::new(next));
        }
        Ok(())
    }

    /// Forgets the counters of all periods but this and the last.
    pub(super) async fn sweep(&self, store: &dyn Store) -> Result<(), Error> {
        let book = self.current();
        if book.swept.load(Ordering::Relaxed) {
            return Ok(());
        }
        let keep = self.identity.period.before(book.span).start.to_string();
        let prefix = self.identity.prefix();
        loop {
            // By name, and so by their dates.
            let oldest = store.counters(scope(), prefix.clone(), TOGETHER).await?;
            let old = |name: &str| name.strip_prefix(&prefix).is_some_and(|rest| rest < keep.as_str());
            let old = oldest.into_iter().map(|(name, _)| name).filter(|name| old(name));
            let ops: Vec<_> = old.map(|counter| Op::Forget { scope: scope(), counter }).collect();
            if ops.is_empty() {
                book.swept.store(true, Ordering::Relaxed);
                return Ok(());
            }
            store.commit(Batch::new(ops)).await?;
        }
    }

    /// The book that is open.
    pub(super) fn current(&self) -> Arc<Book> {
        self.book.load_full()
    }
}

impl Book {
    /// Whether what the store knows is known here.
    pub(super) fn is_loaded(&self) -> bool {
        self.loaded.initialized()
    }

    async fn load(&self, store: &dyn Store) -> Result<(), Error> {
        let known = store.counters(scope(), self.prefix.clone(), VALUES).await?;
        let mut purses = self.purses.write().unwrap_or_else(PoisonError::into_inner);
        for (name, counter) in known {
            if let Some(value) = name.strip_prefix(&self.prefix) {
                purses.entry(value.into()).or_insert_with(|| Arc::new(Purse::new(value, counter)));
            }
        }
        Ok(())
    }

    /// The purse of `value`.
    pub(super) fn purse(&self, value: &str) -> Arc<Purse> {
        {
            let purses = self.purses.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(purse) = purses.get(value) {
                return Arc::clone(purse);
            }
        }
        let mut purses = self.purses.write().unwrap_or_else(PoisonError::into_inner);
        let value = if purses.len() < VALUES || purses.contains_key(value) { value } else { OTHERS };
        Arc::clone(purses.entry(value.into()).or_insert_with(|| Arc::new(Purse::new(value, 0))))
    }

    /// All purses.
    pub(super) fn purses(&self) -> Vec<Arc<Purse>> {
        self.purses.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The counter of `purse`.
    pub(super) fn counter(&self, purse: &Purse) -> String {
        format!("{}{}", self.prefix, purse.value)
    }

    fn retire(&self) {
        for purse in self.purses() {
            purse.change(|state| state.retired = true);
        }
    }
}
