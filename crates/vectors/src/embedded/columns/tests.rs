use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![Just(0.0), Just(-0.0), Just(1.0), -3.0..3.0, Just(f64::NAN), Just(f64::INFINITY)];
    prop_oneof![
        any::<bool>().prop_map(Value::Boolean),
        number.prop_map(Value::Number),
        "[ab]{0,3}".prop_map(Value::String),
        prop::collection::vec("[ab]{0,2}", 0..3).prop_map(Value::List),
    ]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    prop::collection::btree_map("[xyz]", value(), 0..4)
}

fn filter() -> impl Strategy<Value = Filter> {
    let key = || "[xyz]".prop_map(String::from);
    let single = prop_oneof![
        (key(), value()).prop_map(|(k, v)| Filter::Equals(k, v)),
        (key(), value()).prop_map(|(k, v)| Filter::NotEquals(k, v)),
        (key(), -3.0..3.0).prop_map(|(k, v)| Filter::GreaterThan(k, v)),
        (key(), prop_oneof![Just(0.0), Just(1.0)]).prop_map(|(k, v)| Filter::GreaterThanOrEquals(k, v)),
        (key(), -3.0..3.0).prop_map(|(k, v)| Filter::LessThan(k, v)),
        (key(), prop_oneof![Just(0.0), Just(1.0)]).prop_map(|(k, v)| Filter::LessThanOrEquals(k, v)),
        (key(), prop::collection::vec("[ab]{0,2}", 0..3)).prop_map(|(k, v)| Filter::In(k, v)),
        (key(), prop::collection::vec("[ab]{0,2}", 0..3)).prop_map(|(k, v)| Filter::NotIn(k, v)),
        (key(), "[ab]{0,2}").prop_map(|(k, v)| Filter::StartsWith(k, v)),
        (key(), "[ab]{0,2}").prop_map(|(k, v)| Filter::ListContains(k, v)),
        (key(), "[ab]{0,2}").prop_map(|(k, v)| Filter::StringContains(k, v)),
    ];
    single.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::All),
            prop::collection::vec(inner, 0..4).prop_map(Filter::Any),
        ]
    })
}

proptest! {
    /// What columns let through is what passes, whatever was added, changed and removed before.
    #[test]
    fn agrees_with_what_a_filter_means(
        chunks in prop::collection::vec(metadata(), 0..20),
        removed in prop::collection::vec(any::<bool>(), 20),
        filters in prop::collection::vec(filter(), 1..10),
    ) {
        let mut columns = Columns::default();
        for (slot, metadata) in chunks.iter().enumerate() {
            columns.add(slot as u32, metadata.clone());
        }
        for (slot, metadata) in chunks.iter().enumerate().filter(|(slot, _)| removed[*slot]) {
            columns.remove(slot as u32, metadata);
        }
        for filter in &filters {
            let passing = chunks.iter().enumerate().filter(|(slot, m)| !removed[*slot] && filter.passes(m));
            let expected: Vec<u32> = passing.map(|(slot, _)| slot as u32).collect();
            prop_assert_eq!(columns.allowed(filter).iter().collect::<Vec<_>>(), expected, "{:?}", filter);
        }
        for (slot, metadata) in chunks.iter().enumerate().filter(|(slot, _)| !removed[*slot]) {
            columns.remove(slot as u32, metadata);
        }
        prop_assert!(columns.keys.is_empty());
    }
}
