use std::time::Duration;

use outcrop_api::Kind;
use outcrop_providers::{Cause, Failure};

use super::super::testing::fault;
use super::Failures;

fn told(causes: &[(Cause, Option<u64>)]) -> (Kind, Option<u64>) {
    let mut failures = Failures { made: causes.len() as u32, ..Failures::default() };
    for (cause, wait) in causes {
        failures.push(Failure { retry_after: wait.map(Duration::from_secs), ..Failure::new(*cause, fault(*cause)) });
    }
    let fault = failures.fault();
    (fault.kind, fault.retry_after.map(|wait| wait.as_secs()))
}

#[test]
fn the_most_telling_failure_is_told() {
    use Cause::*;
    assert_eq!(told(&[(Broken, None), (Throttled, Some(7)), (TimedOut, None)]), (Kind::Throttling, Some(7)));
    assert_eq!(told(&[(Throttled, Some(9)), (Throttled, Some(3))]), (Kind::Throttling, Some(3)));
    assert_eq!(told(&[(Credentials, None), (TimedOut, None), (Unavailable, None)]), (Kind::ModelTimeout, None));
    assert_eq!(told(&[(Unavailable, Some(4)), (Unmappable, None)]), (Kind::ServiceUnavailable, Some(4)));
    // The request's own fault says more than any provider's.
    assert_eq!(told(&[(Throttled, Some(9)), (Request, None)]), (Kind::Validation, None));
}

#[test]
fn nobody_was_asked() {
    let mut failures = Failures::default();
    failures.open(Duration::from_millis(400));
    let fault = failures.fault();
    assert_eq!((fault.kind, fault.retry_after), (Kind::ServiceUnavailable, Some(Duration::from_millis(400))));
    let mut failures = Failures::default();
    failures.full();
    assert_eq!(failures.fault().kind, Kind::Throttling);
}
