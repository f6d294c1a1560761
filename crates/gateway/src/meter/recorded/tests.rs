use std::time::Duration;

use outcrop_api::bedrock_runtime::CacheDetail;

use super::*;

#[test]
fn an_entry_says_what_the_record_says() {
    let usage = TokenUsage {
        input_tokens: 100,
        output_tokens: 20,
        total_tokens: 150,
        cache_read_input_tokens: Some(10),
        cache_write_input_tokens: Some(20),
        cache_details: Some(vec![
            CacheDetail { ttl: CacheTTL::V5m, input_tokens: 8 },
            CacheDetail { ttl: CacheTTL::V1h, input_tokens: 12 },
        ]),
    };
    let record = Record {
        request_id: "id".into(),
        operation: "Converse",
        key: "AKIA".into(),
        usage,
        first_event: Some(Duration::from_micros(1_500)),
        total: Duration::from_millis(20),
        outcome: Outcome::Answered,
        cost: Some("0.25".parse().unwrap()),
        ..Record::default()
    };
    let entry = entry(record);
    let counted = Tokens { input: 100, output: 20, cache_read: 10, cache_write: 20, cache_write_1h: 12 };
    assert_eq!((entry.tokens, entry.first_event_ms, entry.total_ms), (counted, Some(1.5), 20.0));
    assert_eq!((entry.operation.as_str(), entry.key.as_deref(), entry.provider), ("Converse", Some("AKIA"), None));
    assert_eq!((entry.outcome, entry.error, entry.cost), (Ended::Answered, None, Some("0.25".parse().unwrap())));
}

#[test]
fn errors_are_counted_as_the_callers_or_the_servers() {
    for (kind, expected) in [
        (Kind::Validation, Ended::ClientError),
        (Kind::AccessDenied, Ended::ClientError),
        (Kind::Throttling, Ended::Throttled),
        (Kind::ModelError, Ended::ServerError),
        (Kind::ModelTimeout, Ended::ServerError),
        (Kind::ServiceUnavailable, Ended::ServerError),
    ] {
        let entry = entry(Record { outcome: Outcome::Failed(kind), ..Record::default() });
        assert_eq!((entry.outcome, entry.error.as_deref()), (expected, Some(kind.name())));
    }
}
