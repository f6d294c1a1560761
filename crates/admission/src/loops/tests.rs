use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::*;

static NO_TAGS: LazyLock<BTreeMap<String, String>> = LazyLock::new(BTreeMap::new);

fn call(key: &'static str, said: &str) -> Call<'static> {
    Call {
        account: "111122223333",
        region: "us-east-1",
        key: Some(key),
        principal: "arn:aws:iam::111122223333:user/ada",
        tags: &NO_TAGS,
        metadata: None,
        model: "m",
        model_name: "M",
        maker: "Maker",
        cross_region: false,
        provisioned: false,
        input: 1,
        output: 1,
        cost: None,
        likeness: Some(likeness([said])),
    }
}

fn settings(calls: u32) -> Settings {
    Settings { calls: Some(calls), ..Settings::default() }
}

#[test]
fn numbers_times_and_ids_make_no_difference() {
    let alike = [
        ("Retry 1 of 10 at 2026-11-21T21:32:32Z", "Retry 12 of 10 at 2026-11-22T01:02:03.123Z"),
        ("order 7f9c24e8-3b12-4c1a-9d51-0c1e5f0a7b11 is late", "Order  0a1b2c3d-aaaa-4bbb-8ccc-123456789abc\n is late"),
        ("costs $1.50 or 3,000", "costs $10 or 17"),
        ("toolu_01AbC failed with status=500", "toolu_99XyZ failed with status=503"),
    ];
    for (one, other) in alike {
        assert_eq!(likeness([one]), likeness([other]), "{one} / {other}");
    }
    let apart = [
        ("What is the capital of France?", "What is the capital of Spain?"),
        ("translate: dog", "translate: god"),
        ("a b", "ab"),
        ("", " a"),
        ("internationalization", "internationalisation"),
    ];
    for (one, other) in apart {
        assert_ne!(likeness([one]), likeness([other]), "{one} / {other}");
    }
    assert_ne!(likeness(["a", "b"]), likeness(["a b"]));
    assert_ne!(likeness(["you are a pirate", "hello"]), likeness(["you are a parrot", "hello"]));
    // However long a text is, its ends are read.
    let long = |end: &str| format!("{}{end}", "word ".repeat(100_000));
    assert_ne!(likeness([long("one").as_str()]), likeness([long("two").as_str()]));
}

#[test]
fn whoever_repeats_itself_is_stopped_until_it_leaves_off() {
    let (loops, start) = (Loops::new(settings(10)), Instant::now());
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    for n in 0..10 {
        loops.check_at(&call("a", &format!("try {n}")), at(0)).unwrap();
    }
    let fault = loops.check_at(&call("a", "try 10"), at(0)).unwrap_err();
    assert_eq!(fault.kind, Kind::AccessDenied);
    assert!(fault.message.contains("loops.calls") && fault.message.contains("loops.except"), "{fault}");
    // Others, and what else it says, go on.
    loops.check_at(&call("b", "try 10"), at(1)).unwrap();
    loops.check_at(&call("a", "something else"), at(1)).unwrap();
    // Whoever goes on stays stopped.
    loops.check_at(&call("a", "try 11"), at(299)).unwrap_err();
    loops.check_at(&call("a", "try 12"), at(590)).unwrap_err();
    loops.check_at(&call("a", "try 13"), at(900)).unwrap();
}

#[test]
fn a_rate_below_the_rule_goes_on_for_ever() {
    let (loops, start) = (Loops::new(settings(60)), Instant::now());
    for second in 0..3_600 {
        loops.check_at(&call("a", "ping"), start + Duration::from_secs(second)).unwrap();
    }
}

#[test]
fn nobody_is_looked_at_where_nothing_is_configured_or_the_caller_is_excepted() {
    let start = Instant::now();
    let except = Settings { except: vec!["a".into()], ..settings(1) };
    for loops in [Loops::new(Settings::default()), Loops::new(except)] {
        (0..100).for_each(|_| loops.check_at(&call("a", "x"), start).unwrap());
        assert_eq!(loops.known(), 0);
    }
    let loops = Loops::new(settings(1));
    (0..100).for_each(|_| loops.check_at(&Call { likeness: None, ..call("a", "x") }, start).unwrap());
}

#[test]
fn memory_is_bounded_and_others_are_still_seen() {
    let (loops, start) = (Loops::with(settings(2), 160), Instant::now());
    let said = |n: usize| {
        let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
        format!("say {}{}{}{}", letter(n), letter(n / 26), letter(n / 676), letter(n / 17_576))
    };
    for n in 0..20_000 {
        loops.check_at(&call("a", &said(n)), start).unwrap();
    }
    assert!(loops.known() <= 160, "{}", loops.known());
    // After a while the old ones make room.
    let later = start + Duration::from_secs(120);
    loops.check_at(&call("a", "once more"), later).unwrap();
    loops.check_at(&call("a", "once more"), later).unwrap();
    loops.check_at(&call("a", "once more"), later).unwrap_err();
}

#[test]
fn other_settings_keep_who_is_stopped() {
    let (loops, start) = (Loops::new(settings(1)), Instant::now());
    loops.check_at(&call("a", "x"), start).unwrap();
    loops.check_at(&call("a", "x"), start).unwrap_err();
    loops.under(settings(1_000)).check_at(&call("a", "x"), start).unwrap_err();
    loops.under(Settings::default()).check_at(&call("a", "x"), start).unwrap();
}
