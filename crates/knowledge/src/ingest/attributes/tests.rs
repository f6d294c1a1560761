//! Sidecars as people write them.

use outcrop_vectors::Value;

use super::{Records, Sidecar};

fn read(text: &str) -> Result<Sidecar, String> {
    Sidecar::read(text.as_bytes())
}

#[test]
fn simple_and_typed_attributes_may_stand_side_by_side() {
    let sidecar = read(
        r#"{"metadataAttributes": {
            "team": "fruit", "year": 2020, "draft": false, "tags": ["a", "b"],
            "owner": {"value": {"type": "STRING", "stringValue": "Priya"}, "includeForEmbedding": true},
            "rank": {"value": {"type": "NUMBER", "numberValue": 1.5}, "includeForEmbedding": false}
        }}"#,
    )
    .unwrap();
    let expected = [
        ("draft", Value::Boolean(false)),
        ("owner", Value::String("Priya".into())),
        ("rank", Value::Number(1.5)),
        ("tags", Value::List(vec!["a".into(), "b".into()])),
        ("team", Value::String("fruit".into())),
        ("year", Value::Number(2020.0)),
    ];
    let expected = expected.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    assert_eq!(sidecar.attributes, expected);
    assert_eq!(sidecar.embedded, "owner: Priya\n\n");
}

#[test]
fn what_the_server_says_of_chunks_is_not_overridden() {
    let sidecar = read(
        r#"{"metadataAttributes": {
            "x-amz-bedrock-kb-source-uri": "s3://other/file", "outcrop:start": 1, "_source_uri": "x", "mine": "y"
        }}"#,
    )
    .unwrap();
    assert_eq!(sidecar.attributes.keys().collect::<Vec<_>>(), ["mine"]);
}

#[test]
fn records_have_one_column_of_text() {
    let told = |content: &str, specification: &str| {
        read(&format!(
            r#"{{"documentStructureConfiguration": {{"type": "RECORD_BASED_STRUCTURE_METADATA",
            "recordBasedStructureMetadata": {{"contentFields": {content},
            "metadataFieldsSpecification": {specification}}}}}}}"#
        ))
    };
    let specification = r#"{"fieldsToInclude": [{"fieldName": "a"}], "fieldsToExclude": [{"fieldName": "b"}]}"#;
    let records = told(r#"[{"fieldName": "text"}]"#, specification).unwrap().records;
    let expected = Records { content: "text".into(), include: vec!["a".into()], exclude: vec!["b".into()] };
    assert_eq!(records, Some(expected));
    let two = told(r#"[{"fieldName": "text"}, {"fieldName": "more"}]"#, "{}").unwrap_err();
    assert!(two.contains("exactly one content field"), "{two}");
    let both = r#"{"fieldsToInclude": [{"fieldName": "a"}], "fieldsToExclude": [{"fieldName": "a"}]}"#;
    let both = told(r#"[{"fieldName": "text"}]"#, both).unwrap_err();
    assert!(both.contains("both included and excluded"), "{both}");
}

#[test]
fn what_is_no_sidecar_says_what_is_wrong() {
    for (text, told) in [
        ("{", "invalid"),
        (r#"{"metadataAttributes": {"a": null}}"#, "the attribute a is neither"),
        (r#"{"metadataAttributes": {"a": [1]}}"#, "list of other things than strings"),
        (r#"{"metadataAttributes": {"a": {"value": {"type": "NUMBER", "numberValue": "1"}}}}"#, "no value of its type"),
        (r#"{"metadataAttributes": {"a": {"value": {"type": "DATE"}}}}"#, "has no type of"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
}
