use std::time::Duration;

use serde_json::json;

use super::explained;
use super::lines::{Line, read};
use super::tally::{Judged, Tally};
use crate::args::Side;

fn line(text: &str, block: bool) -> Line {
    Line { number: 1, text: text.to_owned(), block, side: Side::Input }
}

#[test]
fn lines_are_json_or_a_label_and_a_text() {
    let text = "block\tdrop it\n\n{\"text\": \"hello\", \"label\": \"allow\", \"side\": \"output\"}\n";
    let lines = read(text).unwrap();
    assert_eq!(lines[0], line("drop it", true));
    assert_eq!(lines[1], Line { number: 3, text: "hello".to_owned(), block: false, side: Side::Output });
}

#[test]
fn a_byte_order_mark_at_the_beginning_is_skipped() {
    assert_eq!(read("\u{feff}block\tbad").unwrap(), [line("bad", true)]);
}

#[test]
fn a_bad_line_is_told_by_its_number() {
    for (text, told) in [
        ("allow\tx\nmaybe\ty", "2: the label is maybe"),
        ("{\"text\": \"x\"}", "1: \"label\" is missing"),
        ("{\"text\": \"x\", \"label\": \"block\", \"side\": \"up\"}", "1: \"side\""),
        ("no tab", "1: write block or allow"),
        ("", "1: there is no labelled line"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.starts_with(told), "{error}");
    }
}

#[test]
fn an_answer_names_what_acted_and_nothing_else() {
    let answer = json!({"action": "GUARDRAIL_INTERVENED", "assessments": [{
        "contentPolicy": {"filters": [
            {"type": "HATE", "action": "NONE", "detected": true},
            {"type": "VIOLENCE", "action": "BLOCKED", "detected": true}]},
        "sensitiveInformationPolicy": {"piiEntities": [{"type": "EMAIL", "match": "a@b", "action": "ANONYMIZED"}], "regexes": []},
        "invocationMetrics": {"guardrailProcessingLatency": 7, "usage": {"topicPolicyUnits": 1}},
    }]});
    let judged = Judged::read(&answer, Duration::from_millis(9));
    assert!(judged.intervened);
    let by: Vec<&str> = judged.by.iter().map(String::as_str).collect();
    assert_eq!(by, ["contentPolicy VIOLENCE", "sensitiveInformationPolicy EMAIL"]);
    assert_eq!((judged.processing, judged.wall), (7.0, 9.0));
}

#[test]
fn precision_recall_and_what_was_wrong() {
    let mut tally = Tally::default();
    let stopped = |by: &str| Judged { intervened: true, by: [by.to_owned()].into(), processing: 2.0, wall: 3.0 };
    tally.add(&line("bad", true), stopped("wordPolicy x"));
    tally.add(&line("bad too", true), stopped("wordPolicy x"));
    tally.add(&line("slipped through", true), Judged::default());
    tally.add(&line("good", false), stopped("topicPolicy Stocks"));
    tally.add(&line("fine", false), Judged::default());
    assert_eq!((tally.precision(), tally.recall()), (Some(2.0 / 3.0), Some(2.0 / 3.0)));
    let shown = tally.to_string();
    assert!(shown.contains("1  topicPolicy Stocks") && !shown.contains("wordPolicy"), "{shown}");
    assert!(shown.contains("should block: slipped through"), "{shown}");
    assert!(shown.contains("should allow: good  [topicPolicy Stocks]"), "{shown}");
    assert!(shown.contains("median 2.0 ms, p95 2.0 ms"), "{shown}");
    assert!(tally.enough(Some(0.6), Some(0.6)).is_ok());
    assert!(tally.enough(None, Some(0.7)).unwrap_err().contains("recall is 0.667"));
    assert!(Tally::default().enough(Some(0.1), None).unwrap_err().contains("cannot be told"));
}

#[test]
fn an_explanation_shows_scores_spans_and_reasons() {
    let told = json!({"action": "GUARDRAIL_INTERVENED", "policies": [{
        "policy": "contentPolicy", "name": "INSULTS", "score": 0.91234, "threshold": null, "confidence": "HIGH",
        "strength": "LOW", "action": "BLOCKED", "detected": true, "at": {"start": 0, "end": 5, "text": "idiot"},
        "because": ["\"idiot\" +2.10"]}]});
    let shown = explained(&told);
    assert!(shown.contains("contentPolicy INSULTS  BLOCKED, score 0.912, confidence HIGH, strength LOW"), "{shown}");
    assert!(shown.contains("at 0..5: idiot") && shown.contains("because \"idiot\" +2.10"), "{shown}");
}
