use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::calls::{Calls, ModelFacts};
use super::*;
use crate::anomalies::spend::{Settings, Spend};
use crate::entry::tests::entry;
use crate::{Consumer, Entry, Outcome, Tokens};

const ACCOUNT: &str = "111122223333";

pub(crate) fn owner() -> Owner {
    Owner::new(ACCOUNT, "us-east-1")
}

pub(crate) fn open() -> (tempfile::TempDir, Arc<Metrics>) {
    let folder = tempfile::tempdir().unwrap();
    let metrics = Arc::new(Metrics::open(folder.path(), 100_000).unwrap());
    (folder, metrics)
}

fn reading<'a>(owner: &'a Owner, metric: &'a Metric, from: i64, to: i64, period: i64) -> Reading<'a> {
    Reading { owner, metric, unit: None, from, to, period, percentiles: true }
}

/// The points of the only unit.
fn points(metrics: &Metrics, metric: &Metric, from: i64, to: i64, period: i64) -> BTreeMap<i64, Point> {
    let units = metrics.read(&reading(&owner(), metric, from, to, period)).unwrap();
    assert!(units.len() < 2);
    units.into_values().next().unwrap_or_default()
}

fn consumer(metrics: &Arc<Metrics>) -> Calls {
    let facts = Arc::new(|model: &str| ModelFacts { legacy: model.ends_with("old"), burndown: 5 });
    Calls::new(Arc::clone(metrics), facts, Spend::new(Settings::default(), None)).unwrap()
}

fn call(at: i64) -> Entry {
    Entry { at: Timestamp::from_second(at).unwrap(), account: ACCOUNT.into(), region: "us-east-1".into(), ..entry() }
}

#[test]
fn percentiles_are_within_one_in_a_hundred() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut values: Vec<f64> = (0..20_000).map(|_| (random.f64() * 12.0).exp()).collect();
    let mut whole = Point::of(values[0]);
    for value in &values[1..] {
        whole.merge(&Point::of(*value));
    }
    values.sort_by(f64::total_cmp);
    for percent in [1.0, 50.0, 90.0, 99.0, 99.9] {
        let exact = values[((percent / 100.0 * 20_000.0) as usize).min(19_999)];
        let told = whole.percentile(percent).unwrap();
        assert!((told / exact - 1.0).abs() < 0.015, "p{percent}: {told} for {exact}");
    }
    assert_eq!(whole.percentile(100.0), Some(values[19_999]));
    assert_eq!(whole.count, 20_000.0);
}

#[test]
fn percentiles_are_not_told_where_nobody_knows_them() {
    assert_eq!(Point::summary(10.0, 55.0, 1.0, 10.0).percentile(50.0), None);
    assert_eq!(Point::summary(10.0, 50.0, 5.0, 5.0).percentile(50.0), Some(5.0));
    assert_eq!(Point::of(-1.0).percentile(50.0), None);
    assert_eq!(Point::of(0.0).percentile(99.0), Some(0.0));
    for greatest in [f64::MAX, f64::MIN_POSITIVE, 2f64.powi(360)] {
        assert_eq!(Point::of(greatest).percentile(50.0), Some(greatest));
    }
}

#[test]
fn points_are_read_before_and_after_they_are_written_and_after_a_restart() {
    let (folder, metrics) = open();
    let metric = Metric::new("N", "m", &[("b", "2"), ("a", "1")]);
    metrics.put(&owner(), &metric, "Count", 120, 1.0).unwrap();
    metrics.put(&owner(), &metric, "Count", 170, 3.0).unwrap();
    let check = |metrics: &Metrics, count: f64| {
        let found = points(metrics, &metric, 60, 600, 60);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [120]);
        assert_eq!((found[&120].count, found[&120].min, found[&120].max), (count, 1.0, 3.0));
    };
    check(&metrics, 2.0);
    metrics.flush(&[]).unwrap();
    check(&metrics, 2.0);
    // A late point of a minute that is written already.
    metrics.put(&owner(), &metric, "Count", 121, 2.0).unwrap();
    check(&metrics, 3.0);
    metrics.flush(&[]).unwrap();
    check(&metrics, 3.0);
    drop(metrics);
    let metrics = Metrics::open(folder.path(), 100).unwrap();
    check(&metrics, 3.0);
    let listed = metrics.list(&owner(), 0, 0, |_| true, 10);
    assert_eq!(listed.metrics, [metric]);
}

#[test]
fn periods_begin_where_the_range_does_and_end_is_left_out() {
    let (_folder, metrics) = open();
    let metric = Metric::new("N", "m", &[]);
    for at in [0, 60, 120, 180, 240] {
        metrics.put(&owner(), &metric, "None", at, 1.0).unwrap();
    }
    metrics.flush(&[]).unwrap();
    let found = points(&metrics, &metric, 60, 240, 120);
    assert_eq!(found.iter().map(|(at, point)| (*at, point.sum)).collect::<Vec<_>>(), [(60, 2.0), (180, 1.0)]);
    let owner = owner();
    let sums = Reading { percentiles: false, ..reading(&owner, &metric, 60, 240, 120) };
    let sums = metrics.read(&sums).unwrap();
    assert_eq!(sums["None"].iter().map(|(at, point)| (*at, point.sum)).collect::<Vec<_>>(), [(60, 2.0), (180, 1.0)]);
}

