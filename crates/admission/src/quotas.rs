//! Quotas: how many tokens, requests and calls at a time there are, for whom.
//!
//! An account has AWS's own quotas for each model in each Region: tokens a minute and tokens a day, requests a minute
//! where wanted, apart for inference on demand and across Regions. Rules limit other parties: a key, a principal, a
//! value of a tag or of request metadata. A call reserves what it reads and the most that it may write, and counts
//! what it really took when it is over (`burndown`). The callers of an account share its quota fairly (`fair`).
//!
//! Never: provisioned throughput, which has its own capacity; a file or the store on a call's path.
//!
//! Start at [`Quotas::admit`]; one quota's arithmetic is in `bucket`, what lasts of it in `keep`.

mod bucket;
pub mod burndown;
mod day;
mod fair;
mod keep;
mod level;
mod names;
mod refusal;
mod settings;
pub mod slice;

mod snapshot;
mod table;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use outcrop_api::Fault;
use outcrop_resources::Resources;

use crate::{Call, Spent};
use bucket::{Taken, Wanted};
use keep::Increases;
pub use names::{Metric, Quota};
use refusal::{By as Refuser, told};
pub use settings::{By, Limits, OfModel, Rule, Settings};
pub use snapshot::{Usage, Used};
use table::{Held, Table, Whose};

/// The most accounts, keys, principals, tags and metadata values that are told apart at a time.
const MOST: usize = 100_000;

/// The quotas of this process under the settings of one configuration. Cheap to clone, and every clone is the same.
#[derive(Clone)]
pub struct Quotas {
    settings: Arc<Settings>,
    shared: Arc<Shared>,
}

/// What is in use, whatever the configuration becomes.
struct Shared {
    table: Table,
    increases: Option<Increases>,
    hasher: RandomState,
}

/// A moment, by the clock that never goes back and by the one that people read.
#[derive(Debug, Clone, Copy)]
struct Now {
    at: Instant,
    /// Seconds since 1970.
    unix: i64,
}

impl Now {
    fn read() -> Self {
        Self { at: Instant::now(), unix: Timestamp::now().as_second() }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Quotas {
    /// Quotas that are in memory alone: a day's tokens do not survive the process, and nobody can raise anything.
    pub fn new(settings: Settings) -> Self {
        Self::with(settings, None, MOST)
    }

    /// Quotas whose days and increases last. Nothing of them is known before the first [`catch_up`](Self::catch_up).
    pub fn kept_in(settings: Settings, resources: &Resources) -> Self {
        Self::with(settings, Some(Increases::new(resources)), MOST)
    }

    fn with(settings: Settings, increases: Option<Increases>, most: usize) -> Self {
        let shared = Shared { table: Table::new(most), increases, hasher: RandomState::new() };
        Self { settings: Arc::new(settings), shared: Arc::new(shared) }
    }

    /// The same quotas, and what is taken of them, under other settings.
    #[must_use]
    pub fn under(&self, settings: Settings) -> Self {
        Self { settings: Arc::new(settings), shared: Arc::clone(&self.shared) }
    }

    /// Lets a call in, or says which quota keeps it out. Waits for nothing.
    pub fn admit(&self, call: &Call<'_>) -> Result<Hold, Fault> {
        self.admit_at(call, Now::read())
    }

    fn admit_at(&self, call: &Call<'_>, now: Now) -> Result<Hold, Fault> {
        let mut hold = Hold { taken: Vec::new(), rate: 1, used: None };
        let wanted = Wanted { tokens: call.input.saturating_add(call.output), caller: None };
        let of = self.of_model(call.account, call.region, call.model);
        hold.rate = of.burndown.unwrap_or_else(|| burndown::rate(call.model));
        let limits = of.limits(call.cross_region);
        if !call.provisioned && !limits.is_none() {
            let held = self.of_account(call, now);
            let caller = self.shared.hasher.hash_one(call.key.unwrap_or(call.principal)).max(1);
            let taken = held.bucket.take(limits, Wanted { caller: Some(caller), ..wanted }, now);
            let taken = taken.map_err(|refused| told(call, &Refuser::Account, limits, refused))?;
            hold.taken.push((held, taken));
        }
        for rule in self.settings.rules.iter().filter(|rule| rule.is_for(call.model)) {
            let value = rule.by.value(call).filter(|value| rule.value.as_deref().is_none_or(|only| only == *value));
            let Some(value) = value else { continue };
            let held = self.of_value(rule, call.account, value, now);
            let taken = held.bucket.take(rule.limits, wanted, now);
            let taken = taken.map_err(|refused| told(call, &Refuser::Rule(rule, value), rule.limits, refused))?;
            hold.taken.push((held, taken));
        }
        Ok(hold)
    }

    /// What an account may take of a model in a Region: what is configured, raised by what it asked for and got.
    fn of_model(&self, account: &str, region: &str, model: &str) -> OfModel {
        let configured = self.settings.of_model(model);
        match &self.shared.increases {
            Some(increases) => increases.raise(configured, self.settings.increase, account, region, model),
            None => configured,
        }
    }

    fn of_account(&self, call: &Call<'_>, now: Now) -> Arc<Held> {
        let Call { account, region, model, cross_region, .. } = *call;
        let id = self.shared.hasher.hash_one(("account", account, region, model, cross_region));
        self.shared.table.get(id, self.shared.hasher.hash_one("accounts"), now, |own| match own {
            true => {
                Whose::Account { account: account.into(), region: region.into(), model: model.into(), cross_region }
            }
            false => Whose::Others { rule: "".into() },
        })
    }

    fn of_value(&self, rule: &Rule, account: &str, value: &str, now: Now) -> Arc<Held> {
        let id = self.shared.hasher.hash_one(("rule", &rule.name, account, value));
        self.shared.table.get(id, self.shared.hasher.hash_one(("others", &rule.name)), now, |own| match own {
            true => Whose::Value { account: account.into(), rule: rule.name.as_str().into(), value: value.into() },
            false => Whose::Others { rule: rule.name.as_str().into() },
        })
    }

    /// How many accounts, keys, tags and values are in memory now.
    pub fn known(&self) -> usize {
        self.shared.table.len()
    }

    /// How often a call had to share a quota because there was no room to tell it apart.
    pub fn overflowed(&self) -> u64 {
        self.shared.table.overflowed()
    }
}

/// A call's place in all quotas that count it. Dropped unsettled, everything is given back: nobody computed anything.
#[must_use = "the place is given back when this is dropped"]
#[derive(Default)]
pub struct Hold {
    taken: Vec<(Arc<Held>, Taken)>,
    rate: u64,
    used: Option<u64>,
}

impl Hold {
    /// Says what the call really took, or has taken by now: the last word counts, when the hold is dropped.
    pub fn settle(&mut self, spent: &Spent) {
        self.used = Some(burndown::tokens(spent, self.rate));
    }

    fn drop_at(&mut self, now: Now) {
        for (held, taken) in self.taken.drain(..) {
            held.bucket.settle(&taken, self.used, now);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.taken.is_empty() {
            self.drop_at(Now::read());
        }
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hold").field("quotas", &self.taken.len()).field("used", &self.used).finish()
    }
}

impl std::fmt::Debug for Quotas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quotas").field("settings", &self.settings).finish_non_exhaustive()
    }
}
