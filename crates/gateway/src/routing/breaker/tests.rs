use std::time::Duration;

use super::{Breaker, BreakerSettings, Entry, Standing};

const S: BreakerSettings = BreakerSettings {
    consecutive: 3,
    ratio: 0.5,
    minimum: 10,
    window: Duration::from_secs(10),
    pause: Duration::from_secs(1),
    longest: Duration::from_secs(4),
};

fn broken() -> Breaker {
    let breaker = Breaker::default();
    assert!(!breaker.failed(Entry::Usual, &S));
    assert!(!breaker.failed(Entry::Usual, &S));
    assert!(breaker.failed(Entry::Usual, &S));
    breaker
}

#[tokio::test(start_paused = true)]
async fn opens_after_failures_in_a_row_and_recovers_by_one_probe() {
    let breaker = broken();
    assert!(breaker.enter().is_err());
    tokio::time::advance(Duration::from_millis(1101)).await;
    assert_eq!(breaker.standing(), Standing::HalfOpen);
    assert_eq!(breaker.enter(), Ok(Entry::Probe));
    // One at a time, and what began before it opened has no say.
    assert_eq!(breaker.enter(), Err(Duration::ZERO));
    breaker.succeeded(Entry::Usual, &S);
    assert_eq!(breaker.enter(), Err(Duration::ZERO));
    breaker.succeeded(Entry::Probe, &S);
    assert_eq!(breaker.enter(), Ok(Entry::Usual));
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_up_to_the_longest_and_begin_anew_after_health() {
    let breaker = broken();
    for expected in [1.0, 2.0, 4.0, 4.0] {
        let Standing::Open(left) = breaker.standing() else { panic!("not open") };
        assert!((left.as_secs_f64() / expected - 1.0).abs() <= 0.11, "{left:?} for {expected}");
        tokio::time::advance(left).await;
        assert_eq!(breaker.enter(), Ok(Entry::Probe));
        assert!(breaker.failed(Entry::Probe, &S));
    }
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(breaker.enter(), Ok(Entry::Probe));
    breaker.succeeded(Entry::Probe, &S);
    assert_eq!((0..3).filter(|_| breaker.failed(Entry::Usual, &S)).count(), 1);
    assert!(matches!(breaker.standing(), Standing::Open(left) if left < Duration::from_millis(1101)));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_nobody_waited_for_lets_the_next_one_try() {
    let breaker = broken();
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(breaker.enter(), Ok(Entry::Probe));
    breaker.abandoned(Entry::Probe);
    assert_eq!(breaker.enter(), Ok(Entry::Probe));
}

#[tokio::test(start_paused = true)]
async fn opens_on_a_share_of_failures_in_one_window() {
    let breaker = Breaker::default();
    let turn = |fails: bool| match fails {
        true => breaker.failed(Entry::Usual, &S),
        false => {
            breaker.succeeded(Entry::Usual, &S);
            false
        }
    };
    // Four of nine, in a window that ends.
    assert!(!(0..9).any(|n| turn(n % 2 == 1)));
    tokio::time::advance(Duration::from_secs(10)).await;
    // The old window does not count: the tenth call of the new one is the first that may open it.
    let opened: Vec<bool> = (0..12).map(|n| turn(n % 2 == 1)).collect();
    assert_eq!(opened.iter().position(|o| *o), Some(9));
}
