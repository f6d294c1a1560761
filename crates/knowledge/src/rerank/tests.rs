use outcrop_api::bedrock_agent_runtime::{RerankDocument, RerankDocumentType, RerankTextDocument};
use outcrop_guard::{EncodeError, Encoded, Encoder};
use serde_json::json;

use super::{local, text};

/// A text's vector: how often it has each of a few words.
struct Counting;

impl Encoder for Counting {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        let vector = |text: &&str| {
            let counts = ["restart", "rotation", "queue"].map(|word| text.to_lowercase().matches(word).count() as f32);
            let length = counts.iter().map(|x| x * x).sum::<f32>().sqrt().max(1.0);
            Encoded { vector: counts.iter().map(|x| x / length).collect(), ..Encoded::default() }
        };
        Ok(texts.iter().map(vector).collect())
    }
}

#[test]
fn meaning_words_and_neighbours_decide() {
    let documents = ["The queue is NATS.", "To restart the indexing service run systemctl.", "Restart. Nothing else."];
    let scores = local::scores("How do I restart the indexing service?", &documents.map(str::to_owned), &Counting);
    let scores = scores.expect("scores");
    assert!(scores[1] > scores[2] && scores[2] > scores[0], "{scores:?}");
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
}

#[test]
fn json_documents_are_flattened() {
    let document = RerankDocument {
        r#type: RerankDocumentType::Json,
        json_document: Some(
            json!({"title": "Queue", "tags": ["a", "b"], "by": {"name": "Priya", "age": 40}, "no": null}),
        ),
        text_document: None,
    };
    assert_eq!(text(&document).expect("text"), "title: Queue\ntags: a\ntags: b\nby.name: Priya\nby.age: 40");
}

#[test]
fn a_document_has_what_its_type_says() {
    let document = RerankDocument {
        r#type: RerankDocumentType::Text,
        json_document: Some(json!({})),
        text_document: Some(RerankTextDocument { text: None }),
    };
    assert!(text(&document).expect_err("refused").to_string().contains("textDocument"));
}
