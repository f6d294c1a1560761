//! Budgets over a store in memory that can fail, hang and be shared.

mod memory;
mod processes;
mod property;
mod rules;
mod store;
mod time;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use outcrop_access::Clock;
use rust_decimal::Decimal;

use super::rule::{AGAIN, PATIENCE};
use super::*;
use crate::Spent;
use memory::Memory;

const ACCOUNT: &str = "111122223333";

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn budget(limit: Limit) -> Budget {
    Budget {
        name: "b".into(),
        limit,
        period: Period::Day,
        matches: Match::default(),
        warn_at: Vec::new(),
        hard_limit: dec("1.1"),
        unpriced: Unpriced::Refuse,
    }
}

fn usd(limit: &str) -> Budget {
    budget(Limit::Usd(dec(limit)))
}

fn one(budget: Budget) -> Settings {
    budget.check().unwrap();
    Settings { budgets: vec![budget] }
}

/// A clock that tests set.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn at(text: &str) -> Self {
        let hands = Self(Arc::default());
        hands.set(text);
        hands
    }

    fn set(&self, text: &str) {
        self.0.store(text.parse::<Timestamp>().unwrap().as_second(), Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let this = self.clone();
        Arc::new(move || Timestamp::from_second(this.0.load(Ordering::Relaxed)).unwrap())
    }
}

fn noon() -> Clock {
    Hands::at("2026-11-21T12:00:00Z").clock()
}

async fn open(store: &Arc<Memory>, settings: Settings) -> Budgets {
    Budgets::open(store.clone(), settings, noon()).await.unwrap()
}

static NONE: BTreeMap<String, String> = BTreeMap::new();

/// A call that may cost so much, half of it for 100 tokens read and half for as many written.
fn call(cost: &str) -> Call<'static> {
    Call {
        account: ACCOUNT,
        region: "us-east-1",
        key: Some("AKIAEXAMPLE"),
        principal: "arn:aws:iam::111122223333:user/ada",
        tags: &NONE,
        metadata: None,
        model: "anthropic.claude-3-haiku-20240307-v1:0",
        model_name: "Claude 3 Haiku",
        maker: "Anthropic",
        cross_region: false,
        provisioned: false,
        input: 100,
        output: 100,
        cost: Some(dec(cost)),
        likeness: None,
    }
}

fn cost(cost: &str) -> Spent {
    Spent { input: 100, output: 100, cost: Some(dec(cost)), ..Spent::default() }
}

async fn spend(budgets: &Budgets, amount: &str) -> Result<(), Fault> {
    budgets.admit(&call(amount)).await.map(|mut hold| hold.settle(&cost(amount)))
}

async fn row(budgets: &Budgets) -> Row {
    let mut report = budgets.report().await.unwrap();
    assert_eq!((report.budgets.len(), report.omitted), (1, 0), "{report:?}");
    report.budgets.remove(0)
}

/// Until nothing is asked of the store any more.
async fn quiet(budgets: &Budgets) {
    for account in budgets.shared.accounts() {
        for purse in account.current().purses() {
            loop {
                let done = purse.done.notified();
                tokio::pin!(done);
                done.as_mut().enable();
                if purse.state().leasing.is_none() {
                    break;
                }
                done.await;
            }
        }
    }
}
