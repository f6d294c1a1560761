use outcrop_api::bedrock_agent_runtime::{FilterAttribute, RetrievalFilter};
use outcrop_vectors::{Filter, Value};
use serde_json::json;

use super::{CONDITIONS, DEPTH, Lacks, filter};

fn at(key: &str, value: serde_json::Value) -> FilterAttribute {
    FilterAttribute { key: key.into(), value }
}

fn refused(given: RetrievalFilter) -> String {
    filter(&given, Lacks::default()).expect_err("refused").to_string()
}

#[test]
fn operators_keep_their_keys_and_values() {
    let given = RetrievalFilter::AndAll(vec![
        RetrievalFilter::Equals(at("team", json!("search"))),
        RetrievalFilter::OrAll(vec![
            RetrievalFilter::GreaterThanOrEquals(at("year", json!(2020))),
            RetrievalFilter::In(at("kind", json!(["adr", "runbook"]))),
        ]),
    ]);
    let read = filter(&given, Lacks::default()).expect("a filter");
    assert_eq!(
        read,
        Filter::All(vec![
            Filter::Equals("team".into(), Value::String("search".into())),
            Filter::Any(vec![
                Filter::GreaterThanOrEquals("year".into(), 2020.0),
                Filter::In("kind".into(), vec!["adr".into(), "runbook".into()]),
            ]),
        ])
    );
}

#[test]
fn what_is_malformed_is_refused_by_name() {
    let text = refused(RetrievalFilter::GreaterThan(at("year", json!("2020"))));
    assert_eq!(text, "The filter's greaterThan of year needs a number as its value, not a string.");
    assert!(refused(RetrievalFilter::In(at("kind", json!([])))).contains("not an empty list"));
    assert!(refused(RetrievalFilter::In(at("kind", json!(["a", 1])))).contains("a list of strings"));
    assert!(refused(RetrievalFilter::Equals(at("kind", json!(["a"])))).contains("not a list"));
    assert!(refused(RetrievalFilter::StartsWith(at("kind", json!({})))).contains("not an object"));
    let own = "The filter names outcrop:start: no filter may name what begins with outcrop:.";
    assert_eq!(refused(RetrievalFilter::StringContains(at("outcrop:start", json!("1")))), own);
    assert!(refused(RetrievalFilter::Unset).contains("exactly one operator"));
    assert!(refused(RetrievalFilter::AndAll(vec![RetrievalFilter::Equals(at("a", json!(1)))])).contains("at least 2"));
}

#[test]
fn depth_and_size_are_bounded() {
    let leaf = || RetrievalFilter::Equals(at("a", json!(1)));
    let nested = |levels| (1..levels).fold(leaf(), |inner, _| RetrievalFilter::AndAll(vec![inner, leaf()]));
    assert!(filter(&nested(DEPTH), Lacks::default()).is_ok());
    assert!(refused(nested(DEPTH + 1)).contains("levels deep"));
    assert!(refused(nested(1_000)).contains("levels deep"));
    let of = |conditions| RetrievalFilter::OrAll((0..conditions).map(|_| leaf()).collect());
    assert!(filter(&of(CONDITIONS), Lacks::default()).is_ok());
    assert!(refused(of(CONDITIONS + 1)).contains("more than 1000 conditions"));
    // Groups are not counted.
    let halves = |more| RetrievalFilter::AndAll(vec![of(CONDITIONS / 2), of(CONDITIONS / 2 + more)]);
    assert!(filter(&halves(0), Lacks::default()).is_ok());
    assert!(refused(halves(1)).contains("more than 1000 conditions"));
}

#[test]
fn what_a_store_lacks_is_refused() {
    let given = RetrievalFilter::StartsWith(at("kind", json!("a")));
    assert!(filter(&given, Lacks::of("OPENSEARCH_SERVERLESS")).is_ok());
    assert!(filter(&given, Lacks::of("RDS")).is_err());
    assert!(filter(&given, Lacks::MANAGED).is_err());
    let given = RetrievalFilter::StringContains(at("kind", json!("a")));
    assert!(filter(&given, Lacks::of("RDS")).is_ok());
    assert!(filter(&given, Lacks::of("S3_VECTORS")).is_err());
}
