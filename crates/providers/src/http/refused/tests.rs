use super::*;

fn refusal(message: &str, code: Option<&str>) -> Refusal {
    Refusal { message: message.into(), code: code.map(str::to_owned) }
}

#[test]
fn each_status_has_its_cause_and_its_aws_name() {
    let none = HeaderMap::new();
    for (status, cause, kind) in [
        (400, Cause::Request, Kind::Validation),
        (422, Cause::Request, Kind::Validation),
        (401, Cause::Credentials, Kind::ModelError),
        (402, Cause::Credentials, Kind::ModelError),
        (403, Cause::Credentials, Kind::ModelError),
        (404, Cause::NoModel, Kind::ResourceNotFound),
        (408, Cause::TimedOut, Kind::ModelTimeout),
        (429, Cause::Throttled, Kind::Throttling),
        (500, Cause::Unavailable, Kind::ServiceUnavailable),
        (503, Cause::Unavailable, Kind::ServiceUnavailable),
        (504, Cause::TimedOut, Kind::ModelTimeout),
        (529, Cause::Unavailable, Kind::ServiceUnavailable),
    ] {
        let failure = failure("p", StatusCode::from_u16(status).unwrap(), &none, &refusal("no", None));
        assert_eq!((failure.cause, failure.fault.kind), (cause, kind), "{status}");
    }
}

#[test]
fn what_is_said_of_keys_is_not_passed_on() {
    let said = refusal("Incorrect API key provided: sk-12********89", Some("invalid_api_key"));
    let failure = failure("p", StatusCode::UNAUTHORIZED, &HeaderMap::new(), &said);
    assert!(!failure.fault.message.contains("sk-12"), "{}", failure.fault.message);
}

#[test]
fn a_conversation_that_is_too_long_is_told_so_that_clients_shorten_it() {
    let said = refusal("This model's maximum context length is 8192 tokens.", Some("context_length_exceeded"));
    let failure = failure("p", StatusCode::BAD_REQUEST, &HeaderMap::new(), &said);
    assert!(failure.fault.message.contains("Input is too long for requested model"));
    assert!(failure.fault.message.starts_with("The model returned the following errors: "));
}

#[test]
fn the_time_to_wait_is_read_in_seconds_and_milliseconds() {
    let headers = |name: &'static str, value: &'static str| {
        HeaderMap::from_iter([(::http::HeaderName::from_static(name), ::http::HeaderValue::from_static(value))])
    };
    assert_eq!(retry_after(&headers("retry-after", "2")), Some(Duration::from_secs(2)));
    assert_eq!(retry_after(&headers("retry-after-ms", "250")), Some(Duration::from_millis(250)));
    assert_eq!(retry_after(&headers("retry-after", "10000000000000000000")), Some(DAY));
    for nonsense in ["-1", "NaN", "inf", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
        assert_eq!(retry_after(&headers("retry-after", nonsense)), None, "{nonsense}");
    }
}
