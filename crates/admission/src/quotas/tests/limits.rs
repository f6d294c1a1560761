use super::*;

#[test]
fn a_refusal_says_which_quota_how_much_and_when() {
    let (quotas, mut clock) = (Quotas::new(minute(1_000)), Clock::new());
    let first = quotas.admit_at(&call("AKIA1", 100, 500), clock.now()).unwrap();
    let fault = quotas.admit_at(&call("AKIA1", 100, 500), clock.now()).unwrap_err();
    assert_eq!(fault.kind, outcrop_api::Kind::Throttling);
    assert_eq!(
        fault.message,
        "Too many tokens, please wait before trying again. The quota \"On-demand model inference tokens per minute for \
         Anthropic Claude 3 Haiku\" (L-8CE99163) of account 111122223333 in us-east-1 is 1000 tokens a minute. This \
         call may take 600 (100 to read and at most 500 to write). Try again in 12 seconds."
    );
    let wait = fault.retry_after.unwrap();
    assert!((11.9..12.1).contains(&wait.as_secs_f64()), "{wait:?}");
    assert!(quotas.admit_at(&call("AKIA1", 100, 500), clock.on(11.0)).is_err());
    let second = quotas.admit_at(&call("AKIA1", 100, 500), clock.on(1.0)).unwrap();
    drop((first, second));
}

#[test]
fn what_was_not_used_is_back_at_once_and_an_unsettled_call_never_was() {
    let (quotas, clock) = (Quotas::new(minute(1_000)), Clock::new());
    let mut hold = quotas.admit_at(&call("AKIA1", 100, 900), clock.now()).unwrap();
    assert!(quotas.admit_at(&call("AKIA1", 1, 0), clock.now()).is_err());
    hold.settle(&Spent { input: 50, output: 100, cache_read: 700, cache_write: 50, cost: None });
    hold.drop_at(clock.now());
    assert_eq!(quotas.snapshot_at(clock.now())[0].tokens_per_minute, Some(Used { used: 200, of: 1_000 }));
    let mut failed = quotas.admit_at(&call("AKIA1", 100, 700), clock.now()).unwrap();
    failed.drop_at(clock.now());
    assert_eq!(quotas.snapshot_at(clock.now())[0].tokens_per_minute, Some(Used { used: 200, of: 1_000 }));
}

#[test]
fn answers_burn_down_five_times_as_fast_since_claude_3_7() {
    for (model, rate) in [
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", 5),
        ("anthropic.claude-sonnet-4-20250514-v1:0", 5),
        ("anthropic.claude-opus-4-6-v1", 5),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", 5),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", 1),
        ("anthropic.claude-3-opus-20240229-v1:0", 1),
        ("anthropic.claude-v2:1", 1),
        ("anthropic.claude-instant-v1", 1),
        ("amazon.nova-pro-v1:0", 1),
    ] {
        assert_eq!(burndown::rate(model), rate, "{model}");
    }
    let (quotas, clock) = (Quotas::new(minute(1_000)), Clock::new());
    let call = Call { model: "anthropic.claude-sonnet-4-20250514-v1:0", ..call("AKIA1", 100, 100) };
    let mut hold = quotas.admit_at(&call, clock.now()).unwrap();
    hold.settle(&Spent { input: 60, output: 100, cache_read: 9_000, cache_write: 40, cost: None });
    hold.drop_at(clock.now());
    assert_eq!(quotas.snapshot_at(clock.now())[0].tokens_per_minute.unwrap().used, 600);
    // What is more than there is does not wrap around.
    assert_eq!(burndown::tokens(&spent(u64::MAX, u64::MAX), 5), u64::MAX);
}

#[test]
fn cross_region_calls_accounts_regions_and_models_are_apart() {
    let (quotas, clock) = (Quotas::new(minute(100)), Clock::new());
    let first = call("AKIA1", 100, 0);
    let mut held = vec![quotas.admit_at(&first, clock.now()).unwrap()];
    let others = [
        Call { account: "444455556666", ..first.clone() },
        Call { region: "eu-west-1", ..first.clone() },
        Call { model: "amazon.nova-pro-v1:0", ..first.clone() },
        Call { provisioned: true, ..first.clone() },
        Call { cross_region: true, input: 200, ..first.clone() },
    ];
    for other in &others {
        held.push(quotas.admit_at(other, clock.now()).unwrap());
    }
    assert!(quotas.admit_at(&first, clock.now()).is_err());
    let fault = quotas.admit_at(&others[4], clock.now()).unwrap_err();
    assert!(fault.message.contains("Cross-region model inference tokens per minute"), "{fault}");
    assert!(fault.message.contains("is 200 tokens a minute"), "{fault}");
}

#[test]
fn a_call_that_never_fits_is_told_so_and_not_when_to_come_back() {
    let (quotas, clock) = (Quotas::new(minute(1_000)), Clock::new());
    for tokens in [1_001, u64::MAX] {
        let fault = quotas.admit_at(&call("AKIA1", tokens, tokens), clock.now()).unwrap_err();
        assert!(fault.message.contains("never fits") && fault.retry_after.is_none(), "{fault}");
        assert!(fault.message.starts_with("Too many tokens, please wait before trying again."), "{fault}");
    }
    assert!(quotas.admit_at(&call("AKIA1", 1_000, 0), clock.now()).is_ok());
}

