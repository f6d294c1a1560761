//! Days, months, and clocks that go wrong.

use outcrop_api::Kind;

use super::*;

#[tokio::test]
async fn a_new_day_begins_anew_and_the_old_one_is_kept_for_a_while() {
    let (store, hands) = (Memory::new(), Hands::at("2026-11-21T23:59:59Z"));
    let budgets = Budgets::open(store.clone(), one(usd("1.00")), hands.clock()).await.unwrap();
    let mut over_midnight = budgets.admit(&call("1.00")).await.unwrap();
    hands.set("2026-11-22T00:00:00Z");
    spend(&budgets, "1.00").await.unwrap();
    over_midnight.settle(&cost("0.40"));
    assert_eq!(row(&budgets).await.spent, dec("1"), "the call before midnight counts for the day it began in");
    assert_eq!(spend(&budgets, "1.00").await.unwrap_err().kind, Kind::AccessDenied);
    for day in ["2026-11-23", "2026-11-24"] {
        hands.set(&format!("{day}T00:00:00Z"));
        spend(&budgets, "1.00").await.unwrap();
    }
    quiet(&budgets).await;
    budgets.shared.tidy(IDLE).await;
    let kept = ["budgets/b/usd/day/2026-11-23/", "budgets/b/usd/day/2026-11-24/"];
    assert_eq!(store.names(), kept, "older counters are forgotten");
}

#[tokio::test]
async fn a_month_ends_with_its_last_day() {
    let hands = Hands::at("2026-12-31T23:59:59Z");
    let monthly = one(Budget { period: Period::Month, ..usd("1.00") });
    let budgets = Budgets::open(Memory::new(), monthly, hands.clock()).await.unwrap();
    spend(&budgets, "1.00").await.unwrap();
    let row = row(&budgets).await;
    assert_eq!(
        (row.start, row.end),
        ("2026-12-01T00:00:00Z".parse().unwrap(), "2027-01-01T00:00:00Z".parse().unwrap())
    );
    assert!(spend(&budgets, "1.00").await.is_err());
    hands.set("2027-01-01T00:00:00Z");
    spend(&budgets, "1.00").await.unwrap();
}

#[tokio::test]
async fn a_clock_that_goes_back_an_hour_does_not_open_yesterday() {
    let (store, hands) = (Memory::new(), Hands::at("2026-11-21T23:50:00Z"));
    let budgets = Budgets::open(store.clone(), one(usd("1.00")), hands.clock()).await.unwrap();
    spend(&budgets, "1.00").await.unwrap();
    hands.set("2026-11-22T00:10:00Z");
    spend(&budgets, "0.90").await.unwrap();
    hands.set("2026-11-21T23:10:00Z");
    spend(&budgets, "0.05").await.unwrap();
    assert_eq!(row(&budgets).await.spent, dec("0.95"));
    quiet(&budgets).await;
    // Nor does a restart.
    let again = Budgets::open(store, one(usd("1.00")), hands.clock()).await.unwrap();
    let row = row(&again).await;
    assert_eq!(row.start, "2026-11-22T00:00:00Z".parse().unwrap());
    assert!(row.spent >= dec("0.95"), "{row:?}");
}
