use super::*;

#[test]
fn bodies_tell_in_their_own_words() {
    for body in [
        r#"{"usage":{"input_tokens":7,"output_tokens":3}}"#,
        r#"{"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#,
        r#"{"usage":{"inputTokens":7,"outputTokens":3}}"#,
    ] {
        let usage = of_body(body.as_bytes());
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (7, 3, 10), "{body}");
    }
    assert_eq!(of_body(b"no json").total_tokens, 0);
}

#[test]
fn a_stream_stays_as_it_is_and_its_last_chunk_tells_what_it_took() {
    let began = Instant::now();
    let mut seen = Seen::new(true);
    for text in [
        r#"{"type":"message_start","message":{"usage":{"input_tokens":9,"cache_read_input_tokens":4,"output_tokens":1}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"say \"message_stop\""}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":12}}"#,
    ] {
        assert_eq!(seen.chunk(Bytes::from(text), began), text);
    }
    let last = seen.chunk(Bytes::from(r#"{"type":"message_stop"}"#), began);
    let last: Value = serde_json::from_slice(&last).unwrap();
    assert_eq!((&last["type"], &last[METRICS]["inputTokenCount"]), (&json!("message_stop"), &json!(9)));
    assert_eq!(
        (&last[METRICS]["outputTokenCount"], &last[METRICS]["cacheReadInputTokenCount"]),
        (&json!(12), &json!(4))
    );
    assert_eq!(seen.usage.total_tokens, 25);

    // Bedrock's own has them already.
    let text =
        r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":2,"outputTokenCount":1}}"#;
    let mut seen = Seen::new(true);
    assert_eq!(seen.chunk(Bytes::from(text), began), text);
    assert_eq!((seen.usage.input_tokens, seen.usage.output_tokens), (2, 1));
}
