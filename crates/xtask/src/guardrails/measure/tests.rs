use super::*;

#[test]
fn recall_is_counted_above_what_flags_that_share() {
    let negatives: Vec<f32> = (0..100).map(|n| n as f32).collect();
    assert_eq!(recall_at(0.02, &negatives, &[97.0, 97.5, 98.0, 120.0]), 0.75);
    assert_eq!(recall_at(0.02, &negatives, &[]), 0.0);
}

#[test]
fn the_area_counts_ties_half() {
    assert_eq!(auc(&[(0.1, false), (0.9, true)]), 1.0);
    assert_eq!(auc(&[(0.5, false), (0.5, true)]), 0.5);
    assert_eq!(auc(&[(0.9, false), (0.1, true), (0.95, true)]), 0.5);
}
