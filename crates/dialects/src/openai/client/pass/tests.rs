use super::*;

fn passed(body: &str, stream: bool) -> String {
    String::from_utf8(passing(body.as_bytes(), "up\"stream", stream).unwrap()).unwrap()
}

#[test]
fn only_the_model_and_the_words_about_streaming_change() {
    let body =
        r#" {"model": "mine", "messages": [{"role":"user", "content":"a\u00e9"}], "stream": false, "x" : 1.00e2 }"#;
    assert_eq!(
        passed(body, false),
        r#"{"model":"up\"stream", "messages": [{"role":"user", "content":"a\u00e9"}], "x" : 1.00e2}"#
    );
    assert_eq!(passed(r#"{"seed":1,"model":"mine"}"#, false), r#"{"model":"up\"stream","seed":1}"#);
    assert_eq!(passed("{}", false), r#"{"model":"up\"stream"}"#);
}

#[test]
fn a_stream_tells_what_it_took() {
    let told = r#""stream":true,"stream_options":{"include_usage":true}}"#;
    assert_eq!(passed(r#"{"n":1,"stream":true}"#, true), format!(r#"{{"model":"up\"stream","n":1,{told}"#));
    let body = r#"{"stream_options":{"include_usage":false,"include_obfuscation":false},"n":1}"#;
    assert_eq!(
        passed(body, true),
        r#"{"model":"up\"stream","n":1,"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}"#
    );
}

#[test]
fn what_is_no_object_is_refused() {
    for body in ["", "[]", "{", "{\"a\":1}x", "{\"a\":1,}"] {
        assert_eq!(passing(body.as_bytes(), "m", true), Err(DialectError::NotJson), "{body}");
    }
}

#[test]
fn events_are_told_apart() {
    let event = |data: &str| passed_event("", data.as_bytes()).unwrap();
    assert_eq!(event(" [DONE] "), PassedEvent::Done);
    assert_eq!(event(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#), PassedEvent::Last);
    assert_eq!(event(r#"{"choices":[{"delta":{},"finish_reason":null}]}"#), PassedEvent::Part);
    assert_eq!(event(r#"{"choices":[{"delta":{"content":"\"finish_reason\":\"stop\""}}]}"#), PassedEvent::Part);
    for data in [r#"{"error":{"message":"no"}}"#, r#"{"object":"error","message":"no"}"#] {
        let Err(ReadError::Refused(refusal)) = passed_event("", data.as_bytes()) else { panic!("{data}") };
        assert_eq!(refusal.message, "no");
    }
    assert!(passed_event("error", b"{}").is_err());
}

#[test]
fn what_it_took_is_read_and_nothing_else() {
    let usage =
        passed_usage(br#"{"choices":7,"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#).unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (3, 2));
    assert!(passed_usage(br#"{"usage":null}"#).is_none());
    assert!(passed_usage(b"nothing").is_none());
}
