use proptest::prelude::*;

use super::Budget;

proptest! {
    /// Whatever comes in whatever order, repetitions are at most the reserve and their share of the calls.
    #[test]
    fn repetitions_stay_within_their_share(share in 0.0f64..=1.0, turns in prop::collection::vec(any::<bool>(), 0..2000)) {
        let budget = Budget::default();
        let (mut calls, mut repeats) = (0u32, 0u32);
        for call in turns {
            if call {
                budget.deposit(share);
                calls += 1;
            } else if budget.withdraw() {
                repeats += 1;
            }
        }
        prop_assert!(f64::from(repeats) <= 10.0 + share * f64::from(calls) + 1e-6);
    }
}

#[test]
fn a_quiet_route_may_repeat_and_a_storm_may_not() {
    let budget = Budget::default();
    assert_eq!((0..100).filter(|_| budget.withdraw()).count(), 10);
    (0..10).for_each(|_| budget.deposit(0.2));
    assert_eq!((0..100).filter(|_| budget.withdraw()).count(), 2);
    (0..100_000).for_each(|_| budget.deposit(0.2));
    assert_eq!((0..100).filter(|_| budget.withdraw()).count(), 10);
}
