use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use super::*;
use crate::weights::{EMBEDDING_MODEL, ModelDir, Silent};

#[derive(serde::Deserialize)]
pub(super) struct Golden {
    pub cases: Vec<Case>,
    pub ids: Vec<Ids>,
}

#[derive(serde::Deserialize)]
pub(super) struct Case {
    pub text: String,
    pub tokens: u32,
    pub ids: Vec<u32>,
    pub vector: Vec<f32>,
    pub layers: Vec<Vec<f32>>,
}

#[derive(serde::Deserialize)]
pub(super) struct Ids {
    pub text: String,
    pub ids: Vec<u32>,
}

pub(super) fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/minilm.json")).unwrap()
}

/// The model's folder; the first test on a machine fetches it.
pub(super) fn folder() -> PathBuf {
    ModelDir::locate().unwrap().pull(EMBEDDING_MODEL, &mut Silent).unwrap().path
}

pub(super) fn embedder() -> Arc<Embedder> {
    static SHARED: LazyLock<Arc<Embedder>> = LazyLock::new(|| Arc::new(Embedder::load(&folder()).unwrap()));
    Arc::clone(&SHARED)
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn vectors_are_those_of_the_reference() {
    let cases = golden().cases;
    let texts: Vec<&str> = cases.iter().map(|case| case.text.as_str()).collect();
    let embeddings = embedder().embed(&texts).unwrap();
    assert_eq!(embeddings.len(), cases.len());
    for (case, embedding) in cases.iter().zip(&embeddings) {
        let off = furthest(&case.vector, &embedding.vector);
        assert!(off < 1e-5, "{:?} is {off} off", case.text);
        assert_eq!(embedding.tokens, case.tokens);
        assert_eq!(embedding.truncated, case.tokens > 254);
        assert!((dot(&embedding.vector, &embedding.vector) - 1.0).abs() < 1e-6);
    }
    assert!(embeddings.iter().any(|embedding| embedding.truncated));
}

/// The same weights through onnxruntime: `scripts/goldens/make.sh`.
#[test]
fn vectors_are_those_of_onnxruntime() {
    #[derive(serde::Deserialize)]
    struct Case {
        text: String,
        vector: Vec<f32>,
    }
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../golden/minilm-onnx.json")).unwrap();
    assert!(cases.len() >= 4);
    for case in cases {
        let off = furthest(&case.vector, &embedder().embed(&[&case.text]).unwrap()[0].vector);
        assert!(off < 1e-5, "{:?} is {off} off", case.text);
    }
}

#[test]
fn states_of_every_layer_are_those_of_the_reference() {
    for case in golden().cases {
        let states = embedder().hidden_states(&case.text).unwrap();
        assert_eq!(states.ids, case.ids);
        assert_eq!(states.layers.len(), 7);
        for (layer, expected) in states.layers.iter().zip(&case.layers) {
            assert_eq!(layer.len(), case.ids.len() * DIMENSIONS);
            let ends: Vec<f32> = layer[..4].iter().chain(&layer[layer.len() - 4..]).copied().collect();
            assert!(furthest(&ends, expected) < 1e-4, "{ends:?} {expected:?}");
        }
    }
}

#[test]
fn a_batch_answers_what_single_calls_do() {
    // Enough to fill several batches, lengths mixed.
    let texts: Vec<String> = (0..40).map(|i| format!("Text {i}. ").repeat(1 + i * 7 % 60)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let together = embedder().embed(&texts).unwrap();
    for (text, embedding) in texts.iter().zip(&together) {
        let alone = embedder().embed(&[text]).unwrap().remove(0);
        assert!(furthest(&alone.vector, &embedding.vector) < 1e-6);
        assert_eq!(alone.tokens, embedding.tokens);
    }
}

#[test]
fn what_lies_beyond_the_reach_changes_nothing() {
    let long = "the mountain is high ".repeat(500);
    assert!(long.len() > 10_000);
    let whole = embedder().embed(&[&long]).unwrap().remove(0);
    let other = embedder().embed(&[&format!("{}and the sea is deep", &long[..21 * 70])]).unwrap().remove(0);
    assert!(whole.truncated && other.truncated);
    assert_eq!(whole.tokens, 2000);
    assert_eq!(whole.vector, other.vector);
    let states = embedder().hidden_states(&long).unwrap();
    assert_eq!(states.ids.len(), MAX_TOKENS);
}

#[test]
fn tokens_are_counted_to_the_end() {
    assert_eq!(embedder().count_tokens(""), 0);
    assert_eq!(embedder().count_tokens("hello world"), 2);
    assert_eq!(embedder().count_tokens(&"word ".repeat(100_000)), 100_000);
}

#[test]
fn nothing_in_nothing_out() {
    assert!(embedder().embed(&[]).unwrap().is_empty());
}

#[test]
fn near_texts_are_near() {
    let texts = ["A cat sleeps on the sofa.", "A kitten naps on the couch.", "Interest rates rose again in March."];
    let [cat, kitten, rates] = embedder().embed(&texts).unwrap().try_into().unwrap();
    assert!(dot(&cat.vector, &kitten.vector) > 0.6);
    assert!(dot(&cat.vector, &rates.vector) < 0.2);
}

#[test]
fn threads_share_one_model() {
    let embedder = embedder();
    let alone = embedder.embed(&["shared"]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(embedder.embed(&["shared"]).unwrap(), alone);
                }
            });
        }
    });
    assert!(embedder.spare.lock().unwrap().len() <= 8, "work space piles up");
}

#[test]
fn work_space_does_not_grow_with_the_call() {
    let embedder = Embedder::load(&folder()).unwrap();
    let texts = vec!["several words make a text"; 500];
    embedder.embed(&texts).unwrap();
    let spare = embedder.spare.lock().unwrap();
    let bytes: usize = spare.iter().map(Scratch::bytes).sum();
    assert!(bytes < 16 << 20, "{bytes}");
}

#[test]
fn damaged_files_are_refused_in_words() {
    let source = folder();
    let dir = tempfile::tempdir().unwrap();
    let refused = || match Embedder::load(dir.path()) {
        Err(error @ EmbedError::Model { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(refused().contains("vocab.txt"));
    std::fs::copy(source.join("vocab.txt"), dir.path().join("vocab.txt")).unwrap();
    assert!(refused().contains("outcrop models pull"));
    let weights = dir.path().join("model.safetensors");
    let whole = std::fs::read(source.join("model.safetensors")).unwrap();
    for end in [0, 7, 8, 100, 9_000, 1 << 20, whole.len() - 1] {
        std::fs::write(&weights, &whole[..end]).unwrap();
        refused();
    }
    let mut lies = whole;
    lies[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    std::fs::write(&weights, &lies).unwrap();
    refused();
    // A whole file of another model: the vocabulary does not fit.
    std::fs::copy(source.join("model.safetensors"), &weights).unwrap();
    std::fs::write(dir.path().join("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n").unwrap();
    assert!(refused().contains("word_embeddings"));
}
