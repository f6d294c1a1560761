use outcrop_api::bedrock_agent_runtime::{AttributeType, MetadataAttributeSchema};
use outcrop_vectors::{Filter, Value};

use super::read;

fn attributes() -> Vec<MetadataAttributeSchema> {
    let one = |key: &str, kind| MetadataAttributeSchema { key: key.into(), r#type: kind, description: "x".into() };
    vec![
        one("year", AttributeType::Number),
        one("genre", AttributeType::String),
        one("tags", AttributeType::StringList),
        one("done", AttributeType::Boolean),
    ]
}

#[test]
fn conditions_are_typed_by_their_attributes() {
    let answer = r#"{"conditions": [
        {"attribute": "year", "operator": "greaterThan", "value": "2,019"},
        {"attribute": "year", "operator": "startsWith", "value": "20"},
        {"attribute": "year", "operator": "equals", "value": "lately"},
        {"attribute": "genre", "operator": "equals", "value": "comedy"},
        {"attribute": "genre", "operator": "lessThan", "value": "comedy"},
        {"attribute": "tags", "operator": "equals", "value": "new"},
        {"attribute": "done", "operator": "equals", "value": "True"},
        {"attribute": "director", "operator": "equals", "value": "X"}]}"#;
    assert_eq!(
        read(answer, &attributes(), None),
        [
            Filter::GreaterThan("year".into(), 2019.0),
            Filter::Equals("genre".into(), Value::String("comedy".into())),
            Filter::ListContains("tags".into(), "new".into()),
            Filter::Equals("done".into(), Value::Boolean(true)),
        ]
    );
}

#[test]
fn a_small_model_may_not_invent_values() {
    let answer = r#"Sure! {"conditions": [{"attribute": "genre", "operator": "equals", "value": "drama"},
        {"attribute": "genre", "operator": "equals", "value": "Comedy"}]}"#;
    let found = read(answer, &attributes(), Some("a comedy from 2020"));
    assert_eq!(found, [Filter::Equals("genre".into(), Value::String("Comedy".into()))]);
}

#[test]
fn what_is_whole_of_an_answer_that_was_cut_off_counts_once() {
    let one = r#"{"attribute": "genre", "operator": "equals", "value": "a {b} [c]"}"#;
    let answer = format!(r#"{{"conditions": [{one}, {one}, {one}, {{"attribute": "genre", "op"#);
    assert_eq!(read(&answer, &attributes(), None), [Filter::Equals("genre".into(), Value::String("a {b} [c]".into()))]);
}

#[test]
fn what_is_no_answer_is_no_filter() {
    for answer in ["", "no", "}{", "{\"conditions\": 5}", "{\"conditions\": [5]}", "{"] {
        assert_eq!(read(answer, &attributes(), None), [], "{answer}");
    }
}
