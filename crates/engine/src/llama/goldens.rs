//! The engine's numbers beside those of Hugging Face transformers, on tiny random models of three shapes. The
//! golden files are made by `scripts/goldens/make.sh`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use llama_cpp_2::token::LlamaToken;

use super::context::{Context, Step};
use super::encoder::Encoder;
use super::model::{Loaded, Plan};
use crate::config::{EngineConfig, LocalModel, ModelKind};
use crate::embed::Encode;
use crate::error::EngineError;
use crate::memory::Memory;

const SHAPES: [&str; 3] = ["llama", "qwen2", "qwen3"];
/// The largest difference of a logit. Weights and products are in single precision on both sides; keys and values
/// are kept in half precision here. Logits of these models lie between -8.5 and 8.7; measured are 0.002 after one
/// token and 0.022 after 150.
const TOLERANCE: f32 = 0.05;

#[derive(serde::Deserialize)]
struct Case {
    prompt: Vec<i32>,
    /// After the prompt's last token.
    logits: Vec<f32>,
    /// The likeliest token, again and again.
    continuation: Vec<i32>,
}

#[derive(serde::Deserialize)]
struct Tokens {
    text: String,
    ids: Vec<i32>,
}

/// A golden file.
pub(super) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&std::fs::read(golden(name)).unwrap()).unwrap()
}

fn config() -> EngineConfig {
    EngineConfig { threads: Some(1), max_sequences: 2, ..EngineConfig::default() }
}

fn load(path: &Path) -> Result<(Loaded, super::model::Cache), EngineError> {
    let spec = LocalModel { name: "tiny".into(), kind: ModelKind::Text, path: path.to_owned(), sha256: None };
    let plan = Plan::of(&spec, &config(), &Memory::new(u64::MAX))?;
    Loaded::load(&spec, plan)
}

/// The logits after the prompt, and the likeliest tokens after it, computed in chunks as a worker does.
fn run(path: &Path, case: &Case) -> (Vec<f32>, Vec<i32>) {
    let (loaded, cache) = load(path).unwrap();
    let config = config();
    let mut context = Context::new(&loaded, cache, &config).unwrap();
    let mut position = 0;
    let mut step = |context: &mut Context, tokens: &[i32]| {
        let mut steps = Vec::new();
        for (index, &token) in tokens.iter().enumerate() {
            steps.push(Step { slot: 0, position, token: LlamaToken(token), draw: index + 1 == tokens.len() });
            position += 1;
        }
        context.compute(&steps).unwrap();
        context.logits(tokens.len() - 1).to_vec()
    };
    let mut first = Vec::new();
    for chunk in case.prompt.chunks(config.prefill_chunk as usize) {
        first = step(&mut context, chunk);
    }
    let (mut logits, mut continuation) = (first.clone(), Vec::new());
    while continuation.len() < case.continuation.len() {
        let next = likeliest(&logits);
        continuation.push(next);
        logits = step(&mut context, &[next]);
    }
    (first, continuation)
}

fn likeliest(logits: &[f32]) -> i32 {
    let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    i32::try_from(best.unwrap()).unwrap()
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn logits_are_those_of_transformers() {
    for shape in SHAPES {
        for case in read::<Vec<Case>>(&format!("{shape}.json")) {
            let (logits, continuation) = run(&golden(&format!("{shape}.gguf")), &case);
            let off = furthest(&logits, &case.logits);
            assert!(off < TOLERANCE, "{shape} after {} tokens: {off}", case.prompt.len());
            assert_eq!(likeliest(&logits), likeliest(&case.logits));
            assert_eq!(continuation, case.continuation, "{shape} after {} tokens", case.prompt.len());
        }
    }
}

/// The test above would see a wrong number in a model's description: with each of these changed, it is far off.
#[test]
fn a_changed_description_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for shape in SHAPES {
        let whole = std::fs::read(golden(&format!("{shape}.gguf"))).unwrap();
        let case = read::<Vec<Case>>(&format!("{shape}.json")).pop().unwrap();
        for (key, value) in [("rope.freq_base", 500.0_f32), ("attention.layer_norm_rms_epsilon", 1e-3)] {
            let path = folder.path().join("changed.gguf");
            std::fs::write(&path, changed(&whole, &format!("{shape}.{key}"), value)).unwrap();
            let off = furthest(&run(&path, &case).0, &case.logits);
            assert!(off > 10.0 * TOLERANCE, "{shape}: another {key} makes a difference of {off} only");
        }
    }
}

/// A GGUF file with another number for `key`.
fn changed(file: &[u8], key: &str, value: f32) -> Vec<u8> {
    let mut file = file.to_vec();
    let at = file.windows(key.len()).position(|bytes| bytes == key.as_bytes()).expect("the key is there") + key.len();
    assert_eq!(file[at..at + 4], 6_u32.to_le_bytes(), "{key} is no number in single precision");
    file[at + 4..at + 8].copy_from_slice(&value.to_le_bytes());
    file
}

