use super::*;
use crate::encoder::{EncodeError, Encoded};
use crate::policy::{GroundingRule, PiiRule, RegexRule, Sides, Word};

/// Every text is the same to it.
struct Same;

impl Encoder for Same {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        let encoded = |_: &&str| Encoded { vector: vec![1.0; 384], states: vec![0.5; 384], truncated: false };
        Ok(texts.iter().map(encoded).collect())
    }
}

/// It has no vectors.
struct Broken;

impl Encoder for Broken {
    fn encode(&self, _: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        Err(EncodeError("no model".to_owned()))
    }
}

fn guard(policy: Policy) -> Guard {
    Guard::new(policy, Arc::new(Same), Arc::new(Classifier::load().unwrap())).unwrap()
}

fn content(text: &str) -> Passage<'_> {
    Passage { text, role: Role::Content }
}

fn pii(kind: Pii, input: Does, output: Does) -> PiiRule {
    PiiRule { kind, sides: Sides { input, output } }
}

const MAIL: &str = "Write to jane.doe@example.com today.";

#[test]
fn each_side_does_its_own() {
    let guard = guard(Policy { pii: vec![pii(Pii::Email, Does::Detect, Does::Mask)], ..Policy::default() });
    let there = guard.assess(Side::Input, &[content(MAIL)]).unwrap();
    assert_eq!((there.acted, there.pii.len(), there.masked.len()), (Acted::None, 1, 0));
    assert_eq!(there.pii[0].matched, "jane.doe@example.com");
    let back = guard.assess(Side::Output, &[content("Fine."), content(MAIL)]).unwrap();
    assert_eq!(back.acted, Acted::Masked);
    assert_eq!(back.masked, [None, Some("Write to {EMAIL} today.".to_owned())]);
    assert_eq!(back.pii[0].at, (1, 9..29));
}

#[test]
fn what_is_off_is_not_looked_for_and_hides_nothing() {
    // The address is also a part of the URL, which is off on this side.
    let rules = vec![pii(Pii::Email, Does::Mask, Does::Mask), pii(Pii::Url, Does::Off, Does::Mask)];
    let guard = guard(Policy { pii: rules, ..Policy::default() });
    let there = guard.assess(Side::Input, &[content(MAIL)]).unwrap();
    assert_eq!(there.masked, [Some("Write to {EMAIL} today.".to_owned())]);
    assert!(there.pii.iter().all(|found| found.kind == Pii::Email));
}

#[test]
fn a_block_is_stricter_than_a_mask_and_hides_what_would_have_been_masked() {
    let regex = |name: &str, pattern: &str, does| RegexRule {
        name: name.to_owned(),
        pattern: pattern.to_owned(),
        sides: Sides::both(does),
    };
    let regexes = vec![regex("Ticket", r"T-\d+", Does::Mask), regex("Vault", "vault", Does::Block)];
    let policy = Policy { pii: vec![pii(Pii::Email, Does::Mask, Does::Mask)], regexes, ..Policy::default() };
    let guard = guard(policy);
    let both = [content(MAIL), content("See T-17 about the vault.")];
    let found = guard.assess(Side::Input, &both).unwrap();
    assert_eq!((found.acted, found.masked.len(), found.pii.len()), (Acted::Blocked, 0, 0));
    assert_eq!(found.regexes.len(), 1, "{:?}", found.regexes);
    assert_eq!((found.regexes[0].regex, found.regexes[0].name.as_str()), (1, "Vault"));
    let found = guard.assess(Side::Input, &[content("See T-17 and T-18.")]).unwrap();
    assert_eq!(found.masked, [Some("See {Ticket} and {Ticket}.".to_owned())]);
}

#[test]
fn units_and_coverage_count_characters() {
    let words = vec![Word { text: "cactus".to_owned(), sides: Sides { input: Does::Block, output: Does::Off } }];
    let guard = guard(Policy { pii: vec![pii(Pii::Email, Does::Mask, Does::Mask)], words, ..Policy::default() });
    let long = "ö".repeat(1_001);
    let unguarded = Passage { text: "skipped", role: Role::Unguarded };
    let found = guard.assess(Side::Input, &[content(&long), unguarded]).unwrap();
    assert_eq!(found.coverage, Coverage { guarded: 1_001, total: 1_008 });
    assert_eq!(found.units, Units { pii: 2, word: 2, ..Units::default() });
    let found = guard.assess(Side::Output, &[content("x")]).unwrap();
    assert_eq!(found.units, Units { pii: 1, ..Units::default() });
}

#[test]
fn grounding_looks_at_answers_only_and_needs_a_source_and_a_query() {
    let rule = GroundingRule { measure: Measure::Grounding, threshold: 0.5, does: Does::Block };
    let guard = guard(Policy { grounding: vec![rule], ..Policy::default() });
    assert!(guard.assess(Side::Input, &[content("x")]).unwrap().grounding.is_empty());
    assert_eq!(guard.assess(Side::Output, &[content("x")]), Err(Failed::NoGroundingSource));
    let source = Passage { text: "The bridge was opened in 1932.", role: Role::Source };
    let query = Passage { text: "When was the bridge opened?", role: Role::Query };
    let of = |answer| guard.assess(Side::Output, &[source, query, content(answer)]).unwrap();
    let (right, wrong) = (of("The bridge was opened in 1932."), of("The bridge was opened in 1954."));
    assert!(right.grounding[0].score > wrong.grounding[0].score, "{right:?} {wrong:?}");
    assert_eq!((right.acted, wrong.acted), (Acted::None, Acted::Blocked));
    assert_eq!(right.coverage, Coverage { guarded: 30, total: 87 });
    assert_eq!((right.units.grounding, right.units.pii), (1, 0));
}

#[test]
fn what_cannot_be_judged_fails_and_what_needs_no_encoder_does_not() {
    let guard = |policy| Guard::new(policy, Arc::new(Broken), Arc::new(Classifier::load().unwrap()));
    let lists = Policy { pii: vec![pii(Pii::Email, Does::Mask, Does::Mask)], ..Policy::default() };
    assert_eq!(guard(lists).unwrap().assess(Side::Input, &[content(MAIL)]).unwrap().acted, Acted::Masked);
    let rule = GroundingRule { measure: Measure::Grounding, threshold: 0.5, does: Does::Block };
    let grounds = guard(Policy { grounding: vec![rule], ..Policy::default() }).unwrap();
    let passages =
        [Role::Source, Role::Query, Role::Content].map(|role| Passage { text: "It is so, and it was.", role });
    assert!(matches!(grounds.assess(Side::Output, &passages), Err(Failed::Encoder(_))));
}
