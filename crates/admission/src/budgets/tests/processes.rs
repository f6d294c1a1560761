//! Many callers, and several processes on one store.

use outcrop_api::Kind;
use outcrop_store::{Options, Sqlite};

use super::*;

/// Runs calls of 0.01 until the budget says no, as many at a time as there are `callers`. How much they spent.
async fn exhaust(budgets: &Budgets, callers: usize) -> u64 {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let budgets = budgets.clone();
        tasks.spawn(async move {
            let mut spent = 0;
            loop {
                match budgets.admit(&call("0.01")).await {
                    Ok(mut hold) => {
                        tokio::task::yield_now().await;
                        hold.settle(&cost("0.01"));
                        spent += 1;
                    }
                    Err(fault) if fault.kind == Kind::Throttling => tokio::task::yield_now().await,
                    Err(fault) => {
                        assert_eq!(fault.kind, Kind::AccessDenied, "{fault}");
                        return spent;
                    }
                }
            }
        });
    }
    tasks.join_all().await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_callers_at_a_limit_spend_it_and_no_more() {
    let store = Memory::new().another(1);
    let budgets = open(&store, one(usd("20.00"))).await;
    assert_eq!(exhaust(&budgets, 10_000).await, 2_000);
    quiet(&budgets).await;
    assert_eq!(store.sum(), 20_000_000_000);
    let row = row(&budgets).await;
    assert_eq!((row.spent, row.reserved, row.state), (dec("20"), dec("0"), State::Reached));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_calls_in_flight_reserve_no_more_than_the_limit() {
    let budgets = open(&Memory::new(), one(usd("20.00"))).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10_000 {
        let budgets = budgets.clone();
        tasks.spawn(async move { budgets.admit(&call("0.01")).await });
    }
    let (holds, faults): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((holds.len(), faults.len()), (2_000, 8_000));
    assert!(faults.into_iter().all(|fault| fault.err().unwrap().kind == Kind::Throttling));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_on_one_database_share_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::default();
    let first: Arc<dyn Store> = Arc::new(Sqlite::open(folder.path(), &options).unwrap());
    let second: Arc<dyn Store> = Arc::new(Sqlite::open_beside(folder.path(), &options).unwrap());
    let settings = one(usd("1.00"));
    let a = Budgets::open(first.clone(), settings.clone(), noon()).await.unwrap();
    let b = Budgets::open(second, settings, noon()).await.unwrap();
    let (by_a, by_b) = tokio::join!(exhaust(&a, 8), exhaust(&b, 8));
    // Each may overrun by one call in flight.
    assert!((98..=102).contains(&(by_a + by_b)), "{by_a} and {by_b}");
    a.close().await;
    b.close().await;
    let name = "budgets/b/usd/day/2026-11-21/".to_owned();
    let counted = first.counter(lease::scope(), name).await.unwrap();
    assert_eq!(counted, i64::try_from(by_a + by_b).unwrap() * 10_000_000, "after a good end, exactly what was spent");
}

#[tokio::test]
async fn what_one_process_gives_back_another_may_spend() {
    let store = Memory::new();
    let (a, b) = (open(&store, one(usd("1.00"))).await, open(&store.another(0), one(usd("1.00"))).await);
    let mut held = a.admit(&call("1.00")).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(AGAIN * 2).await;
    assert_eq!(spend(&b, "0.50").await.unwrap_err().kind, Kind::AccessDenied, "what another leased counts as spent");
    held.settle(&cost("0.10"));
    a.shared.tidy(Duration::ZERO).await;
    quiet(&a).await;
    tokio::time::advance(AGAIN * 2).await;
    spend(&b, "0.50").await.unwrap();
}

#[tokio::test]
async fn values_beyond_the_number_that_is_kept_share_one_purse() {
    let matches = Match { key: Some(Which::Each), ..Match::default() };
    let budgets = open(&Memory::new(), one(Budget { matches, ..usd("1.00") })).await;
    let book = budgets.rules[0].account.current();
    for key in 0..200_000 {
        book.purse(&format!("[\"{key}\"]"));
    }
    assert_eq!(book.purses().len(), 100_001);
    let others = budgets.admit(&Call { key: Some("200001"), ..call("0.50") }).await.unwrap();
    assert_eq!(
        budgets.admit(&Call { key: Some("200002"), ..call("0.60") }).await.err().unwrap().kind,
        Kind::Throttling
    );
    drop(others);
    let report = budgets.report().await.unwrap();
    assert_eq!((report.budgets.len(), report.omitted), (1_000, 99_001));
    assert_eq!(report.budgets[0].scope["key"], "(all others)");
}