#[test]
fn units_and_owners_are_apart() {
    let (_folder, metrics) = open();
    let metric = Metric::new("N", "m", &[]);
    metrics.put(&owner(), &metric, "Count", 60, 1.0).unwrap();
    metrics.put(&owner(), &metric, "Seconds", 60, 2.0).unwrap();
    metrics.put(&Owner::new(ACCOUNT, "eu-west-1"), &metric, "Count", 60, 4.0).unwrap();
    let all = metrics.read(&reading(&owner(), &metric, 0, 600, 60)).unwrap();
    assert_eq!(all.keys().copied().collect::<Vec<_>>(), ["Count", "Seconds"]);
    let owner = owner();
    let one = Reading { unit: Some("Seconds"), ..reading(&owner, &metric, 0, 600, 60) };
    assert_eq!(metrics.read(&one).unwrap()["Seconds"][&60].sum, 2.0);
}

#[test]
fn more_series_than_configured_are_refused_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = Metrics::open(folder.path(), 1).unwrap();
    let put = |name: &str| metrics.put(&owner(), &Metric::new("N", name, &[]), "None", 0, 1.0);
    put("a").unwrap();
    put("a").unwrap();
    assert!(matches!(put("b"), Err(MetricsError::Full(1))));
    assert_eq!(metrics.refused(), 1);
}

#[test]
fn no_account_puts_so_many_that_others_or_the_server_have_no_room() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = Metrics::open(folder.path(), 40).unwrap();
    let put = |account: &str, namespace: &str, n: u32| {
        let metric = Metric::new(namespace, &format!("m{n}"), &[]);
        metrics.put(&Owner::new(account, "us-east-1"), &metric, "None", 0, 1.0)
    };
    (0..10).for_each(|n| put("1", "Mine", n).unwrap());
    assert!(matches!(put("1", "Mine", 10), Err(MetricsError::Full(10))));
    for account in ["2", "3"] {
        (0..10).for_each(|n| put(account, "Mine", n).unwrap());
    }
    assert!(matches!(put("4", "Mine", 0), Err(MetricsError::Full(40))));
    (0..10).for_each(|n| put("1", "AWS/Bedrock", n).unwrap());
    assert!(put("4", "AWS/Bedrock", 0).is_err());
}

#[test]
fn what_is_old_is_kept_coarser_and_nothing_of_its_sum_is_lost() {
    let (_folder, metrics) = open();
    let metric = Metric::new("N", "m", &[]);
    const DAY: i64 = 24 * 60 * 60;
    let now = 500 * DAY;
    let ages = [0, 10, 20, 50, 70, 400];
    for days in ages {
        for minute in 0..120 {
            metrics.put(&owner(), &metric, "None", now - days * DAY - minute * 60, 1.0).unwrap();
        }
    }
    metrics.put(&owner(), &metric, "None", now - 460 * DAY, 1.0).unwrap();
    metrics.flush(&[]).unwrap();
    while metrics.thin_out(1, now).unwrap().is_some() {}
    for days in ages {
        let around = points(&metrics, &metric, now - days * DAY - 2 * 3600, now - days * DAY + 3600, 60);
        let sum: f64 = around.values().map(|point| point.sum).sum();
        assert_eq!(sum, 120.0, "{days} days");
        let seconds = around.keys().zip(around.keys().skip(1)).map(|(a, b)| b - a).min().unwrap();
        let kept = if days < 15 {
            60
        } else if days < 63 {
            300
        } else {
            3600
        };
        assert_eq!(seconds, kept, "{days} days");
        let whole = points(&metrics, &metric, now - days * DAY - 2 * 3600, now - days * DAY + 3600, 3 * 3600);
        assert_eq!(whole.values().next().unwrap().percentile(50.0), Some(1.0));
    }
    assert!(points(&metrics, &metric, 0, now - 450 * DAY, 3600).is_empty());
}

