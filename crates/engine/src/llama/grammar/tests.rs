use serde_json::json;

use super::*;

fn options(schema: Value) -> Value {
    let mut schema = with_options(schema.as_object().unwrap().clone(), false);
    schema.as_object_mut().unwrap().remove("x-guidance");
    schema
}

#[test]
fn objects_with_listed_properties_are_closed() {
    assert_eq!(
        options(json!({"$schema": "x", "properties": {"a": {"properties": {}}, "b": {"items": {"properties": {}}}}})),
        json!({
            "properties": {
                "a": {"properties": {}, "additionalProperties": false},
                "b": {"items": {"properties": {}, "additionalProperties": false}}
            },
            "additionalProperties": false
        })
    );
}

#[test]
fn what_the_schema_says_about_others_stands() {
    for schema in [
        json!({"properties": {}, "additionalProperties": true}),
        json!({"properties": {}, "patternProperties": {"^x": {}}}),
        json!({"allOf": [{"properties": {}}, {"properties": {}}]}),
        json!({"type": "object"}),
    ] {
        assert_eq!(options(schema.clone()), schema);
    }
}

#[test]
fn every_tool_is_a_choice() {
    let tool = |name: &str| Tool { name: name.into(), description: String::new(), schema: json!({}) };
    let (a, b) = (tool("a"), tool("b"));
    let text = grammar_text(Some(&json!({"type": "object"})), &[&a, &b]).unwrap();
    assert!(text.starts_with("start: json | call0 | call1\njson: %json {"), "{text}");
    assert!(
        text.contains(
            "call1: \"<tool_call>\\n{\\\"name\\\": \\\"b\\\", \\\"arguments\\\": \" args1 \"}\\n</tool_call>\""
        ),
        "{text}"
    );
}

#[test]
fn a_schema_that_is_no_object_is_refused() {
    assert!(matches!(grammar_text(Some(&json!(true)), &[]), Err(EngineError::InvalidSchema(_))));
}
