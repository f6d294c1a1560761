use super::*;

fn passed(body: &str, stream: bool) -> (String, Option<String>) {
    let passing = passing(body.as_bytes(), "claude-opus-4-6", stream).unwrap();
    (String::from_utf8(passing.body).unwrap(), passing.betas)
}

#[test]
fn only_what_stands_around_the_body_is_touched() {
    let body = r#"{ "anthropic_version": "bedrock-2023-05-31" , "max_tokens":1e2,
 "anthropic_beta":["a","b"],"messages": [ {"role":"user","content":"\u00e9  }{"} ], "stream":false}"#;
    let (got, betas) = passed(body, true);
    assert_eq!(
        got,
        r#"{"model":"claude-opus-4-6","stream":true , "max_tokens":1e2,"messages": [ {"role":"user","content":"\u00e9  }{"} ]}"#
    );
    assert_eq!(betas.as_deref(), Some("a,b"));
    serde_json::from_str::<Value>(&got).unwrap();
}

#[test]
fn wherever_the_members_stand_the_body_stays_json() {
    for body in [
        r#"{}"#,
        r#"{"model":"x"}"#,
        r#"{"max_tokens":1}"#,
        r#" { "max_tokens" : 1 , "model" : "x" } "#,
        r#"{"model":"x","max_tokens":1,"stream":true,"top_k":2,"anthropic_version":""}"#,
    ] {
        let (got, betas) = passed(body, false);
        let got: Value = serde_json::from_str(&got).unwrap();
        let mut expected: Value = serde_json::from_str(body).unwrap();
        TAKEN.iter().for_each(|key| drop(expected.as_object_mut().unwrap().remove(*key)));
        expected["model"] = "claude-opus-4-6".into();
        assert_eq!((got, betas), (expected, None), "{body}");
    }
    for body in ["", "[]", "{", r#"{"a":1} x"#, r#"{"a":1,}"#] {
        assert_eq!(passing(body.as_bytes(), "m", false), Err(DialectError::NotJson), "{body}");
    }
}

#[test]
fn counts_are_read_and_errors_known() {
    let answer = br#"{"content":[{"type":"text","text":"x"}],"usage":{"input_tokens":3,"output_tokens":4}}"#;
    assert_eq!(usage(answer).map(|u| u.total_tokens), Some(7));
    assert!(usage(b"{}").is_none());
    assert_eq!(event("message_stop", b"{}"), Ok(Event::Last));
    assert_eq!(event("ping", b""), Ok(Event::Ping));
    let error = event("error", br#"{"error":{"type":"overloaded_error","message":"Overloaded"}}"#);
    assert!(matches!(error, Err(ReadError::Refused(r)) if r.code.as_deref() == Some("overloaded_error")));
}
