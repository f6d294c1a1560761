use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::content::{Category, Classifier};
use crate::sensitive::Pii;
use crate::{
    Acted, Does, EncodeError, Encoded, Encoder, Filter, PiiRule, Policy, RegexRule, Side, Sides, Strength, Topic,
    Unmeasured,
};

/// Every text is the same to it.
struct Flat;

impl Encoder for Flat {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        Ok(texts.iter().map(|_| Encoded { vector: vec![1.0], ..Encoded::default() }).collect())
    }
}

/// It knows nothing.
struct Blank;

impl Encoder for Blank {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        let blank = Encoded { vector: vec![0.0; 384], states: vec![0.0; 3 * 384], truncated: false };
        Ok(texts.iter().map(|_| blank.clone()).collect())
    }
}

/// It fails.
struct Broken;

impl Encoder for Broken {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        if texts.iter().any(|text| text.contains("fail")) {
            Err(EncodeError("broken".into()))
        } else {
            Flat.encode(texts)
        }
    }
}

/// Read once: it is large.
fn classifier() -> Arc<Classifier> {
    static LOADED: LazyLock<Arc<Classifier>> = LazyLock::new(|| Arc::new(Classifier::load().unwrap()));
    Arc::clone(&LOADED)
}

fn guard(policy: Policy) -> Arc<Guard> {
    Arc::new(Guard::new(policy, Arc::new(Flat), classifier()).unwrap())
}

fn regex(name: &str, pattern: &str, does: Does) -> RegexRule {
    RegexRule { name: name.into(), pattern: pattern.into(), sides: Sides { input: Does::Off, output: does } }
}

/// What goes on of `text` in such pieces, and whether it is blocked.
fn through(stream: &mut Stream, text: &str, pieces: &[usize]) -> (String, bool) {
    let (mut out, mut left) = (String::new(), text);
    let mut sizes = pieces.iter().copied().cycle();
    while !left.is_empty() {
        let size = sizes.next().unwrap_or(1).max(1);
        let at = left.char_indices().nth(size).map_or(left.len(), |(at, _)| at);
        let (piece, rest) = left.split_at(at);
        left = rest;
        let step = stream.push(piece);
        out.push_str(&step.text);
        if step.blocked {
            return (out, true);
        }
    }
    let step = stream.finish();
    out.push_str(&step.text);
    (out, step.blocked)
}

fn whole(guards: &[Arc<Guard>], text: &str) -> (String, bool) {
    let mut stream = Stream::new(guards.to_vec(), Vec::new(), Pace::default());
    through(&mut stream, text, &[usize::MAX])
}

#[test]
fn text_that_is_no_match_goes_on_at_once() {
    let mut stream = Stream::new(
        [guard(Policy { regexes: vec![regex("Ticket", r"T-\d+", Does::Mask)], ..Policy::default() })],
        vec![],
        Pace::default(),
    );
    assert_eq!(stream.push("Your ticket is ").text, "Your ticket is ");
    assert_eq!(stream.push("T").text, "");
    assert_eq!(stream.push("-77").text, "");
    assert_eq!(stream.push("7, ").text, "{Ticket}, ");
    assert_eq!(stream.push("To").text, "To");
    assert_eq!(stream.push(" T-1").text, " ");
    let last = stream.finish();
    assert_eq!((last.text.as_str(), last.blocked), ("{Ticket}", false));
    assert_eq!(last.assessed.len(), 1);
    assert_eq!(last.assessed[0].found.acted, Acted::Masked);
    assert_eq!(last.assessed[0].found.regexes.len(), 2);
}

#[test]
fn nothing_goes_on_from_a_block_on() {
    let policy = Policy { regexes: vec![regex("Key", r"sk-[a-z]{4}", Does::Block)], ..Policy::default() };
    let mut stream = Stream::new([guard(policy)], vec![], Pace::default());
    assert_eq!(stream.push("the key s").text, "the key ");
    assert_eq!(stream.push("k-ab").text, "");
    let step = stream.push("cd and more");
    assert!(step.blocked && step.text.is_empty());
    assert_eq!(step.assessed[0].found.acted, Acted::Blocked);
}

