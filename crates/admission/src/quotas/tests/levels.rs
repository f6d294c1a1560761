use proptest::prelude::*;

use super::super::level::{Level, Mark};
use super::*;

/// What may happen to a quota.
#[derive(Debug, Clone)]
enum Step {
    Wait(f64),
    Begin {
        reserve: u64,
        take: f64,
    },
    /// The call at this place, as far as there are any, ends; unsettled where it is false.
    End(usize, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0.0..20.0).prop_map(Step::Wait),
        (1_u64..700, 0.0..=1.0).prop_map(|(reserve, take)| Step::Begin { reserve, take }),
        (any::<usize>(), any::<bool>()).prop_map(|(at, settled)| Step::End(at, settled)),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    /// However calls begin and end, what they take in any window is at most the quota and what comes back in it.
    #[test]
    fn no_window_has_more_than_the_quota_and_what_comes_back(steps in steps()) {
        const QUOTA: u64 = 1_000;
        let (quotas, mut clock) = (Quotas::new(minute(QUOTA)), Clock::new());
        let start = clock.now().at;
        // When each call began, and what it took in the end.
        let (mut all, mut running) = (Vec::<(f64, u64)>::new(), Vec::<(usize, Hold, u64)>::new());
        for step in steps {
            match step {
                Step::Wait(seconds) => _ = clock.on(seconds),
                Step::Begin { reserve, take } => {
                    let took = (reserve as f64 * take) as u64;
                    if let Ok(hold) = quotas.admit_at(&call("AKIA1", reserve, 0), clock.now()) {
                        let at = clock.now().at.duration_since(start).as_secs_f64();
                        // While it runs it may take all that it reserved.
                        running.push((all.len(), hold, took));
                        all.push((at, reserve));
                    }
                }
                Step::End(at, settled) => if !running.is_empty() {
                    let (index, mut hold, took) = running.swap_remove(at % running.len());
                    all[index].1 = if settled { took } else { 0 };
                    if settled {
                        hold.settle(&spent(took, 0));
                    }
                    hold.drop_at(clock.now());
                },
            }
            for (from, (begin, _)) in all.iter().enumerate() {
                let mut sum = 0_u64;
                for (end, took) in &all[from..] {
                    sum += took;
                    let most = QUOTA as f64 + (end - begin) * QUOTA as f64 / 60.0;
                    prop_assert!(sum as f64 <= most + 1.0, "{sum} in {} s", end - begin);
                }
            }
        }
        // What never ended is left behind: it is not given back while the test cleans up.
        running.clear();
    }

    /// A level is never below nothing, nor above what was taken.
    #[test]
    fn a_level_is_never_less_than_nothing(parts in prop::collection::vec((0_u64..1_000_000, 0.0..30.0_f64), 1..50)) {
        let mut now = Instant::now();
        let (mut level, mut marks, mut sum) = (Level::new(now), Vec::<(Mark, u64)>::new(), 0.0);
        for (amount, wait) in parts {
            now += Duration::from_secs_f64(wait);
            level.now(amount, now);
            marks.push((level.take(amount), amount));
            sum += amount as f64;
            let (is, _) = level.last();
            prop_assert!((0.0..=sum + 1e-6).contains(&is), "{is} of {sum}");
        }
        for (mark, amount) in marks {
            level.give_back(mark, amount);
        }
        let (is, _) = level.last();
        prop_assert!(is.is_finite() && (0.0..1e-3).contains(&is), "all was given back: {is}");
    }
}

#[test]
fn tokens_that_came_back_by_themselves_are_not_given_back_again() {
    let (quotas, mut clock) = (Quotas::new(minute(600)), Clock::new());
    let mut first = quotas.admit_at(&call("AKIA1", 600, 0), clock.now()).unwrap();
    let mut second = quotas.admit_at(&call("AKIA1", 600, 0), clock.on(60.0)).unwrap();
    first.drop_at(clock.now());
    assert!(quotas.admit_at(&call("AKIA1", 1, 0), clock.now()).is_err(), "the second has all of them");
    second.drop_at(clock.now());
    assert!(quotas.whole("AKIA1", 600, clock.now()).is_ok());
}

#[test]
fn what_was_used_beyond_is_owed() {
    let (quotas, mut clock) = (Quotas::new(minute(600)), Clock::new());
    let mut hold = quotas.admit_at(&call("AKIA1", 100, 0), clock.now()).unwrap();
    hold.settle(&spent(100, 1_100));
    hold.drop_at(clock.now());
    let wait = quotas.whole("AKIA1", 600, clock.now()).unwrap_err().retry_after.unwrap();
    assert!((119.9..120.1).contains(&wait.as_secs_f64()), "{wait:?}");
    assert!(quotas.whole("AKIA1", 600, clock.on(120.1)).is_ok());
    // An hour back on the wall changes nothing, neither way.
    let back = clock.shows(NOON - 3_600);
    assert!(quotas.whole("AKIA1", 1, back).is_err());
    clock.on(1.0);
    assert!(quotas.whole("AKIA1", 10, clock.shows(NOON - 3_599)).is_ok());
}
