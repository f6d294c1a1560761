use super::*;

/// A call of Claude 3 Haiku: 100 tokens read, 20 written.
pub(crate) fn entry() -> Entry {
    Entry {
        at: "2026-11-21T12:00:00Z".parse().unwrap(),
        request_id: "5d3f2d0c-6d4b-4f7e-9c0d-0123456789ab".into(),
        account: "111122223333".into(),
        region: "us-east-1".into(),
        operation: "Converse".into(),
        kind: Kind::Chat,
        principal: "arn:aws:iam::111122223333:user/bob".into(),
        key: Some("AKIAIOSFODNN7EXAMPLE".into()),
        tags: BTreeMap::new(),
        metadata: BTreeMap::new(),
        model: "anthropic.claude-3-haiku-20240307-v1:0".into(),
        model_id: "anthropic.claude-3-haiku-20240307-v1:0".into(),
        profile: None,
        provider: Some("local".into()),
        tier: None,
        resolved_tier: None,
        cross_region: false,
        tokens: Tokens { input: 100, output: 20, ..Tokens::default() },
        images: 0,
        queries: 0,
        max_tokens: Some(64),
        prefix: None,
        first_event_ms: Some(12.5),
        total_ms: 80.0,
        attempts: 1,
        cached: false,
        streamed: false,
        outcome: Outcome::Answered,
        error: None,
        cost: Some("0.00005".parse().unwrap()),
        text_units: TextUnits::default(),
        guardrails_cost: Decimal::ZERO,
    }
}

#[test]
fn an_entry_is_the_same_after_it_was_written_and_read() {
    let line = serde_json::to_string(&entry()).unwrap();
    assert!(line.contains(r#""cost":"0.00005""#), "{line}");
    assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), entry());
    assert!(!line.contains("text_units") && !line.contains("guardrails_cost"), "{line}");
    let guarded = Entry {
        text_units: TextUnits { content: 2, free: 1, ..TextUnits::default() },
        guardrails_cost: "0.0003".parse().unwrap(),
        ..entry()
    };
    let line = serde_json::to_string(&guarded).unwrap();
    assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), guarded);
    assert_eq!(guarded.dollars(), Some("0.00035".parse().unwrap()));
    assert_eq!(Entry { cost: None, ..guarded }.dollars(), Some("0.0003".parse().unwrap()));
    assert_eq!(Entry { cost: None, ..entry() }.dollars(), None);
}
