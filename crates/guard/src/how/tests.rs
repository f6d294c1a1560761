use std::sync::Arc;

use super::*;
use crate::content::{Category, Classifier};
use crate::{EncodeError, Encoded, Encoder, Filter, Policy, Role, Sides, Strength, Topic};

struct Flat;

impl Encoder for Flat {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        Ok(texts.iter().map(|_| Encoded { vector: vec![0.0; 384], ..Encoded::default() }).collect())
    }
}

const GERMAN: &str = "Wie kann ich mein Konto bei der Bank eröffnen und was muss ich mit zu dem Termin bringen?";
const FRENCH: &str = "Comment est-ce que je peux ouvrir un compte dans une banque avec mes papiers ?";

fn guard(does: Does) -> Guard {
    let sides = Sides::both(does);
    let policy = Policy {
        filters: vec![Filter { category: Category::Hate, input: Strength::High, output: Strength::High, sides }],
        topics: vec![Topic { name: "Money".into(), definition: "Banks".into(), examples: Vec::new(), sides }],
        ..Policy::default()
    };
    Guard::new(policy, Arc::new(Flat), Arc::new(Classifier::load().unwrap())).unwrap()
}

fn said(does: Does, unmeasured: Unmeasured, text: &str) -> (Acted, Vec<(&'static str, Acted)>) {
    let how = How { unmeasured, ..How::default() };
    let found = guard(does).assess_as(how, Side::Input, &[Passage { text, role: Role::Content }]).unwrap();
    (found.acted, found.unmeasured.iter().map(|marked| (marked.policy, marked.acted)).collect())
}

#[test]
fn a_foreign_language_is_marked_and_goes_by_the_setting() {
    let (none, blocked) = (Acted::None, Acted::Blocked);
    let marked = |acted| vec![("contentPolicy", acted), ("topicPolicy", acted)];
    assert_eq!(said(Does::Block, Unmeasured::Judge, GERMAN), (none, marked(none)));
    assert_eq!(said(Does::Block, Unmeasured::Allow, GERMAN), (none, marked(none)));
    assert_eq!(said(Does::Block, Unmeasured::Block, GERMAN), (blocked, marked(blocked)));
    // Who only detects blocks for no reason at all.
    assert_eq!(said(Does::Detect, Unmeasured::Block, GERMAN), (none, marked(none)));
    assert_eq!(said(Does::Block, Unmeasured::Block, "How do I open an account?"), (none, Vec::new()));
    assert_eq!(said(Does::Block, Unmeasured::Block, FRENCH), (blocked, vec![("topicPolicy", blocked)]));
}

#[test]
fn what_is_passed_over_is_not_judged() {
    struct Broken;
    impl Encoder for Broken {
        fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
            match texts {
                [text] if *text == GERMAN => Err(EncodeError("asked".into())),
                _ => Flat.encode(texts),
            }
        }
    }
    let policy = guard(Does::Block).policy().clone();
    let guard = Guard::new(policy, Arc::new(Broken), Arc::new(Classifier::load().unwrap())).unwrap();
    let passages = [Passage { text: GERMAN, role: Role::Content }];
    let assess = |unmeasured| guard.assess_as(How { unmeasured, ..How::default() }, Side::Input, &passages);
    assert!(assess(Unmeasured::Judge).is_err());
    assert_eq!(assess(Unmeasured::Allow).unwrap().acted, Acted::None);
}

#[test]
fn the_mark_is_part_of_the_explanation() {
    let how = How { explain: Depth::Detected, ..How::default() };
    let found = guard(Does::Block).assess_as(how, Side::Input, &[Passage { text: GERMAN, role: Role::Content }]);
    let told: Vec<_> = found.unwrap().explained.into_iter().map(|entry| (entry.policy, entry.name)).collect();
    assert_eq!(told, [("contentPolicy", "LANGUAGE".to_owned()), ("topicPolicy", "LANGUAGE".to_owned())]);
}
