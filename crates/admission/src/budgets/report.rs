//! What was spent, for people and for whoever watches.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Budgets;
use super::account::Book;
use super::period::Period;
use super::purse::Purse;
use super::rule::Rule;
use super::settings::Unit;

/// Rows of one budget at most: those that are nearest to their limit.
const ROWS: usize = 1000;

/// All budgets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// In the order of the configuration; of one budget, those nearest to their limit first.
    pub budgets: Vec<Row>,
    /// How many more there are.
    pub omitted: usize,
}

/// One budget, or one value of a budget that tells values apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The budget's name.
    pub name: String,
    /// Whose calls it counts.
    pub scope: BTreeMap<String, String>,
    /// What its amounts count.
    pub unit: Unit,
    /// What counts as spent: leases of other processes and of processes that crashed do.
    pub spent: Decimal,
    /// What calls in flight may still take.
    pub reserved: Decimal,
    /// What is leased by this process and neither spent nor reserved.
    pub leased: Decimal,
    /// How much may be spent.
    pub limit: Decimal,
    /// The time it holds for.
    pub period: Period,
    /// When that began.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// How it stands.
    pub state: State,
    /// Calls that were let in without a price, by this process.
    pub unpriced: u64,
}

/// How a budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Below all its marks.
    Ok,
    /// Past a share at which it warns.
    Warned,
    /// At its limit: calls are refused.
    Reached,
    /// At its hard limit: running calls are cut.
    Cut,
}

impl Budgets {
    /// How all budgets stand.
    pub async fn report(&self) -> Result<Report, outcrop_store::Error> {
        let mut report = Report::default();
        for rule in &*self.rules {
            let book = rule.account.loaded(&*self.shared.store, (self.shared.clock)()).await?;
            if rule.budget.matches.each().is_empty() {
                book.purse("");
            }
            let mut rows: Vec<_> = book.purses().iter().map(|purse| rule.row(&book, purse)).collect();
            rows.sort_by(|a, b| b.spent.cmp(&a.spent).then_with(|| a.scope.cmp(&b.scope)));
            report.omitted += rows.len().saturating_sub(ROWS);
            rows.truncate(ROWS);
            report.budgets.append(&mut rows);
        }
        Ok(report)
    }
}

impl Rule {
    fn row(&self, book: &Book, purse: &Purse) -> Row {
        let (total, reserved, free, unpriced) = {
            let state = purse.state();
            (state.total(), state.reserved, state.free(), state.unpriced)
        };
        let unit = self.unit();
        Row {
            name: self.budget.name.clone(),
            scope: self.budget.matches.scope(&purse.value),
            unit,
            spent: unit.decimal(total),
            reserved: unit.decimal(reserved),
            leased: unit.decimal(free.max(0)),
            limit: unit.decimal(self.limit),
            period: self.budget.period,
            start: book.span.begins,
            end: book.span.ends,
            state: match () {
                () if total >= self.hard => State::Cut,
                () if total >= self.limit => State::Reached,
                () if self.marks.first().is_some_and(|mark| total >= *mark) => State::Warned,
                () => State::Ok,
            },
            unpriced,
        }
    }
}
