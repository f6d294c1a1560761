use super::*;

#[test]
fn a_server_is_waited_for_within_reason() {
    let asks = |seconds| Fault { retry_after: seconds, ..Fault::new(Kind::Throttling, "busy") };
    assert_eq!(pause(&asks(None), 2), WAIT * 4);
    assert_eq!(pause(&asks(Some(Duration::from_secs(7))), 1), Duration::from_secs(7));
    assert_eq!(pause(&asks(Some(Duration::from_secs(900))), 1), LONGEST_WAIT);
}
