use std::sync::Arc;

use outcrop_resources::Resources;
use outcrop_store::{Options, Scope, Sqlite, Store};

use super::super::day::read;
use super::*;

const DAY: i64 = 86_400;
const MIDNIGHT: i64 = 20_001 * DAY;

fn a_day(tokens: u64) -> Settings {
    Settings { all: OfModel { tokens_per_day: Some(tokens), ..OfModel::default() }, ..Settings::default() }
}

#[test]
fn a_day_is_that_of_utc_and_doubled_across_regions() {
    let (quotas, clock) = (Quotas::new(a_day(1_000)), Clock::new());
    quotas.whole("AKIA1", 900, clock.shows(MIDNIGHT - 7_200)).unwrap();
    let fault = quotas.whole("AKIA1", 101, clock.shows(MIDNIGHT - 7_200)).unwrap_err();
    assert!(fault.message.starts_with("Too many tokens per day, please wait before trying again."), "{fault}");
    assert!(fault.message.contains("is 1000 tokens a day (UTC)"), "{fault}");
    assert_eq!(fault.retry_after, Some(Duration::from_secs(7_200)));
    let across = Call { cross_region: true, ..call("AKIA1", 2_000, 0) };
    assert!(quotas.admit_at(&across, clock.shows(MIDNIGHT - 7_200)).is_ok());
    quotas.whole("AKIA1", 1_000, clock.shows(MIDNIGHT)).unwrap();
}

#[test]
fn a_day_has_as_many_tokens_as_its_minutes_where_nobody_says() {
    let of = minute(10).all;
    assert_eq!(of.limits(false).tokens_per_day, Some(14_400));
    assert_eq!(
        of.limits(true),
        Limits { tokens_per_minute: Some(20), tokens_per_day: Some(28_800), ..Limits::default() }
    );
}

#[test]
fn a_clock_that_goes_back_an_hour_neither_hands_out_twice_nor_keeps_out() {
    let (quotas, clock) = (Quotas::new(a_day(1_000)), Clock::new());
    quotas.whole("AKIA1", 1_000, clock.shows(MIDNIGHT - 60)).unwrap();
    quotas.whole("AKIA1", 600, clock.shows(MIDNIGHT + 60)).unwrap();
    // Back over midnight: the new day stays, with what is left of it.
    let before = clock.shows(MIDNIGHT + 60 - 3_600);
    assert!(quotas.whole("AKIA1", 401, before).is_err());
    quotas.whole("AKIA1", 400, before).unwrap();
    assert!(quotas.whole("AKIA1", 1, clock.shows(MIDNIGHT + 120)).is_err());
    // A year ahead and back: the day is not lost for a year, and nothing is handed out again.
    quotas.whole("AKIA1", 300, clock.shows(MIDNIGHT + 365 * DAY)).unwrap();
    assert!(quotas.whole("AKIA1", 701, clock.shows(MIDNIGHT + 180)).is_err());
    quotas.whole("AKIA1", 700, clock.shows(MIDNIGHT + 180)).unwrap();
    quotas.whole("AKIA1", 1_000, clock.shows(MIDNIGHT + DAY)).unwrap();
}

#[test]
fn a_call_that_ends_on_another_day_leaves_that_day_alone() {
    let (quotas, clock) = (Quotas::new(a_day(1_000)), Clock::new());
    let mut over_midnight = quotas.admit_at(&call("AKIA1", 0, 900), clock.shows(MIDNIGHT - 1)).unwrap();
    quotas.whole("AKIA1", 600, clock.shows(MIDNIGHT + 1)).unwrap();
    over_midnight.settle(&spent(0, 10));
    over_midnight.drop_at(clock.shows(MIDNIGHT + 2));
    assert!(quotas.whole("AKIA1", 401, clock.shows(MIDNIGHT + 3)).is_err());
    quotas.whole("AKIA1", 400, clock.shows(MIDNIGHT + 3)).unwrap();
}

async fn open(folder: &std::path::Path) -> (Resources, Arc<dyn Store>) {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(folder, &Options::default()).unwrap());
    (Resources::open(Arc::clone(&store)).await.unwrap(), store)
}

async fn counted(store: &dyn Store) -> (i64, i64) {
    let counter = format!("quota-day/on-demand/{HAIKU}");
    read(store.counter(Scope::new("111122223333", "us-east-1"), counter).await.unwrap())
}

#[tokio::test]
async fn a_day_outlives_the_process_and_is_shared_by_all_on_a_store() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::new());
    let (resources, store) = open(folder.path()).await;
    let first = Quotas::kept_in(a_day(1_000), &resources);
    let now = clock.shows(MIDNIGHT + 60);
    first.whole("AKIA1", 400, now).unwrap();
    first.flush().await.unwrap();
    first.flush().await.unwrap();
    assert_eq!(counted(&*store).await, (MIDNIGHT / DAY, 400), "told once");

    // Another process, or this one after a restart, knows it as soon as it has asked.
    let second = Quotas::kept_in(a_day(1_000), &resources);
    second.whole("AKIA1", 100, now).unwrap();
    second.flush().await.unwrap();
    assert!(second.whole("AKIA1", 501, now).is_err());
    second.whole("AKIA1", 500, now).unwrap();
    second.flush().await.unwrap();
    first.whole("AKIA1", 1, now).unwrap();
    first.flush().await.unwrap();
    assert!(first.whole("AKIA1", 1, now).is_err());
    assert_eq!(counted(&*store).await, (MIDNIGHT / DAY, 1_001));

    // The next day begins anew in the same counter, whoever comes first.
    let next = clock.shows(MIDNIGHT + DAY + 5);
    first.whole("AKIA1", 30, next).unwrap();
    second.whole("AKIA1", 20, next).unwrap();
    let (one, two) = tokio::join!(first.flush(), second.flush());
    one.and(two).unwrap();
    first.flush().await.unwrap();
    assert_eq!(counted(&*store).await, (MIDNIGHT / DAY + 1, 50));
    // And a clock that is behind over midnight follows.
    let third = Quotas::kept_in(a_day(1_000), &resources);
    third.whole("AKIA1", 7, clock.shows(MIDNIGHT + DAY - 5)).unwrap();
    third.flush().await.unwrap();
    third.flush().await.unwrap();
    assert_eq!(counted(&*store).await, (MIDNIGHT / DAY + 1, 57));
    // What was reserved and not used is taken away again.
    let mut hold = third.admit_at(&call("AKIA1", 500, 0), next).unwrap();
    third.flush().await.unwrap();
    hold.settle(&spent(3, 0));
    hold.drop_at(next);
    third.flush().await.unwrap();
    assert_eq!(counted(&*store).await, (MIDNIGHT / DAY + 1, 60));
}
