use outcrop_guard::{EncodeError, Encoded, Encoder};

use super::super::evidence::Source;
use super::weigh;

/// A text's vector: which of its letters' pairs it has, so that texts that share words are close.
struct Pairs;

impl Encoder for Pairs {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        let vector = |text: &&str| {
            let mut counts = vec![0.0_f32; 256];
            for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3) {
                let place = word.bytes().fold(7_usize, |hash, byte| hash * 31 % 251 + usize::from(byte)) % 256;
                counts[place] = 1.0;
            }
            let length = counts.iter().map(|x| x * x).sum::<f32>().sqrt().max(1.0);
            Encoded { vector: counts.iter().map(|x| x / length).collect(), ..Encoded::default() }
        };
        Ok(texts.iter().map(vector).collect())
    }
}

const FACTS: [&str; 3] = [
    "# Restarting the indexer\n\nTo restart the indexing service run `systemctl restart indexer` on host ix-7. It takes \
     four minutes to warm up.",
    "# On-call rotation\n\nThe on-call rotation changes every Wednesday at 10:00 UTC. Priya Raman owns the schedule.",
    "# ADR 12: queue\n\nWe chose NATS JetStream over Kafka in March 2024 because operations had two people only.",
];

#[test]
fn commands_names_and_times_are_copied() {
    for (question, passage, words) in [
        ("How do I restart the indexing service?", 0, "run `systemctl restart indexer` on host ix-7."),
        ("When does the on-call rotation change?", 1, "every Wednesday at 10:00 UTC."),
        ("Why did we choose NATS over Kafka?", 2, "because operations had two people only."),
    ] {
        let said = weigh(question, &FACTS.map(Source::from), &Pairs).expect("an answer");
        assert_eq!(said.parts[0].sources, [passage], "{question}");
        assert!(said.parts[0].text.contains(words), "{question}: {}", said.parts[0].text);
        assert!(FACTS[passage].contains(said.parts[0].text.as_str()) && !said.parts[0].text.starts_with('#'));
    }
}

#[test]
fn what_is_not_there_is_less_likely_than_what_is() {
    let there =
        weigh("Why did we choose NATS over Kafka?", &FACTS.map(Source::from), &Pairs).expect("an answer").confidence;
    let absent = weigh("What does the cafeteria serve for lunch on Friday?", &FACTS.map(Source::from), &Pairs)
        .expect("an answer");
    assert!(absent.confidence < there && !absent.answers, "{} {there}", absent.confidence);
    assert!(!weigh("Anything?", &[], &Pairs).expect("no answer").answers);
}
