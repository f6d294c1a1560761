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
            prop_assert_eq!(columns.allowed(filter).unwrap().iter().collect::<Vec<_>>(), expected, "{:?}", filter);
        }
        for (slot, metadata) in chunks.iter().enumerate().filter(|(slot, _)| !removed[*slot]) {
            columns.remove(slot as u32, metadata);
        }
        prop_assert!(columns.keys.is_empty());
    }
}

fn numbered(chunks: u32) -> Columns {
    let mut columns = Columns::default();
    for slot in 0..chunks {
        let text = |of: &str| Value::String(format!("{of}-{slot}"));
        columns.add(slot, [("id".to_owned(), text("id")), (format!("{OWN}start"), text("at"))].into());
    }
    columns
}

/// Conditions on an attribute of which each chunk has another value cost as many comparisons as there are chunks, each.
#[test]
fn a_filter_that_compares_too_much_is_refused() {
    let columns = numbered(10);
    let part = |key: &str| Filter::StringContains(key.to_owned(), "-7".to_owned());
    let twice = Filter::Any(vec![part("id"), Filter::All(vec![part("id")])]);
    assert_eq!(columns.within(&twice, &mut 20).unwrap().iter().collect::<Vec<_>>(), [7]);
    let refused = columns.within(&twice, &mut 19);
    assert!(matches!(refused, Err(VectorError::Invalid(why)) if why.contains("fewer conditions")));
    // What is looked up costs no more than it lists.
    let three = ["id-1", "id-2", "none"].map(str::to_owned).to_vec();
    let listed = Filter::In("id".to_owned(), three.clone());
    assert_eq!(columns.within(&listed, &mut 3).unwrap().iter().collect::<Vec<_>>(), [1, 2]);
    let others = Filter::NotIn("id".to_owned(), three);
    assert_eq!(columns.within(&others, &mut 13).unwrap().len(), 8);
    assert!(columns.within(&others, &mut 12).is_err());
}

#[test]
fn what_no_filter_names_is_not_indexed() {
    let columns = numbered(3);
    assert_eq!(columns.keys.keys().collect::<Vec<_>>(), ["id"]);
    assert!(columns.allowed(&Filter::StartsWith(format!("{OWN}start"), "at".to_owned())).unwrap().is_empty());
}
