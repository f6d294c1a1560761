use super::*;

fn seen(text: &str) -> Vec<u32> {
    features(text, &Rules::new().unwrap()).buckets
}

#[test]
fn every_feature_counts_once_and_order_matters_to_pairs_only() {
    assert_eq!(seen("kill kill kill").len(), seen("kill kill").len());
    let (one, other) = (seen("kill a process"), seen("process a kill"));
    assert_ne!(one, other);
    let shared = one.iter().filter(|bucket| other.contains(bucket)).count();
    assert!(shared * 5 > one.len() * 4, "{shared} of {}", one.len());
}

#[test]
fn any_text_has_features_of_bounded_number() {
    assert!(seen("").is_empty());
    assert!(seen("é漢字\u{301} …").len() > 3);
    assert!(seen(&"x".repeat(100_000)).len() < 200);
    assert!(seen("some text").iter().all(|bucket| (*bucket as usize) < BUCKETS));
}