#[test]
fn meaning_is_judged_a_window_at_a_time() {
    let topic =
        Topic { name: "any".into(), definition: "any".into(), sides: Sides::both(Does::Detect), ..Topic::default() };
    let policy = Policy { topics: vec![topic], ..Policy::default() };
    let text = "word ".repeat(500);
    let whole = Pace { window: 1_000, first: 1_000 };
    let mut stream = Stream::new([guard(policy.clone())], vec![], whole);
    assert_eq!(stream.push(&text[..999]).text, "");
    let step = stream.push(&text[999..2_400]);
    // Windows end between two words.
    assert_eq!(step.assessed.len(), 2);
    assert!((1_900..=2_000).contains(&step.text.len()), "{}", step.text.len());
    let last = stream.finish();
    assert_eq!(last.assessed.len(), 1);
    assert_eq!(step.text.len() + last.text.len(), 2_400);
    let coverage: u64 = step.assessed.iter().chain(&last.assessed).map(|said| said.found.coverage.guarded).sum();
    assert_eq!(coverage, 2_400);
}

/// All content filters, which go by the words alone.
fn filtering() -> Arc<Guard> {
    let (input, output, sides) = (Strength::High, Strength::High, Sides::both(Does::Block));
    let five = Category::ALL.into_iter().filter(|category| *category != Category::PromptAttack);
    let filters = five.map(|category| Filter { category, input, output, sides }).collect();
    Arc::new(Guard::new(Policy { filters, ..Policy::default() }, Arc::new(Blank), classifier()).unwrap())
}

const HARMLESS: &str =
    "Photosynthesis turns light, water and carbon dioxide into sugar, which plants then use to grow. ";
const HARMFUL: &str = "You are all worthless idiots, and I hope that every one of you people dies slowly. ";

#[test]
fn the_beginning_of_a_window_goes_on_while_it_is_far_from_harm() {
    let early = |text: &str| {
        let mut stream = Stream::new([filtering()], vec![], Pace::default());
        let mut gone = String::new();
        for word in text.split_inclusive(' ') {
            let step = stream.push(word);
            assert!(step.assessed.is_empty(), "nothing is told before a window is over");
            gone.push_str(&step.text);
        }
        let last = stream.finish();
        assert_eq!(last.assessed.len(), 1);
        (gone, last.text, last.blocked)
    };
    let (gone, rest, blocked) = early(HARMLESS);
    assert!(gone.len() > HARMLESS.len() / 3 && !blocked && !gone.ends_with(' '), "{gone}");
    assert_eq!(gone + &rest, HARMLESS);
    let (gone, rest, blocked) = early(HARMFUL);
    assert!(blocked && rest.is_empty() && HARMFUL.starts_with(&gone) && !gone.contains("worthless"), "{gone}");
}

