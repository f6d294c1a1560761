use super::*;

fn numbers(range: std::ops::Range<i32>) -> Vec<i32> {
    range.collect()
}

#[test]
fn whole_chunks_of_a_common_beginning_are_found() {
    let mut prefixes = Prefixes::new(100);
    prefixes.keep("a", &numbers(0..12), "state", 10);
    let mut other = numbers(0..7);
    other.extend([99; 9]);
    assert_eq!(prefixes.find("a", &other, 4), Some((4, 12, &"state")));
    assert_eq!(prefixes.find("a", &numbers(0..12), 4), Some((12, 12, &"state")));
    assert_eq!(prefixes.find("a", &numbers(0..3), 4), None);
    assert_eq!(prefixes.find("a", &numbers(1..12), 4), None);
}

#[test]
fn no_scope_sees_another() {
    let mut prefixes = Prefixes::new(100);
    prefixes.keep("a", &numbers(0..8), (), 10);
    assert_eq!(prefixes.find("b", &numbers(0..8), 4), None);
    assert!(prefixes.wants("b", &numbers(0..8)));
}

#[test]
fn a_longer_prefix_replaces_what_it_contains() {
    let mut prefixes = Prefixes::new(100);
    prefixes.keep("a", &numbers(0..4), 1, 10);
    prefixes.keep("b", &numbers(0..4), 2, 10);
    prefixes.keep("a", &numbers(0..8), 3, 20);
    assert_eq!(prefixes.bytes(), 30);
    assert_eq!(prefixes.find("a", &numbers(0..4), 4), Some((4, 8, &3)));
    assert!(!prefixes.wants("a", &numbers(0..4)));
    assert!(!prefixes.wants("a", &[]));
}

#[test]
fn the_least_recently_used_goes_first() {
    let mut prefixes = Prefixes::new(25);
    prefixes.keep("a", &numbers(0..4), 1, 10);
    prefixes.keep("a", &numbers(10..14), 2, 10);
    assert!(prefixes.find("a", &numbers(0..4), 4).is_some());
    prefixes.keep("a", &numbers(20..24), 3, 10);
    assert_eq!(prefixes.find("a", &numbers(10..14), 4), None);
    assert!(prefixes.find("a", &numbers(0..4), 4).is_some());
    prefixes.keep("a", &numbers(30..34), 4, 26);
    assert_eq!(prefixes.find("a", &numbers(30..34), 4), None);
    assert_eq!(prefixes.bytes(), 20);
}
