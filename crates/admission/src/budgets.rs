//! What may be spent: limits in dollars or tokens, a day or a month.
//!
//! A call is let in where its most fits beside what was spent and what calls in flight have reserved; or, where nothing
//! else is in flight and something is left, as the one call that may overrun. What is spent was leased from a counter of
//! the store before: after a crash an unspent lease counts as spent, and processes that share a store share its limit.
//! Deciding is a few sums in memory; only an exhausted lease waits for the store, and a store that does not answer gets
//! the call refused.
//!
//! Never: knows a price, gives away what the store did not grant.
//!
//! Start at [`Budgets::admit`]; `rule` lets a call into one budget, `purse` has the sums, `lease` asks the store.

mod account;
mod hold;
mod lease;
mod matching;
mod period;
mod purse;
mod report;
mod rule;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use outcrop_access::Clock;
use outcrop_api::Fault;
use outcrop_store::{Error, Store};
use rust_decimal::Decimal;
use tokio::runtime::Handle;

pub use hold::{Cut, Hold};
pub use matching::{Match, Which};
pub use period::Period;
pub use report::{Report, Row, State};
pub use settings::{Budget, Limit, Settings, Unit, Unpriced};

use crate::Call;
use account::{Account, Book, Identity};
use lease::{Counter, Why};
use purse::Purse;
use rule::Rule;
use settings::MOST;

/// How often what nobody uses is looked for, and after how long it is given back.
const TIDY: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(30);

/// The budgets of one configuration; what was spent is shared with those of the configurations before and after it.
#[derive(Clone)]
pub struct Budgets {
    shared: Arc<Shared>,
    rules: Arc<[Arc<Rule>]>,
}

/// What stays, whatever the configuration becomes.
struct Shared {
    store: Arc<dyn Store>,
    clock: Clock,
    handle: Handle,
    accounts: Mutex<HashMap<Identity, Arc<Account>>>,
    watcher: OnceLock<Arc<dyn Watcher>>,
}

/// Whoever wants to know when a budget passes a mark. Asked on the path of a call: it must not wait for anything.
pub trait Watcher: Send + Sync {
    /// A mark was passed, for the first time in its period and this process.
    fn passed(&self, passed: &Passed);
}

/// A mark that was passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed {
    /// The budget's name.
    pub budget: String,
    /// Whose calls it counts.
    pub scope: BTreeMap<String, String>,
    /// Which mark.
    pub mark: Mark,
    /// What is spent.
    pub spent: Decimal,
    /// How much may be.
    pub limit: Decimal,
    /// What both count.
    pub unit: Unit,
    /// When the period ends.
    pub end: Timestamp,
}

/// What is worth telling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark {
    /// A share of the limit is spent; 1 is all of it.
    Share(Decimal),
    /// Running calls were cut.
    Cut,
}

impl std::fmt::Debug for Budgets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rules.iter().map(|rule| &rule.budget)).finish()
    }
}

impl Budgets {
    /// The budgets of `settings`, with what `store` knows was spent. Must be called in a runtime, which it uses for
    /// what nobody waits for.
    pub async fn open(store: Arc<dyn Store>, settings: Settings, clock: Clock) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            store,
            clock,
            handle: Handle::current(),
            accounts: Mutex::default(),
            watcher: OnceLock::new(),
        });
        let this = Self { rules: shared.rules(settings), shared };
        for rule in &*this.rules {
            rule.account.loaded(&*this.shared.store, (this.shared.clock)()).await?;
        }
        this.shared.handle.spawn(keep_tidy(Arc::downgrade(&this.shared)));
        Ok(this)
    }

    /// Tells `watcher`, too, when a budget passes a mark. Only the first one is told.
    #[must_use]
    pub fn watched(self, watcher: Arc<dyn Watcher>) -> Self {
        if self.shared.watcher.set(watcher).is_err() {
            tracing::error!("budgets are watched already");
        }
        self
    }

    /// The budgets of other settings. A budget that keeps its name, unit, period and what it tells apart keeps what is
    /// spent.
    #[must_use]
    pub fn under(&self, settings: Settings) -> Self {
        Self { rules: self.shared.rules(settings), shared: Arc::clone(&self.shared) }
    }

    /// Lets a call in, or says which budget keeps it out. Waits only where a lease is exhausted.
    pub async fn admit(&self, call: &Call<'_>) -> Result<Hold, Fault> {
        let mut hold = Hold::new(call.input, call.output);
        for rule in &*self.rules {
            let Some(value) = rule.budget.matches.purse(call) else { continue };
            // What other budgets have reserved is given back where one refuses, and where the caller goes away.
            if let Some(share) = rule.admit(&self.shared, call, &value).await? {
                hold.add(share);
            }
        }
        Ok(hold.begun())
    }

    /// Gives back what is leased and not spent: the end of a server that stops in good order. Calls that are let in
    /// afterwards lease anew.
    pub async fn close(&self) {
        for account in self.shared.accounts() {
            let book = account.current();
            for purse in book.purses() {
                purse.change(|state| state.retired = true);
                lease::release(&self.shared.counter(&book, &purse, MOST), &purse).await;
            }
        }
    }
}

impl Shared {
    fn rules(&self, settings: Settings) -> Arc<[Arc<Rule>]> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = |budget: Budget| {
            let identity = Identity::of(&budget);
            let account = accounts.entry(identity.clone());
            let account = Arc::clone(account.or_insert_with(|| Arc::new(Account::new(identity, (self.clock)()))));
            Arc::new(Rule::new(budget, account))
        };
        settings.budgets.into_iter().map(rule).collect()
    }

    fn accounts(&self) -> Vec<Arc<Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn counter(&self, book: &Book, purse: &Purse, limit: i64) -> Counter {
        Counter { store: Arc::clone(&self.store), name: book.counter(purse), limit }
    }

    /// Gives back what nobody uses, and forgets what is past.
    async fn tidy(&self, idle: Duration) {
        for account in self.accounts() {
            let book = account.book((self.clock)());
            for purse in book.purses() {
                let rests = {
                    let state = purse.state();
                    state.free() > 0 && state.leasing.is_none() && state.used.elapsed() >= idle
                };
                if rests {
                    lease::begin(&self.counter(&book, &purse, MOST), &purse, Why::Release, &self.handle);
                }
            }
            if let Err(error) = account.sweep(&*self.store).await {
                tracing::warn!(%error, "the budgets of past periods cannot be forgotten");
            }
        }
    }
}

async fn keep_tidy(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(TIDY).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.tidy(IDLE).await;
    }
}
