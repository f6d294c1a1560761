use std::time::Duration;

use super::*;

const ACCOUNT: &str = "111122223333";

fn quotas(settings: Settings) -> Quotas {
    Quotas::default().under(settings)
}

fn content(units: u64) -> TextUnits {
    TextUnits { content: units, word: units, ..TextUnits::default() }
}

#[test]
fn a_second_has_its_units_and_the_next_one_too() {
    let quotas = quotas(Settings { content: Some(10), ..Settings::default() });
    let start = Instant::now();
    let take = |units, region, after| {
        quotas.take(ACCOUNT, region, &content(units), true, start + Duration::from_millis(after))
    };
    assert!(take(6, "us-east-1", 0).is_ok() && take(4, "us-east-1", 0).is_ok());
    let refused = take(1, "us-east-1", 0).unwrap_err();
    assert_eq!(refused.kind, Kind::Throttling);
    assert_eq!(
        refused.message,
        "Too many requests sent to ApplyGuardrail: On-demand ApplyGuardrail content filter policy (Classic tier) text \
         units per second limit exceeded."
    );
    assert!(take(1, "eu-west-1", 0).is_ok(), "Regions are apart");
    assert!(take(5, "us-east-1", 400).is_err() && take(4, "us-east-1", 400).is_ok());
}

#[test]
fn what_is_larger_than_a_second_is_let_in_and_paid_off() {
    let quotas = quotas(Settings { content: Some(10), ..Settings::default() });
    let start = Instant::now();
    let take =
        |units, after| quotas.take(ACCOUNT, "us-east-1", &content(units), true, start + Duration::from_secs(after));
    assert!(take(35, 0).is_ok());
    assert!(take(1, 2).is_err() && take(1, 3).is_ok());
}

#[test]
fn answers_are_counted_and_never_refused() {
    let quotas = quotas(Settings { content: Some(10), ..Settings::default() });
    quotas.count(ACCOUNT, "us-east-1", &content(50));
    quotas.count(ACCOUNT, "us-east-1", &content(50));
    assert!(quotas.admit(ACCOUNT, "us-east-1", &content(1)).is_err());
    let words = TextUnits { word: 1_000, ..TextUnits::default() };
    assert!(quotas.admit(ACCOUNT, "us-east-1", &words).is_ok(), "words have no limit here");
    assert!(quotas.under(Settings::default()).admit(ACCOUNT, "us-east-1", &content(1)).is_ok());
}

#[test]
fn accounts_beyond_the_bound_share_one() {
    let quotas = quotas(Settings { content: Some(1), ..Settings::default() });
    let now = Instant::now();
    for account in 0..MOST + 10 {
        let _ = quotas.take(&account.to_string(), "r", &content(1), true, now);
    }
    assert_eq!(quotas.taken.lock().unwrap().len(), MOST + 1);
    assert!(quotas.take("another", "r", &content(1), true, now).is_err());
    assert!(quotas.take("another", "r", &content(1), true, now + Duration::from_secs(60)).is_ok());
    assert_eq!(quotas.taken.lock().unwrap().len(), 1);
}
