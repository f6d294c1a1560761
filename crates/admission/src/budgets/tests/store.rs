//! A store that is slow, full or away: what it does not grant is not given away.

use std::time::{Duration, Instant};

use outcrop_api::Kind;
use outcrop_store::Error;

use super::memory::Mood;
use super::*;

#[tokio::test]
async fn what_the_store_refuses_is_not_given_away() {
    let store = Memory::new();
    let budgets = open(&store, one(usd("1.00"))).await;
    for error in [Error::Full, Error::Busy, Error::Closed] {
        store.is(Mood::Fails(error));
        let fault = spend(&budgets, "0.10").await.unwrap_err();
        assert_eq!((fault.kind, fault.retry_after), (Kind::ServiceUnavailable, Some(AGAIN)), "{fault}");
        assert_eq!(row(&budgets).await.reserved, dec("0"));
    }
    store.is(Mood::Well);
    spend(&budgets, "0.10").await.unwrap();
}

#[tokio::test]
async fn what_is_leased_already_is_spent_without_the_store() {
    let store = Memory::new();
    let budgets = open(&store, one(usd("1.00"))).await;
    spend(&budgets, "0.0001").await.unwrap();
    quiet(&budgets).await;
    store.is(Mood::Fails(Error::Full));
    spend(&budgets, "0.0001").await.unwrap();
    let mut spent = 0.0002;
    while spend(&budgets, "0.0001").await.is_ok() {
        spent += 0.0001;
    }
    quiet(&budgets).await;
    assert!(store.sum() as f64 / 1e9 >= spent - 1e-9 && spent > 0.005, "{spent} of {}", store.sum());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_not_waited_for_twice() {
    let store = Memory::new();
    let budgets = open(&store, one(usd("1.00"))).await;
    store.is(Mood::Hangs);
    let began = Instant::now();
    assert_eq!(spend(&budgets, "0.10").await.unwrap_err().kind, Kind::ServiceUnavailable);
    assert_eq!(began.elapsed(), PATIENCE);
    assert_eq!(spend(&budgets, "0.10").await.unwrap_err().kind, Kind::ServiceUnavailable);
    assert!(began.elapsed() < PATIENCE + Duration::from_millis(10));
    store.is(Mood::Well);
    quiet(&budgets).await;
    let commits = store.commits.load(Ordering::Relaxed);
    spend(&budgets, "0.10").await.unwrap();
    assert_eq!(store.commits.load(Ordering::Relaxed), commits, "what was granted late is not lost");
}

#[tokio::test]
async fn the_store_is_asked_rarely() {
    let store = Memory::new();
    let budgets = open(&store, one(usd("100.00"))).await;
    for _ in 0..100_000 {
        spend(&budgets, "0.001").await.unwrap();
    }
    let commits = store.commits.load(Ordering::Relaxed);
    assert!(commits < 150, "{commits} commits for 100,000 calls");
    quiet(&budgets).await;
    assert_eq!(store.sum(), 100_000_000_000);
}

#[tokio::test]
async fn a_good_end_gives_back_and_a_crash_does_not() {
    let store = Memory::new();
    let budgets = open(&store, one(usd("10.00"))).await;
    spend(&budgets, "0.01").await.unwrap();
    let mut running = budgets.admit(&call("0.02")).await.unwrap();
    quiet(&budgets).await;
    let crashed = open(&store, one(usd("10.00"))).await;
    let counted = row(&crashed).await.spent;
    assert!(counted >= dec("0.1"), "what was leased counts: {counted}");
    budgets.close().await;
    assert_eq!(store.sum(), 30_000_000, "what is spent, and what the call in flight may take");
    running.settle(&cost("0.015"));
    quiet(&budgets).await;
    assert_eq!(store.sum(), 25_000_000);
    assert_eq!(row(&open(&store, one(usd("10.00"))).await).await.spent, dec("0.025"));
}

#[tokio::test]
async fn what_took_more_than_it_may_is_booked() {
    let store = Memory::new();
    let budgets = open(&store, one(usd("1.00"))).await;
    let mut hold = budgets.admit(&call("0.10")).await.unwrap();
    hold.settle(&cost("3.00"));
    quiet(&budgets).await;
    assert_eq!(store.sum(), 3_000_000_000);
    assert_eq!(spend(&budgets, "0.10").await.unwrap_err().kind, Kind::AccessDenied);
}
