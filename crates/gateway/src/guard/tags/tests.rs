use super::*;

fn marked(text: &str) -> Vec<(String, &'static str)> {
    let name = |mark: Mark| match mark {
        Mark { guarded: true, .. } => "guard",
        Mark { source: true, .. } => "source",
        Mark { query: true, .. } => "query",
        _ => "",
    };
    Tags::new("xyz").split(text).into_iter().map(|segment| (segment.text, name(segment.mark))).collect()
}

#[test]
fn tags_mark_what_stands_in_them_and_go_away() {
    let text = "You are kind.<amazon-bedrock-guardrails-groundingSource_xyz>Paris is big.</amazon-bedrock-guardrails-groundingSource_xyz>\n\
                <amazon-bedrock-guardrails-query_xyz>How big?</amazon-bedrock-guardrails-query_xyz>\
                <amazon-bedrock-guardrails-guardContent_xyz>Tell me.</amazon-bedrock-guardrails-guardContent_xyz> Bye";
    let expected = [
        ("You are kind.", ""),
        ("Paris is big.", "source"),
        ("\n", ""),
        ("How big?", "query"),
        ("Tell me.", "guard"),
        (" Bye", ""),
    ];
    assert_eq!(marked(text), expected.map(|(text, mark)| (text.to_owned(), mark)));
    assert_eq!(marked("plain <b>text</b>"), [("plain <b>text</b>".to_owned(), "")]);
    // Another suffix is text: whoever writes it does not know the call's.
    let foreign = "<amazon-bedrock-guardrails-guardContent_abc>x</amazon-bedrock-guardrails-guardContent_abc>";
    assert_eq!(marked(foreign), [(foreign.to_owned(), "")]);
    assert_eq!(
        marked("a<amazon-bedrock-guardrails-guardContent_xyz>open"),
        [("a".to_owned(), ""), ("open".to_owned(), "guard")]
    );
    assert_eq!(marked(""), []);
}

#[test]
fn the_configuration_is_taken_out_of_the_body() {
    let taken = |body: &str| {
        let mut bytes = bytes::Bytes::from(body.to_owned());
        let config = take(&mut bytes);
        (config.map_err(|fault| fault.message), String::from_utf8(bytes.to_vec()).unwrap())
    };
    let body =
        r#"{"a":1,"amazon-bedrock-guardrailConfig":{"tagSuffix":"xyz","streamProcessingMode":"ASYNCHRONOUS"},"b":2}"#;
    let config = Config { suffix: Some("xyz".into()), asynchronous: true };
    assert_eq!(taken(body), (Ok(Some(config)), r#"{"a":1,"b":2}"#.into()));
    assert_eq!(taken(r#"{"a":"amazon-bedrock-guardrailConfig"}"#).0, Ok(None));
    assert_eq!(taken(r#"{ "a": 1 }"#), (Ok(None), r#"{ "a": 1 }"#.into()));
    for bad in [
        r#"{"tagSuffix":"x-y"}"#,
        r#"{"tagSuffix":""}"#,
        r#"{"tagSuffix":1}"#,
        r#"{"streamProcessingMode":"LATER"}"#,
        "[]",
        r#"{"more":true}"#,
    ] {
        let (config, _) = taken(&format!(r#"{{"amazon-bedrock-guardrailConfig":{bad}}}"#));
        assert!(config.unwrap_err().starts_with("Malformed input request: amazon-bedrock-guardrailConfig: "), "{bad}");
    }
}

#[test]
fn what_is_kept_has_no_tags() {
    let config = Config { suffix: Some("xyz".into()), asynchronous: false };
    let mut kept = serde_json::json!({"role": "user", "content": [
        {"type": "input_text", "text": "a <amazon-bedrock-guardrails-guardContent_xyz>b</amazon-bedrock-guardrails-guardContent_xyz>"},
        {"type": "input_text", "text": "<amazon-bedrock-guardrails-query_other>c"}, 1]});
    config.untag(&mut kept);
    let texts = [&kept["content"][0]["text"], &kept["content"][1]["text"]];
    assert_eq!(texts, ["a b", "<amazon-bedrock-guardrails-query_other>c"]);
}
