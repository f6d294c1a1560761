use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn every_so_long_is_read_and_counted_from_the_last_time() {
    for (text, seconds) in [("90s", 90), ("15m", 900), (" 1h ", 3_600), ("2d", 172_800)] {
        assert_eq!(Schedule::every(text), Some(Schedule::Every(Duration::from_secs(seconds))), "{text}");
    }
    for wrong in ["", "1", "h", "0s", "-1h", "1.5h", "1w", "400d", "99999999999999999999s"] {
        assert_eq!(Schedule::every(wrong), None, "{wrong}");
    }
    let hourly = Schedule::every("1h").unwrap();
    assert_eq!(hourly.next(at("2026-03-01T10:30:00Z"), "A"), at("2026-03-01T11:30:00Z"));
}

#[test]
fn calendar_schedules_fall_in_the_night_on_their_day() {
    let last = at("2026-02-10T12:00:00Z"); // a Tuesday
    let day = |schedule: Schedule, from: Timestamp| {
        let next = schedule.next(from, "SOURCE1234").to_zoned(TimeZone::UTC);
        assert!((1..5).contains(&next.hour()), "{next}");
        next.date().to_string()
    };
    assert_eq!(day(Schedule::Daily, last), "2026-02-11");
    assert_eq!(day(Schedule::Weekly(Weekday::Tuesday), last), "2026-02-17");
    assert_eq!(day(Schedule::Weekly(Weekday::Wednesday), last), "2026-02-11");
    assert_eq!(day(Schedule::Monthly(Some(10)), last), "2026-03-10");
    assert_eq!(day(Schedule::Monthly(None), last), "2026-02-28");
    assert_eq!(day(Schedule::Monthly(None), at("2026-02-28T12:00:00Z")), "2026-03-31");
    // The same time each day, and never twice on one.
    let first = Schedule::Daily.next(last, "SOURCE1234");
    let second = Schedule::Daily.next(first, "SOURCE1234");
    assert_eq!(second.duration_since(first), SignedDuration::from_hours(24));
    // Sources do not all begin at once.
    let times: std::collections::BTreeSet<_> =
        (0..20).map(|n| Schedule::Daily.next(last, &format!("SOURCE{n}"))).collect();
    assert!(times.len() > 10, "{times:?}");
}
