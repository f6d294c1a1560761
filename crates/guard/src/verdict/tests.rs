use std::sync::Arc;

use super::*;
use crate::content::Classifier;
use crate::{Does, EncodeError, Encoded, Encoder, Filter, PiiRule, Policy, Role, Sides, Strength, Topic};

struct Flat;

impl Encoder for Flat {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        Ok(texts.iter().map(|_| Encoded { vector: vec![0.0; 384], ..Encoded::default() }).collect())
    }
}

fn guard() -> Guard {
    let sides = Sides::both(Does::Block);
    let policy = Policy {
        filters: vec![Filter {
            category: Category::Violence,
            input: Strength::Medium,
            output: Strength::Medium,
            sides,
        }],
        topics: vec![Topic { name: "Money".into(), definition: "Banks".into(), examples: Vec::new(), sides }],
        pii: vec![PiiRule { kind: crate::sensitive::Pii::Email, sides: Sides::both(Does::Mask) }],
        ..Policy::default()
    };
    Guard::new(policy, Arc::new(Flat), Arc::new(Classifier::load().unwrap())).unwrap()
}

const PASSAGES: [Passage<'static>; 1] = [Passage { text: "Write to jane@example.com.", role: Role::Content }];

fn merged(verdict: &Verdict) -> Assessment {
    let guard = guard();
    let mut found = guard.assess(Side::Input, &PASSAGES).unwrap();
    assert_eq!(found.acted, Acted::Masked);
    guard.merge(Side::Input, &PASSAGES, &mut found, ("judge", verdict), Depth::Detected);
    found
}

#[test]
fn the_stricter_of_both_holds() {
    let found = merged(&Verdict::default());
    assert_eq!((found.acted, found.masked.len()), (Acted::Masked, 1));
    let low = Verdict { filters: vec![(Category::Violence, Confidence::Low)], topics: Vec::new() };
    assert_eq!(merged(&low).acted, Acted::Masked, "LOW is not enough for the strength MEDIUM");
    let high = Verdict { filters: vec![(Category::Violence, Confidence::High)], topics: Vec::new() };
    let found = merged(&high);
    assert_eq!((found.acted, found.masked.len(), found.pii.len()), (Acted::Blocked, 0, 0));
    assert_eq!(found.filters[0].confidence, Confidence::High);
    assert_eq!(found.explained[0].because, ["the judge judge says so"]);
    let topic = Verdict { filters: Vec::new(), topics: vec![0, 7] };
    let found = merged(&topic);
    assert!(found.acted == Acted::Blocked && found.topics[0].detected);
    let other = Verdict { filters: vec![(Category::Hate, Confidence::High)], topics: Vec::new() };
    assert_eq!(merged(&other).acted, Acted::Masked, "the guardrail has no such filter");
}

#[test]
fn a_judge_that_fails_is_told_and_blocks_where_that_is_wanted() {
    let guard = guard();
    for (blocks, acted) in [(false, Acted::Masked), (true, Acted::Blocked)] {
        let mut found = guard.assess(Side::Input, &PASSAGES).unwrap();
        guard.unheard(&PASSAGES, &mut found, ("judge", "too late"), blocks, Depth::Detected);
        assert_eq!(found.acted, acted);
        assert_eq!(found.judges[0].failed.as_deref(), Some("too late"));
        assert_eq!(found.explained[0].because, ["the judge could not judge: too late"]);
    }
}