#[test]
fn tokens_are_those_of_the_tokenizers_library() {
    let (loaded, _) = load(&golden("llama.gguf")).unwrap();
    for case in read::<Vec<Tokens>>("tokens.json") {
        let found = loaded.model.vocab().tokenize(case.text.as_bytes(), false, true);
        assert_eq!(found.iter().map(|token| token.0).collect::<Vec<_>>(), case.ids, "{:?}", case.text);
    }
}

/// BERT's own sizes are tiny here, so that its vectors show every part of it: in the file mean pooling, and with one
/// byte changed CLS.
#[test]
fn vectors_of_bert_files_are_those_of_transformers() {
    #[derive(serde::Deserialize)]
    struct Case {
        text: String,
        ids: Vec<i32>,
        mean: Vec<f32>,
        cls: Vec<f32>,
    }
    let cases: Vec<Case> = read("bert.json");
    let texts: Vec<&str> = cases.iter().map(|case| case.text.as_str()).collect();
    let folder = tempfile::tempdir().unwrap();
    for pooling in [1_u32, 2] {
        let path = folder.path().join("bert.gguf");
        pooled(&path, pooling);
        let found = Encoder::load(&path, 1).unwrap().encode(&texts).unwrap();
        for (case, found) in cases.iter().zip(&found) {
            let expected = if pooling == 1 { &case.mean } else { &case.cls };
            let off = furthest(&found.vector, expected);
            // llama.cpp looks GELU up in a table of half precision.
            assert!(off < 1e-3, "{:?} with pooling {pooling} is {off} off", case.text);
            assert_eq!(found.tokens as usize, case.ids.len() - 2, "{:?}", case.text);
        }
    }
    let long = "sea ".repeat(100);
    let found = Encoder::load(&golden("bert.gguf"), 1).unwrap().encode(&[&long]).unwrap().remove(0);
    assert!(found.truncated && found.tokens == 100);
}

/// The tiny BERT with another way of pooling, by llama.cpp's numbers.
pub(crate) fn pooled(path: &Path, pooling: u32) {
    let mut file = std::fs::read(golden("bert.gguf")).unwrap();
    let key = b"bert.pooling_type";
    let at = file.windows(key.len()).position(|bytes| bytes == key).unwrap() + key.len() + 4;
    file[at..at + 4].copy_from_slice(&pooling.to_le_bytes());
    std::fs::write(path, file).unwrap();
}

#[test]
fn relevance_is_that_of_transformers() {
    #[derive(serde::Deserialize)]
    struct Case {
        query: String,
        document: String,
        tokens: u32,
        score: f32,
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rank.gguf");
    pooled(&path, 4);
    let model = Encoder::load(&path, 1).unwrap();
    for case in read::<Vec<Case>>("rank.json") {
        let found = model.relevance(&case.query, std::slice::from_ref(&case.document), &|| false).unwrap()[0];
        assert!((found.score - case.score).abs() < 1e-3, "{:?} and {:?}: {found:?}", case.query, case.document);
        assert_eq!(found.tokens, case.tokens);
    }
    // Longer than the model reads, both of them: what is left out is the end of each.
    let long = "sea ".repeat(100);
    let found = model.relevance(&long, &[long.clone(), "sea ".repeat(90), String::new()], &|| false).unwrap();
    assert_eq!(found.iter().map(|found| found.tokens).collect::<Vec<_>>(), [64, 64, 35]);
    assert_eq!(found[0], found[1]);
    assert!(model.relevance("sea", &[long], &|| true).unwrap().is_empty());
}

#[test]
fn a_file_that_cannot_fit_says_what_it_needs() {
    let spec = |name: &str| LocalModel { name: "tiny".into(), kind: ModelKind::Text, path: golden(name), sha256: None };
    let config = EngineConfig { prefix_cache: 0, ..config() };
    let length = std::fs::metadata(golden("qwen2.gguf")).unwrap().len();
    // Two layers, two heads of 16 keys and 16 values, two bytes each; 512 tokens, two sequences.
    let needs = length + 2 * 2 * 32 * 2 * 512 * 2;
    let memory = Memory::new(needs - 1);
    let refused = Plan::of(&spec("qwen2.gguf"), &config, &memory).err();
    assert_eq!(refused, Some(EngineError::TooLarge { model: "tiny".into(), needs, limit: needs - 1 }));
    assert_eq!(memory.held(), 0);
    let memory = Memory::new(needs);
    let plan = Plan::of(&spec("qwen2.gguf"), &config, &memory).unwrap();
    assert_eq!(memory.held(), needs);
    let (loaded, cache) = Loaded::load(&spec("qwen2.gguf"), plan).unwrap();
    let context = Context::new(&loaded, cache, &config).unwrap();
    assert_eq!((loaded.window, memory.held()), (512, needs));
    drop(context);
    let loaded = Arc::new(loaded);
    assert_eq!(memory.held(), length);
    drop(loaded);
    assert_eq!(memory.held(), 0);
}
