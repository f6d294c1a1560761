use std::sync::atomic::{AtomicUsize, Ordering};

use super::claim::CANDIDATES;
use super::{ENCODED, EncodeError, Encoder, grounding, measure, relevance, sentences, text};
use crate::Encoded;

/// An encoder that knows nothing of meaning: what is tested here must not hang on it.
struct Same;

impl Encoder for Same {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        Ok(texts.iter().map(|_| Encoded { vector: vec![0.6, 0.0], ..Encoded::default() }).collect())
    }
}

const SOURCE: &str = "Amara Lindqvist founded the Halden Observatory in 1923 with a gift of 1,000 crowns. The observatory has \
twelve telescopes, and the largest is 40 cm wide. It was not open to the public before the war. Dr. Okafor directed it \
from 1951 to 1968.";
const QUERY: &str = "Who founded the Halden Observatory, and when?";

fn grounded(response: &str) -> f64 {
    grounding(SOURCE, QUERY, response, &Same).unwrap().score
}

#[test]
fn what_the_source_says_is_grounded() {
    for response in [
        "Amara Lindqvist founded the Halden Observatory in 1923.",
        "The observatory has 12 telescopes.",
        "The Halden Observatory was founded in 1923 with a gift of 1000 crowns.",
        "It was not open to the public before the war.",
    ] {
        assert!(grounded(response) > 0.7, "{response}: {}", grounded(response));
    }
}

#[test]
fn one_wrong_thing_in_a_copied_sentence_is_not() {
    for response in [
        "Amara Lindqvist founded the Halden Observatory in 1932.",
        "Greta Lindqvist founded the Halden Observatory in 1923.",
        "Amara Lindqvist founded the Uppsala Observatory in 1923.",
        "The observatory has thirteen telescopes, and the largest is 40 cm wide.",
        "The observatory has twelve telescopes, and the largest is 40 km wide.",
        "The observatory has twelve telescopes, and the smallest is 40 cm wide.",
        "It was open to the public before the war.",
        "It was not open to the public after the war.",
        "Amara Lindqvist did not found the Halden Observatory in 1923.",
    ] {
        assert!(grounded(response) < 0.4, "{response}: {}", grounded(response));
    }
}

#[test]
fn one_wrong_sentence_among_right_ones_decides_and_is_told() {
    let wrong = "Amara Lindqvist founded it in Bombay with her cousin.";
    let response = format!("The observatory has twelve telescopes. {wrong} Dr. Okafor directed it from 1951 to 1968.");
    let scored = grounding(SOURCE, QUERY, &response, &Same).unwrap();
    assert_eq!(&response[scored.sentence], wrong);
    assert!(scored.score < 0.5, "{}", scored.score);
    assert!(scored.support.unwrap().starts_with("Amara Lindqvist"));
}

const MUSEUM: &str = "The Tidewater Museum opened on 7 March 1958. Admission is $12.50 for adults. Guided tours are free for \
groups over 15 people. The garden is open from 8 am to 6 pm. Photography is permitted in the east hall only. The tunnel is \
750 metres long. Discounts apply to local visitors. Seating holds 3 hours of charge.";

fn of_museum(response: &str) -> f64 {
    grounding(MUSEUM, "What does the museum offer?", response, &Same).unwrap().score
}

#[test]
fn little_words_that_contradict_are_seen() {
    for response in [
        "The Tidewater Museum opened on 7 May 1958.",
        "The Tidewater Museum opened on 7 Will 1958.",
        "Admission is €12.50 for adults.",
        "Admission is £12.50 for adults.",
        "Admission is 12.50% for adults.",
        "Admission is 12.50 euros for adults.",
        "Guided tours are free for groups under 15 people.",
        "The garden is open from 8 am to 6 am.",
        "The garden is open from 8 a.m. to 6 a.m.",
        "The tunnel is 750 kilometres long.",
        "Discounts apply to all visitors.",
    ] {
        assert!(of_museum(response) < 0.4, "{response}: {}", of_museum(response));
    }
}

#[test]
fn amounts_are_the_same_however_they_are_written() {
    for response in [
        "Admission is 12.50 dollars for adults.",
        "Admission is 12.50 USD for adults.",
        "The garden is open from 8 a.m. to 6 p.m.",
        "The tunnel is 0.75 km long.",
        "The tunnel is 750 m long.",
        "The Tidewater Museum opened on March 7, 1958.",
    ] {
        assert!(of_museum(response) > 0.7, "{response}: {}", of_museum(response));
    }
}

