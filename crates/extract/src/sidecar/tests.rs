use super::*;
use crate::csv;

fn parse(source: &str) -> Result<Sidecar, SidecarError> {
    Sidecar::parse(source.as_bytes())
}

fn reason(source: &str) -> String {
    parse(source).unwrap_err().to_string()
}

#[test]
fn simple_and_typed_attributes_mix() {
    let sidecar = parse(
        r#"{"metadataAttributes":{"team":"blue","year":2020,"draft":false,"tags":["a","b"],
            "title":{"value":{"type":"STRING","stringValue":"Ducks"},"includeForEmbedding":true},
            "pages":{"value":{"type":"NUMBER","numberValue":7},"includeForEmbedding":true},
            "open":{"value":{"type":"BOOLEAN","booleanValue":true}},
            "who":{"value":{"type":"STRING_LIST","stringListValue":["x","y"]},"includeForEmbedding":false}}}"#,
    )
    .unwrap();
    let values: Vec<_> = sidecar.attributes.iter().map(|a| (a.key.as_str(), a.value.clone())).collect();
    assert_eq!(
        values,
        [
            ("team", Typed::String("blue".into())),
            ("year", Typed::Number(2020.0)),
            ("draft", Typed::Boolean(false)),
            ("tags", Typed::StringList(vec!["a".into(), "b".into()])),
            ("title", Typed::String("Ducks".into())),
            ("pages", Typed::Number(7.0)),
            ("open", Typed::Boolean(true)),
            ("who", Typed::StringList(vec!["x".into(), "y".into()])),
        ]
    );
    assert_eq!(sidecar.prefix(), "title: Ducks\n\npages: 7\n\n");
}

#[test]
fn errors_say_what_to_change() {
    assert!(reason(&"x".repeat(SIDECAR_LIMIT + 1)).contains("10241 bytes; at most 10240"));
    assert!(reason("{").contains("not valid"));
    assert!(reason("[]").contains("not a JSON object"));
    assert!(reason("{}").contains("`metadataAttributes`"));
    assert!(reason(r#"{"metadataAttributes":{"a":null}}"#).contains("`a` is none of"));
    assert!(reason(r#"{"metadataAttributes":{"a":[1]}}"#).contains("no string"));
    assert!(reason(r#"{"metadataAttributes":{"a":{"value":{"type":"DATE"}}}}"#).contains("`DATE` of `a`"));
    assert!(
        reason(r#"{"metadataAttributes":{"a":{"value":{"type":"NUMBER","numberValue":"1"}}}}"#)
            .contains("`numberValue`")
    );
}

fn structure(content: &str, include: &str, exclude: &str) -> String {
    format!(
        r#"{{"metadataAttributes":{{"k":"v"}},"documentStructureConfiguration":{{"type":"RECORD_BASED_STRUCTURE_METADATA",
        "recordBasedStructureMetadata":{{"contentFields":[{content}],
        "metadataFieldsSpecification":{{"fieldsToInclude":[{include}],"fieldsToExclude":[{exclude}]}}}}}}}}"#
    )
}

fn field(name: &str) -> String {
    format!(r#"{{"fieldName":"{name}"}}"#)
}

#[test]
fn records_follow_the_lists() {
    let table = csv::records(b"id,text,kind\n1,They swim.,duck\n\n2,,goose\n3,They bite.\n", None).unwrap();
    let attributes = |include: &str, exclude: &str| -> Vec<Vec<(String, String)>> {
        let records = parse(&structure(&field("text"), include, exclude)).unwrap().records.unwrap();
        records.of(&table).unwrap().into_iter().map(|record| record.attributes).collect()
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(attributes("", ""), [vec![pair("id", "1"), pair("kind", "duck")], vec![pair("id", "3")]]);
    assert_eq!(attributes(&field("kind"), ""), [vec![pair("kind", "duck")], vec![]]);
    assert_eq!(attributes("", &field("id")), [vec![pair("kind", "duck")], vec![]]);
    let missing = parse(&structure(&field("body"), "", "")).unwrap().records.unwrap();
    assert_eq!(missing.of(&table), Err(SidecarError::NoColumn("body".into())));
}

#[test]
fn one_content_field_and_no_name_twice() {
    assert!(reason(&structure("", "", "")).contains("exactly one"));
    assert!(reason(&structure(&format!("{},{}", field("a"), field("b")), "", "")).contains("exactly one"));
    assert!(reason(&structure(&field("a"), &field("b"), &field("b"))).contains("`b` is in both"));
}
