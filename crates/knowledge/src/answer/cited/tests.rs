use super::checked;
use crate::answer::written::Written;

const PASSAGES: [&str; 3] = [
    "The on-call rotation changes every Wednesday at 10:00 UTC. Priya Raman owns the schedule.",
    "We chose NATS JetStream over Kafka in March 2024 because operations had two people only.",
    "To restart the indexing service run `systemctl restart indexer` on host ix-7.",
];

fn sources(text: &str, sources: &[usize]) -> Option<Vec<usize>> {
    let written = Written { text: text.into(), sources: sources.to_vec() };
    checked(written, "When does on call change?", &PASSAGES).map(|part| part.sources)
}

#[test]
fn a_right_source_stays_and_a_wrong_one_is_put_right() {
    let said = "Priya Raman owns the on-call schedule.";
    assert_eq!(sources(said, &[0]), Some(vec![0]));
    assert_eq!(sources(said, &[1]), Some(vec![0]));
    assert_eq!(sources(said, &[1, 0]), Some(vec![0]));
    assert_eq!(sources(said, &[]), Some(vec![0]));
}

#[test]
fn what_no_passage_says_is_not_said() {
    assert_eq!(sources("The rotation changes every Wednesday at 11:00 UTC.", &[0]), None);
    assert_eq!(sources("The schedule is owned by Bob Miller.", &[0]), None);
    assert_eq!(sources("It was chosen in April 2025.", &[1]), None);
}

#[test]
fn small_talk_has_no_source() {
    assert_eq!(sources("Let me know if anything else would help.", &[]), Some(vec![]));
}

#[test]
fn a_word_alone_gets_no_source_of_ours() {
    assert_eq!(sources("No.", &[2]), Some(vec![2]));
    assert_eq!(sources("No.", &[]), Some(vec![]));
    assert_eq!(sources("At 10:00 UTC.", &[]), Some(vec![0]));
}

#[test]
fn two_passages_may_hold_a_part_together() {
    let said = "Priya Raman owns the on-call schedule, and operations had two people when NATS JetStream was chosen.";
    assert_eq!(sources(said, &[0, 1]), Some(vec![0, 1]));
}

#[test]
fn neither_the_question_nor_an_excuse_is_an_answer() {
    for nothing in [
        "When does on call change? The answer is not possible to provide.",
        "When does the on-call change?",
        "when does on call change",
        "I'm sorry, I don't have enough information to answer that.",
        "The search results do not mention the height of the lighthouse.",
        "I could not find an exact answer to the question.",
    ] {
        assert_eq!(sources(nothing, &[0]), None, "{nothing}");
    }
    let written = Written { text: "When does on call change? Every Wednesday at 10:00 UTC.".into(), sources: vec![0] };
    let part = checked(written, "When does on call change?", &PASSAGES).unwrap();
    assert_eq!((part.text.as_str(), part.sources), ("Every Wednesday at 10:00 UTC.", vec![0]));
    let negative = ["The form does not ask for personal information."];
    let written = Written { text: negative[0].into(), sources: vec![0] };
    assert!(checked(written, "What does the form ask for?", &negative).is_some());
}
