use std::collections::BTreeMap;

use super::*;
use crate::entry::tests::entry;
use crate::hub::Consumer;
use crate::{Entry, Outcome};

fn counted(labels: Labels, entries: &[Entry]) -> BTreeMap<&'static str, Family> {
    let mut calls = Calls::new(labels);
    calls.take(entries);
    calls.families().into_iter().map(|family| (family.name, family)).collect()
}

fn total(family: &Family, label: &str, value: &str) -> f64 {
    let of = |point: &&Point| point.labels.iter().any(|(key, known)| key == label && known == value);
    let number = |point: &Point| match &point.value {
        Value::Number(number) => *number,
        Value::Histogram(histogram) => histogram.count() as f64,
    };
    family.points.iter().filter(of).map(number).sum()
}

#[test]
fn calls_are_counted_by_how_they_ended() {
    let streamed = Entry { streamed: true, first_event_ms: Some(20.0), total_ms: 210.0, ..entry() };
    let throttled = Entry {
        outcome: Outcome::Throttled,
        error: Some("ThrottlingException".into()),
        tokens: Default::default(),
        attempts: 2,
        cost: None,
        ..entry()
    };
    let unpriced = Entry { cost: None, cached: true, attempts: 0, ..entry() };
    let families = counted(Labels::default(), &[entry(), streamed, throttled, unpriced]);
    let calls = &families["outcrop.calls"];
    assert_eq!(total(calls, "outcome", "answered"), 3.0);
    assert_eq!(total(calls, "outcome", "throttled"), 1.0);
    assert_eq!(total(&families["outcrop.tokens"], "gen_ai.token.type", "input"), 300.0);
    assert_eq!(total(&families["gen_ai.client.token.usage"], "gen_ai.token.type", "output"), 3.0);
    assert_eq!(total(&families["gen_ai.server.request.duration"], "error.type", "ThrottlingException"), 1.0);
    let sum = |name: &str| total(&families[name], "gen_ai.operation.name", "chat");
    assert_eq!((sum("outcrop.attempts"), sum("outcrop.fallbacks"), sum("outcrop.throttles")), (4.0, 1.0, 1.0));
    assert_eq!((sum("outcrop.cache_hits"), sum("outcrop.unpriced"), sum("outcrop.cost")), (1.0, 1.0, 0.0001));
    assert_eq!(sum("gen_ai.server.request.duration"), 4.0);
    assert_eq!(sum("gen_ai.server.time_to_first_token"), 1.0, "of streams only");
    let Value::Histogram(each) = &families["gen_ai.server.time_per_output_token"].points[0].value else { panic!() };
    assert!((each.sum - 0.19 / 19.0).abs() < 1e-9, "{}", each.sum);
}

#[test]
fn labels_that_were_asked_for_have_a_cap() {
    let labels = Labels { labels: vec!["tag:team".parse().unwrap(), "account".parse().unwrap()], values: 2 };
    let of = |team: &str| Entry { tags: BTreeMap::from([("team".into(), team.into())]), ..entry() };
    let families = counted(labels, &[of("a"), of("b"), of("c"), of("d"), of("a"), entry()]);
    let calls = &families["outcrop.calls"];
    let by = |team: &str| total(calls, "outcrop.tag.team", team);
    assert_eq!((by("a"), by("b"), by("other"), by("")), (2.0, 1.0, 2.0, 1.0));
    assert_eq!(total(calls, "outcrop.account", "111122223333"), 6.0);
    for wrong in ["key", "tag:", "principal", "metadata"] {
        assert!(wrong.parse::<Label>().is_err(), "{wrong}");
    }
}

#[test]
fn a_hundred_thousand_models_are_bounded_and_no_call_is_lost() {
    let entries: Vec<Entry> = (0..100_000).map(|n| Entry { model: format!("m{n}"), ..entry() }).collect();
    let families = counted(Labels::default(), &entries);
    let calls = &families["outcrop.calls"];
    assert_eq!(calls.points.len(), 10_001);
    assert_eq!(total(calls, "gen_ai.request.model", "other"), 90_000.0);
    assert_eq!(total(calls, "outcome", "answered"), 100_000.0);
    let Value::Number(overflowed) = families["outcrop.metrics.overflowed"].points[0].value else { panic!() };
    assert_eq!(overflowed, 90_000.0);
}

#[test]
fn a_value_on_a_bound_is_in_its_bucket() {
    let mut histogram = Histogram::new(&[1.0, 2.0]);
    [0.5, 1.0, 1.5, 2.0, 3.0, f64::NAN].into_iter().for_each(|value| histogram.record(value));
    assert_eq!((&*histogram.counts, histogram.count(), histogram.sum), (&[2, 2, 1][..], 5, 8.0));
}

#[test]
fn one_family_from_two_sources_is_one() {
    let meters = Meters::default();
    for who in ["a", "b"] {
        meters.add(move || {
            let mut family = Family::gauge("x", Unit::Ratio, "X.");
            family.push([("who", who)], 0.5);
            vec![family, Family::gauge("empty", Unit::Ratio, "Nothing.")]
        });
    }
    let gathered = meters.gather();
    assert_eq!((gathered.len(), gathered[0].points.len()), (1, 2));
}

#[test]
fn the_process_tells_of_itself() {
    let meters = Meters::default();
    meters.add(Process::default());
    let gathered = meters.gather();
    let value = |name: &str| match gathered.iter().find(|family| family.name == name).unwrap().points[0].value {
        Value::Number(number) => number,
        Value::Histogram(_) => panic!("{name}"),
    };
    assert!(value("process.start_time") > 1.7e9);
    if cfg!(target_os = "linux") {
        assert!(value("process.resident_memory") > 1e5 && value("process.open_fds") >= 3.0);
        assert!(value("process.cpu") >= 0.0 && value("process.threads") >= 1.0);
    }
}