fn rule(name: &str, by: &str, limits: Limits) -> Rule {
    Rule { name: name.into(), by: By::parse(by).unwrap(), value: None, model: None, limits }
}

#[test]
fn rules_limit_keys_principals_tags_and_metadata_values_each_apart() {
    let one = Limits { concurrency: Some(1), ..Limits::default() };
    let rules = vec![
        rule("a key at a time", "key", one),
        Rule { value: Some("red".into()), ..rule("red", "tag:team", Limits { tokens_per_minute: Some(10), ..one }) },
        Rule { model: Some("amazon.*".into()), ..rule("nova", "principal", one) },
        rule("tenants", "metadata:tenant", Limits { requests_per_minute: Some(2), ..Limits::default() }),
    ];
    let (quotas, mut clock) = (Quotas::new(Settings { rules, ..Settings::default() }), Clock::new());
    let first = quotas.admit_at(&call("AKIA1", 1, 1), clock.now()).unwrap();
    let fault = quotas.admit_at(&call("AKIA1", 1, 1), clock.now()).unwrap_err();
    let text = "Too many requests, please wait before trying again. The quota \"a key at a time\" of key \"AKIA1\" is 1 \
                calls at a time, and as many are under way. Try again in 1 second.";
    assert_eq!(fault.message, text);
    drop(quotas.admit_at(&call("AKIA2", 1, 1), clock.now()).unwrap());
    drop(first);

    let red = BTreeMap::from([("team".to_owned(), "red".to_owned())]);
    let blue = BTreeMap::from([("team".to_owned(), "blue".to_owned())]);
    let fault = quotas.admit_at(&Call { tags: &red, ..call("AKIA1", 11, 0) }, clock.now()).unwrap_err();
    assert!(fault.message.contains("\"red\" of tag team \"red\" is 10 tokens a minute"), "{fault}");
    // What an earlier rule gave is given back by a refusal.
    drop(quotas.admit_at(&Call { tags: &blue, ..call("AKIA1", 11, 0) }, clock.now()).unwrap());

    let nova = Call { model: "amazon.nova-pro-v1:0", ..call("AKIA1", 1, 0) };
    let held = quotas.admit_at(&nova, clock.now()).unwrap();
    assert!(quotas.admit_at(&Call { key: Some("AKIA2"), ..nova.clone() }, clock.now()).is_err());
    drop(held);

    let tenant = |name: &str| BTreeMap::from([("tenant".to_owned(), name.to_owned())]);
    let (a, b) = (tenant("a"), tenant("b"));
    for _ in 0..2 {
        let mut hold = quotas.admit_at(&Call { metadata: Some(&a), ..call("AKIA1", 1, 0) }, clock.now()).unwrap();
        hold.settle(&spent(1, 0));
        hold.drop_at(clock.now());
    }
    let fault = quotas.admit_at(&Call { metadata: Some(&a), ..call("AKIA1", 1, 0) }, clock.now()).unwrap_err();
    assert!(fault.message.contains("\"tenants\" of metadata tenant \"a\" is 2 requests a minute. Try"), "{fault}");
    drop(quotas.admit_at(&Call { metadata: Some(&b), ..call("AKIA1", 1, 0) }, clock.now()).unwrap());
    clock.on(30.1);
    drop(quotas.admit_at(&Call { metadata: Some(&a), ..call("AKIA1", 1, 0) }, clock.now()).unwrap());
}

#[test]
fn other_settings_keep_what_is_taken() {
    let (quotas, clock) = (Quotas::new(minute(1_000)), Clock::new());
    quotas.whole("AKIA1", 900, clock.now()).unwrap();
    let more = quotas.under(minute(2_000));
    more.whole("AKIA1", 1_100, clock.now()).unwrap();
    assert!(more.whole("AKIA1", 1, clock.now()).is_err());
    let less = quotas.under(minute(100));
    assert!(less.whole("AKIA1", 1, clock.now()).is_err());
    less.under(Settings::default()).whole("AKIA1", u64::MAX, clock.now()).unwrap();
}

#[test]
fn names_and_codes_are_awss() {
    let quota = |metric, cross_region| Quota {
        metric,
        cross_region,
        model: HAIKU,
        model_name: "Claude 3 Haiku",
        maker: "Anthropic",
    };
    let day = quota(Metric::TokensPerDay, false);
    assert_eq!(
        day.name(),
        "Model invocation max tokens per day for Anthropic Claude 3 Haiku (doubled for cross-region calls)"
    );
    assert_eq!(quota(Metric::RequestsPerMinute, false).code(), "L-2DC80978");
    let derived = quota(Metric::TokensPerMinute, true);
    assert_eq!(derived.name(), "Cross-region model inference tokens per minute for Anthropic Claude 3 Haiku");
    let code = derived.code();
    assert!(code.len() == 10 && code.starts_with("L-") && code[2..].bytes().all(|b| b.is_ascii_hexdigit()), "{code}");
    assert!(names::CODES.is_sorted(), "they are searched by halves");
    assert!(derived.description().len() <= 350 && day.description().len() <= 350);
}
