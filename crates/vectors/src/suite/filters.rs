//! Every filter, against what [`Filter::passes`] says.

use super::*;

fn samples() -> Vec<Metadata> {
    let list = |of: &[&str]| Value::List(of.iter().map(|s| (*s).to_owned()).collect());
    vec![
        Metadata::new(),
        metadata([("k", string("red"))]),
        metadata([("k", string("reddish")), ("n", Value::Number(1.0))]),
        metadata([("k", string("blue")), ("n", Value::Number(2.0))]),
        metadata([("k", string("")), ("n", Value::Number(-1.5))]),
        metadata([("k", Value::Number(1.0)), ("n", Value::Number(2020.0))]),
        metadata([("k", Value::Number(0.0))]),
        metadata([("k", Value::Boolean(true))]),
        metadata([("k", Value::Boolean(false)), ("n", string("2"))]),
        metadata([("k", list(&["red", "blue"]))]),
        metadata([("k", list(&["infrared"]))]),
        metadata([("k", string("it's \"quoted\" 100% _ \\ {\"a\":1}"))]),
        metadata([("K", string("red")), ("other key", string("ümlaut"))]),
    ]
}

fn singles() -> Vec<Filter> {
    let k = || "k".to_owned();
    let strings = |of: &[&str]| of.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let values = [
        string("red"),
        string(""),
        string("2"),
        string("it's \"quoted\" 100% _ \\ {\"a\":1}"),
        Value::Number(1.0),
        Value::Number(0.0),
        Value::Boolean(true),
        Value::Boolean(false),
        Value::List(strings(&["red", "blue"])),
    ];
    let mut filters = Vec::new();
    for value in values {
        filters.push(Filter::Equals(k(), value.clone()));
        filters.push(Filter::NotEquals(k(), value));
    }
    for number in [-2.0, 1.0, 1.5, 2020.0] {
        for key in ["k", "n", "absent"].map(str::to_owned) {
            filters.push(Filter::GreaterThan(key.clone(), number));
            filters.push(Filter::GreaterThanOrEquals(key.clone(), number));
            filters.push(Filter::LessThan(key.clone(), number));
            filters.push(Filter::LessThanOrEquals(key, number));
        }
    }
    for of in [strings(&["red", "blue"]), strings(&["2"]), strings(&["none"])] {
        filters.push(Filter::In(k(), of.clone()));
        filters.push(Filter::NotIn(k(), of.clone()));
        filters.push(Filter::In("n".to_owned(), of));
    }
    for part in ["red", "r", "100%", "_", "", "\\", "it's", "RED"] {
        filters.push(Filter::StartsWith(k(), part.to_owned()));
        filters.push(Filter::StringContains(k(), part.to_owned()));
        filters.push(Filter::ListContains(k(), part.to_owned()));
    }
    filters.push(Filter::Equals("other key".to_owned(), string("ümlaut")));
    filters
}

async fn filled(engine: &dyn Engine, base: &str) -> Arc<dyn Index> {
    let index = opened(engine, base).await;
    let mut documents = Vec::new();
    for (at, metadata) in samples().into_iter().enumerate() {
        let id = format!("m{at:02}");
        documents.push(document("s", &id, vec![Record { metadata, ..record(&id, "text", [1.0, 0.5, 0.0, 0.0]) }]));
    }
    index.replace(documents).await.unwrap();
    index
}

async fn agrees(index: &dyn Index, filter: Filter) {
    let passing = |(_, metadata): &(usize, Metadata)| filter.passes(metadata);
    let passing = samples().into_iter().enumerate().filter(passing);
    let expected: Vec<String> = passing.map(|(at, _)| format!("m{at:02}")).collect();
    assert_eq!(sorted_ids(index, within(filter.clone())).await, expected, "{filter:?}");
}

pub(super) async fn each(engine: &dyn Engine) {
    let index = filled(engine, "suite-filters").await;
    for filter in singles() {
        agrees(&*index, filter).await;
    }
}

pub(super) async fn nested(engine: &dyn Engine) {
    let index = filled(engine, "suite-nested").await;
    let singles = singles();
    for two in singles.windows(2).step_by(5) {
        agrees(&*index, Filter::All(two.to_vec())).await;
        agrees(&*index, Filter::Any(two.to_vec())).await;
        let inner = Filter::Any(two.to_vec());
        agrees(&*index, Filter::All(vec![inner, Filter::NotEquals("k".to_owned(), string("blue"))])).await;
    }
    agrees(&*index, Filter::All(Vec::new())).await;
    agrees(&*index, Filter::Any(Vec::new())).await;
}

/// A filter narrows what is searched, not what was found.
pub(super) async fn within_search(engine: &dyn Engine) {
    let index = opened(engine, "suite-within").await;
    let mut records: Vec<Record> =
        (0..200).map(|at| record(&format!("near{at}"), "near word", [1.0, 0.001 * at as f32, 0.0, 0.0])).collect();
    for at in 0..3 {
        let mut far = record(&format!("far{at}"), "far word", [0.0, 0.1 * at as f32, 1.0, 0.0]);
        far.metadata = metadata([("rare", Value::Boolean(true))]);
        records.push(far);
    }
    index.replace(vec![document("s", "a", records)]).await.unwrap();
    let rare = Filter::Equals("rare".to_owned(), Value::Boolean(true));
    for mode in [Mode::Semantic, Mode::Hybrid] {
        let query = Query { mode, text: "near word".to_owned(), limit: 3, ..within(rare.clone()) };
        assert_eq!(sorted_ids(&*index, query).await, ["far0", "far1", "far2"]);
    }
}