#[test]
fn calls_become_the_metrics_of_bedrock() {
    let (_folder, metrics) = open();
    let mut calls = consumer(&metrics);
    let tokens = Tokens { input: 10, output: 4, cache_read: 100, cache_write: 3, cache_write_1h: 0 };
    let good = Entry { tokens, streamed: true, first_event_ms: Some(80.0), total_ms: 200.0, ..call(60) };
    let good = Entry { model: "m".into(), model_id: "m.old".into(), tier: Some("flex".into()), images: 2, ..good };
    let none = Entry { tokens: Tokens::default(), tier: None, images: 0, first_event_ms: None, ..good.clone() };
    let ended = |outcome| Entry { outcome, ..none.clone() };
    calls.take(&[
        good,
        ended(Outcome::ClientError),
        ended(Outcome::ServerError),
        ended(Outcome::Throttled),
        ended(Outcome::Throttled),
        ended(Outcome::Gone),
    ]);
    let sum = |name: &str, dimensions: &[(&str, &str)]| {
        let found = points(&metrics, &Metric::new("AWS/Bedrock", name, dimensions), 0, 600, 60);
        found.values().map(|point| point.sum).sum::<f64>()
    };
    let expected = [
        ("Invocations", 1.0),
        ("InvocationLatency", 200.0),
        ("InvocationClientErrors", 1.0),
        ("InvocationServerErrors", 1.0),
        ("InvocationThrottles", 2.0),
        ("InputTokenCount", 10.0),
        ("OutputTokenCount", 4.0),
        ("CacheReadInputTokens", 100.0),
        ("CacheWriteInputTokens", 3.0),
        ("OutputImageCount", 2.0),
        ("TimeToFirstToken", 80.0),
        ("EstimatedTPMQuotaUsage", 33.0),
        ("LegacyModelInvocations", 1.0),
    ];
    for (name, value) in expected {
        assert_eq!((sum(name, &[]), sum(name, &[("ModelId", "m")])), (value, value), "{name}");
    }
    let tiers = [("ModelId", "m"), ("ServiceTier", "flex"), ("ResolvedServiceTier", "default")];
    assert_eq!((sum("InputTokenCount", &tiers), sum("InputTokenCount", &tiers[..2])), (10.0, 10.0));
    assert_eq!(sum("InvocationThrottles", &tiers), 0.0);
}

#[test]
fn charges_add_up_exactly_over_restarts_and_begin_anew_each_month() {
    let folder = tempfile::tempdir().unwrap();
    let now = now();
    let told = |metrics: &Metrics| {
        let owner = Owner::new(ACCOUNT, charges::GLOBAL);
        let metric =
            Metric::new("AWS/Billing", "EstimatedCharges", &[("Currency", "USD"), ("ServiceName", "AmazonBedrock")]);
        let units = metrics.read(&reading(&owner, &metric, now - 600, now + 600, 1200)).unwrap();
        units["None"].values().map(|point| point.max).fold(0.0, f64::max)
    };
    let cost = |dollars: &str| Entry { cost: Some(dollars.parse().unwrap()), ..call(now) };
    for round in 1..=3 {
        let metrics = Arc::new(Metrics::open(folder.path(), 1000).unwrap());
        let mut calls = consumer(&metrics);
        calls.take(&[cost("0.1"), cost("0.2"), Entry { cost: None, ..call(now) }]);
        calls.tick();
        assert_eq!(told(&metrics), [0.3, 0.6, 0.9][round - 1], "round {round}");
        let month = Timestamp::from_second(now).unwrap().strftime("%Y-%m").to_string();
        assert_eq!(metrics.charges(&month).unwrap()[ACCOUNT], Decimal::new(3 * round as i64, 1));
    }
    let metrics = Arc::new(Metrics::open(folder.path(), 1000).unwrap());
    let mut calls = consumer(&metrics);
    let last_month = Entry { cost: Some(Decimal::from(1000)), ..call(now - 40 * 24 * 60 * 60) };
    calls.take(&[last_month, cost("0.1")]);
    calls.tick();
    assert_eq!(told(&metrics), 1.0);
}

/// A month of 1,000 models, each called every minute: `cargo nextest run --run-ignored only month` with the release
/// profile. Points of 60 seconds for 15 days and of 300 for the rest, as they are kept.
#[test]
#[ignore = "it writes some ten million rows"]
fn a_month_at_a_thousand_models() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = Metrics::open(folder.path(), 100_000).unwrap();
    let models: u32 = std::env::var("MODELS").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    const DAY: i64 = 24 * 60 * 60;
    let now = 1000 * DAY;
    let named = |model: u32| Metric::new("AWS/Bedrock", "InputTokenCount", &[("ModelId", &format!("model-{model}"))]);
    let mut random = fastrand::Rng::with_seed(5);
    for model in 0..models {
        let id = metrics.series(&owner(), &named(model), "Count").unwrap();
        let fine = (now - 15 * DAY..now).step_by(60);
        let coarse = (now - 31 * DAY..now - 15 * DAY).step_by(300);
        metrics.add(fine.chain(coarse).map(|at| (id, at, Point::of(random.f64() * 1000.0))));
        metrics.flush(&[]).unwrap();
    }
    let size = std::fs::metadata(folder.path().join("metrics.db")).unwrap().len();
    eprintln!("{models} models: {} MB", size / 1_000_000);
    for (name, period, percentiles) in
        [("sums by day", 86_400, false), ("sums by hour", 3600, false), ("p99 by day", 86_400, true)]
    {
        let mut took = Vec::new();
        for _ in 0..50 {
            let metric = named(random.u32(0..models));
            let begin = Instant::now();
            let owner = owner();
            let reading = Reading { percentiles, ..reading(&owner, &metric, now - 31 * DAY, now, period) };
            assert!(!metrics.read(&reading).unwrap().is_empty());
            took.push(begin.elapsed());
        }
        took.sort();
        eprintln!("{name}: median {:?}, 98th percentile {:?}", took[25], took[48]);
    }
}
