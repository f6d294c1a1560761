use proptest::prelude::*;

use super::Lot;

fn first(lot: Lot<'_>, targets: &[(&str, f64, u64)]) -> usize {
    let keys: Vec<f64> = targets.iter().map(|(name, weight, load)| lot.key(name, *weight, *load)).collect();
    (0..keys.len()).min_by(|a, b| keys[*a].total_cmp(&keys[*b])).unwrap()
}

fn shares(n: u32, targets: &[(&str, f64, u64)], mut lot: impl FnMut(u32, &[(&str, f64, u64)]) -> usize) -> Vec<f64> {
    let mut counts = vec![0u32; targets.len()];
    (0..n).for_each(|i| counts[lot(i, targets)] += 1);
    counts.iter().map(|count| f64::from(*count) / f64::from(n)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Both by chance and by value, each target gets the share that its weight says.
    #[test]
    fn shares_are_the_weights(weights in prop::collection::vec(0.5f64..10.0, 2..5), seed in any::<u32>()) {
        let names = ["a", "b", "c", "d"];
        let targets: Vec<_> = weights.iter().zip(names).map(|(w, name)| (name, *w, 0)).collect();
        let total: f64 = weights.iter().sum();
        let by_chance = shares(20_000, &targets, |_, t| first(Lot::Chance, t));
        let by_value = shares(20_000, &targets, |i, t| {
            first(Lot::Value { route: "m", value: &format!("user-{seed}-{i}") }, t)
        });
        for ((w, chance), value) in weights.iter().zip(by_chance).zip(by_value) {
            prop_assert!((chance - w / total).abs() < 0.02, "{chance} for {}", w / total);
            prop_assert!((value - w / total).abs() < 0.02, "{value} for {}", w / total);
        }
    }

    /// The same value chooses the same target, and a new target takes calls only for itself.
    #[test]
    fn who_is_added_moves_only_its_own(value in "[a-z0-9]{1,20}", weight in 0.1f64..10.0) {
        let lot = Lot::Value { route: "m", value: &value };
        let two = [("a", 1.0, 0), ("b", 2.0, 0)];
        let three = [("a", 1.0, 0), ("b", 2.0, 0), ("c", weight, 0)];
        let (before, after) = (first(lot, &two), first(lot, &three));
        prop_assert_eq!(before, first(lot, &two));
        prop_assert!(after == before || after == 2);
    }
}

#[test]
fn the_least_loaded_for_its_weight_is_first_and_no_weight_is_last() {
    assert_eq!(first(Lot::Load, &[("a", 1.0, 100), ("b", 1.0, 99)]), 1);
    assert_eq!(first(Lot::Load, &[("a", 4.0, 100), ("b", 1.0, 99)]), 0);
    assert_eq!(first(Lot::Load, &[("a", 0.0, 0), ("b", 1.0, 1_000_000)]), 1);
    assert_eq!(first(Lot::Chance, &[("a", 0.0, 0), ("b", 0.001, 0)]), 1);
    let ties = shares(2000, &[("a", 1.0, 7), ("b", 1.0, 7)], |_, t| first(Lot::Load, t));
    assert!((ties[0] - 0.5).abs() < 0.1);
}