#[test]
fn what_is_said_about_the_conversation_weighs_nothing() {
    for response in [
        "Good question! Guided tours are free for groups over 15 people.",
        "Sure! According to the document, guided tours are free for groups over 15 people.",
        "Based on the information provided, guided tours are free for groups over 15 people.",
        "The document states that guided tours are free for groups over 15 people.",
        "Guided tours are free for groups over 15 people. Let me know if you have any further questions.",
        "Guided tours are free for groups over 15 people, according to the provided context.",
        "I'm sorry, but I could not find that in the source.",
        "The document does not mention this.",
    ] {
        assert!(of_museum(response) > 0.7, "{response}: {}", of_museum(response));
    }
    for response in [
        "According to the document, guided tours are free for groups over 50 people.",
        "Sure! Penguins breed in the cellar of the museum every winter.",
        "I know that the museum was sold to a bank in Oslo.",
        "According to Greta Holm, guided tours are free for groups over 15 people.",
    ] {
        assert!(of_museum(response) < 0.6, "{response}: {}", of_museum(response));
    }
}

#[test]
fn a_frame_takes_nothing_from_relevance() {
    let of = |response: &str| relevance(SOURCE, QUERY, response, &Same).unwrap().score;
    let bare = of("Amara Lindqvist founded the Halden Observatory in 1923.");
    let framed = of("Based on the provided context, Amara Lindqvist founded the Halden Observatory in 1923.");
    assert!((bare - framed).abs() < 0.02, "{bare} {framed}");
}

#[test]
fn what_the_source_never_mentions_is_not_grounded() {
    assert!(grounded("Penguins breed on the Antarctic ice during winter.") < 0.1);
}

#[test]
fn a_bare_name_is_relevant_through_its_sentence() {
    let of = |response: &str| relevance(SOURCE, QUERY, response, &Same).unwrap().score;
    assert!(of("Amara Lindqvist") > of("Steyr Mannlicher") + 0.2);
}

#[test]
fn one_relevant_sentence_makes_the_whole_relevant() {
    let of = |response: &str| relevance(SOURCE, QUERY, response, &Same).unwrap().score;
    let alone = of("Amara Lindqvist founded the Halden Observatory.");
    assert!(of("Amara Lindqvist founded the Halden Observatory. Penguins breed on ice.") >= alone);
}

#[test]
fn scores_stay_between_0_and_1_for_any_text() {
    let long = "a1 ".repeat(4000);
    for response in [
        "",
        " ",
        "…",
        "no",
        "\u{301}\u{301}",
        "١٢٣",
        "🦀🦀",
        "日本語の文。",
        "1e999 9999999999999999999999",
        long.as_str(),
    ] {
        for source in ["", SOURCE, "日本語の文。", long.as_str()] {
            let measured = measure(source, "", response, &Same).unwrap();
            for scored in [measured.grounding, measured.relevance] {
                assert!((0.0..=1.0).contains(&scored.score));
                assert!(response.get(scored.sentence).is_some());
            }
        }
    }
}

#[test]
fn sentences_end_where_a_reader_ends_them() {
    let of = |text: &'static str| sentences::claims(text).into_iter().map(|range| &text[range]).collect::<Vec<_>>();
    assert_eq!(of("Dr. Smith paid $1.50. He left."), ["Dr. Smith paid $1.50.", "He left."]);
    assert_eq!(of("in the 19th century.First for Women"), ["in the 19th century.", "First for Women"]);
    assert_eq!(of("J. R. Ewing lives in the U.S. today"), ["J. R. Ewing lives in the U.S. today"]);
    assert_eq!(of("one\ntwo。三"), ["one", "two。", "三"]);
}

#[test]
fn numbers_have_one_spelling() {
    let of = |text: &str| text::tokens(text, 0).into_iter().filter_map(|token| token.value).collect::<Vec<_>>();
    assert_eq!(of("1,000 and 1000 and 1.5 million"), [1000.0, 1000.0, 1_500_000.0]);
    assert_eq!(of("twelve, twenty-five, three thousand"), [12.0, 25.0, 3000.0]);
    assert_eq!(of("the 3rd, third, 1990s"), [3.0, 3.0, 1990.0]);
}

#[test]
fn of_a_long_source_only_what_resembles_the_answer_is_encoded() {
    struct Counts(AtomicUsize);
    impl Encoder for Counts {
        fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
            self.0.fetch_add(texts.len(), Ordering::Relaxed);
            Same.encode(texts)
        }
    }
    let sentence = "The committee of the northern district met in the hall and spoke about the bridge over the river. ";
    let source = (0..1000).map(|at| format!("{at} {sentence}")).collect::<String>();
    let counts = Counts(AtomicUsize::new(0));
    measure(&source, QUERY, "The committee met in the hall. It spoke about the bridge.", &counts).unwrap();
    let short = counts.0.swap(0, Ordering::Relaxed);
    assert!(short <= 1 + 2 + 2 * CANDIDATES, "{short}");
    let long = "The committee met in the hall. It spoke about the bridge. ".repeat(80);
    measure(&source, QUERY, &long, &counts).unwrap();
    assert!(counts.0.load(Ordering::Relaxed) <= 2 * ENCODED + CANDIDATES + 1);
}