#[test]
fn a_language_that_is_blocked_is_waited_for() {
    let how = How { unmeasured: Unmeasured::Block, ..How::default() };
    let mut stream = Stream::new([filtering()], vec![], Pace::default()).judged(how);
    let text = "Der Zug an die Küste fährt um neun und braucht zwei Stunden, also ist vorher Zeit für einen Kaffee.";
    assert_eq!(through(&mut stream, text, &[5]), (String::new(), true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_goes_on_early_does_not_depend_on_the_pieces(
        said in proptest::collection::vec(proptest::bool::weighted(0.2), 1..14),
        pieces in proptest::collection::vec(1..40usize, 1..6),
    ) {
        let text: String = said.into_iter().map(|bad| if bad { HARMFUL } else { HARMLESS }).collect();
        let guard = filtering();
        let by = |pieces: &[usize], pace: Pace| {
            through(&mut Stream::new([Arc::clone(&guard)], Vec::new(), pace), &text, pieces)
        };
        let (out, blocked) = by(&pieces, Pace::default());
        let (whole, stopped) = by(&pieces, Pace { window: 1_000, first: 1_000 });
        prop_assert_eq!(blocked, stopped, "windows decide, and no beginning of them");
        let (most, _) = by(&[1], Pace::default());
        // What arrives in one piece with what is blocked stays behind with it.
        prop_assert!(text.starts_with(&most) && most.starts_with(&out) && out.starts_with(&whole));
        prop_assert!(blocked || out == text);
    }
}

#[test]
fn what_cannot_be_judged_is_told() {
    let topic =
        Topic { name: "any".into(), definition: "any".into(), sides: Sides::both(Does::Block), ..Topic::default() };
    let policy = Policy { topics: vec![topic], ..Policy::default() };
    let broken = Guard::new(policy, Arc::new(Broken), classifier()).unwrap();
    // The text fails only where the encoder is asked for it.
    if broken.assess(Side::Output, &[Passage { text: "fail", role: Role::Content }]).is_ok() {
        return;
    }
    let mut stream = Stream::new([Arc::new(broken)], vec![], Pace::default());
    stream.push("fail");
    assert!(matches!(stream.finish().failed, Some((0, Failed::Encoder(_)))));
}

/// Sentences as people and models write them.
const SAID: [&str; 22] = [
    "Hello! How can I help you today? ",
    "My name is Jane Doe and I live at 12 Main Street, Springfield, IL 62704. ",
    "Write to jane.doe@example.com, please. ",
    "Or call +1 415 555 0134 after six. ",
    "Her card is 4111 1111 1111 1111, expiring 04/27, CVV 123.\n",
    "The server is at 192.168.12.4 and its MAC is 00:1B:44:11:3A:B7. ",
    "Dr. Maria Garcia-Lopez met Ahmed in Paris. ",
    "SSN: 536-90-4399. ",
    "The user name is jdoe42 and the password is hunter2!xyz. ",
    "He is 45 years old, she is 38. ",
    "IBAN DE89 3704 0044 0532 0130 00 belongs to Hans Müller. ",
    "- first item\n- second item\n",
    "See https://www.example.com/a/b?c=d for more. ",
    "1234 is my PIN. ",
    "I think that this works well, does it not? ",
    "AKIAIOSFODNN7EXAMPLE is a key. ",
    "Our plate number 7ABC123 was seen. ",
    "Passport number: 123456789. ",
    "Contact Peter Smith",
    ", or Mary Ann",
    " Evans from Boston",
    "。日本語のテキスト。",
];

fn everything() -> Arc<Guard> {
    let rule = |kind| PiiRule { kind, sides: Sides { input: Does::Off, output: Does::Mask } };
    guard(Policy { pii: Pii::ALL.into_iter().map(rule).collect(), ..Policy::default() })
}

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    let rule = prop_oneof![
        Just(regex("ab", "ab", Does::Mask)),
        Just(regex("b", "bb+", Does::Mask)),
        Just(regex("w", r"\bca*\b", Does::Mask)),
        Just(regex("any", "a[^c]*c", Does::Mask)),
        Just(regex("block", "dd", Does::Block)),
        Just(regex("start", "^[ab]{2}", Does::Mask)),
    ];
    let policy = proptest::collection::vec(rule, 1..4).prop_map(|regexes| Policy { regexes, ..Policy::default() });
    proptest::collection::vec(policy, 1..3)
}

proptest! {
    #[test]
    fn the_masked_stream_is_the_masked_whole(
        policies in policies(),
        text in "[abcdä ]{0,40}",
        pieces in proptest::collection::vec(1..7usize, 1..6),
    ) {
        let guards: Vec<_> = policies.into_iter().map(guard).collect();
        let (all, blocked) = whole(&guards, &text);
        let mut stream = Stream::new(guards.clone(), Vec::new(), Pace::default());
        let (streamed, cut) = through(&mut stream, &text, &pieces);
        prop_assert_eq!(blocked, cut);
        if blocked {
            let first = text.find("dd").unwrap();
            // Nothing of what is blocked went on, nor anything behind it.
            prop_assert!(!streamed.contains("dd") && streamed.matches('d').count() <= text[..first].matches('d').count());
        } else {
            prop_assert_eq!(&streamed, &all);
            if let [only] = &guards[..] {
                let passage = Passage { text: &text, role: Role::Content };
                let assessed = only.assess(Side::Output, &[passage]).unwrap();
                let masked = assessed.masked.first().cloned().flatten();
                prop_assert_eq!(&streamed, masked.as_deref().unwrap_or(&text));
            }
        }
    }
}

proptest! {
    // Every piece is looked at: a case takes a tenth of a second.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn masked_pii_is_that_of_the_whole(
        said in proptest::collection::vec(0..SAID.len(), 1..12),
        pieces in proptest::collection::vec(1..9usize, 1..6),
    ) {
        let text: String = said.into_iter().map(|at| SAID[at]).collect();
        let guard = everything();
        let passage = Passage { text: &text, role: Role::Content };
        let masked = guard.assess(Side::Output, &[passage]).unwrap().masked.first().cloned().flatten();
        let mut stream = Stream::new([guard], Vec::new(), Pace::default());
        let (streamed, _) = through(&mut stream, &text, &pieces);
        prop_assert_eq!(streamed, masked.unwrap_or(text));
    }
}
