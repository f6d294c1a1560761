use outcrop_vectors::{Hit, Metadata, Value};
use serde_json::json;

use super::{headings, result};

fn hit(document: &str) -> Hit {
    let mut metadata = Metadata::new();
    metadata.insert("year".into(), Value::Number(2020.0));
    metadata.insert("tags".into(), Value::List(vec!["a".into()]));
    Hit {
        id: "chunk-1".into(),
        source: "SOURCE1234".into(),
        document: document.into(),
        text: "text".into(),
        score: 1.2,
        cosine: None,
        metadata,
    }
}

#[test]
fn a_result_says_where_it_is_from() {
    let shown = result(hit("s3://bucket/key.md"), Some("S3"));
    let location = shown.location.expect("a location");
    assert_eq!(location.s3_location.and_then(|s3| s3.uri).as_deref(), Some("s3://bucket/key.md"));
    assert!(location.web_location.is_none() && location.custom_document_location.is_none());
    assert_eq!(shown.score, Some(1.0));
    let metadata = serde_json::to_value(shown.metadata).expect("JSON");
    assert_eq!(
        metadata,
        json!({"tags": ["a"], "year": 2020.0, "x-amz-bedrock-kb-source-uri": "s3://bucket/key.md",
            "x-amz-bedrock-kb-data-source-id": "SOURCE1234", "x-amz-bedrock-kb-chunk-id": "chunk-1"})
    );
}

#[test]
fn chunks_without_a_source_keep_their_kind() {
    let location = |document: &str| result(hit(document), None).location.expect("a location");
    assert!(location("s3://b/k").s3_location.is_some());
    assert!(location("https://example.com/a").web_location.is_some());
    assert_eq!(location("doc-1").custom_document_location.and_then(|at| at.id).as_deref(), Some("doc-1"));
}

#[test]
fn headings_are_known_and_not_told() {
    let mut hit = hit("s3://bucket/key.md");
    assert!(headings(&hit).is_empty());
    hit.metadata.insert(crate::keys::HEADINGS.into(), Value::List(vec!["Manual".into(), "Start".into()]));
    assert_eq!(headings(&hit), ["Manual", "Start"]);
    assert!(!result(hit, None).metadata.expect("attributes").contains_key(crate::keys::HEADINGS));
}
