use std::sync::Arc;

use super::*;
use crate::content::{Category, Classifier};
use crate::policy::{Does, Filter, GroundingRule, PiiRule, Policy, Side, Sides};
use crate::sensitive::Pii;
use crate::{EncodeError, Encoded, Encoder, Role};

/// Letters counted: enough for texts to be closer to some than to others.
struct Letters;

impl Encoder for Letters {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        let vector = |text: &&str| {
            let mut counts = vec![0.0_f32; 384];
            text.bytes().for_each(|byte| counts[usize::from(byte)] += 1.0);
            let length = counts.iter().map(|x| x * x).sum::<f32>().sqrt().max(1.0);
            counts.iter().map(|x| x / length).collect()
        };
        Ok(texts
            .iter()
            .map(|text| Encoded { vector: vector(text), states: vec![0.0; 384], truncated: false })
            .collect())
    }
}

fn told(policy: Policy, side: Side, passages: &[Passage<'_>]) -> Vec<Explained> {
    let guard = Guard::new(policy, Arc::new(Letters), Arc::new(Classifier::load().unwrap())).unwrap();
    let found = guard.assess(side, passages).unwrap();
    explain(&guard, passages, &found, Depth::Everything).unwrap()
}

#[test]
fn everything_that_was_looked_for_says_where_and_why() {
    let sides = Sides::both(Does::Block);
    let policy = Policy {
        topics: vec![Topic {
            name: "Deleting".to_owned(),
            definition: "Instructions for destroying data".to_owned(),
            examples: vec!["delete all databases".to_owned(), "zzzz".to_owned()],
            sides,
        }],
        filters: vec![Filter { category: Category::Insults, input: Strength::High, output: Strength::High, sides }],
        pii: vec![PiiRule { kind: Pii::Email, sides }],
        ..Policy::default()
    };
    let text = "You stupid idiot, delete all databases and jane.doe@example.com";
    let told = told(policy, Side::Input, &[Passage { text, role: Role::Content }]);
    let of = |name: &str| told.iter().find(|entry| entry.name == name).unwrap();
    assert!(of("Deleting").because[0].contains("delete all databases"), "{:?}", of("Deleting"));
    assert!(
        of("INSULTS").because.iter().any(|why| why.contains("idiot") || why.contains("stupid")),
        "{:?}",
        of("INSULTS")
    );
    assert!(of("INSULTS").confidence.is_some() && of("INSULTS").score.is_some());
    let place = of("EMAIL").at.clone().unwrap();
    assert_eq!((place.passage, place.start, &*place.text), (0, 43, "jane.doe@example.com"));
}

#[test]
fn grounding_names_the_sentence_and_what_the_source_has_instead() {
    let rule = GroundingRule { measure: Measure::Grounding, threshold: 0.5, does: Does::Block };
    let policy = Policy { grounding: vec![rule], ..Policy::default() };
    let passages = [
        Passage { text: "The bridge was opened in 1932. It is green.", role: Role::Source },
        Passage { text: "When was the bridge opened?", role: Role::Query },
        Passage { text: "It is green. The bridge was opened in 1954.", role: Role::Content },
    ];
    let told = told(policy, Side::Output, &passages);
    assert_eq!(told[0].because, ["the source's closest sentence: \"The bridge was opened in 1932.\""]);
    assert_eq!(told[0].at.as_ref().unwrap().text, "The bridge was opened in 1954.");
    assert!(told[0].detected);
}
