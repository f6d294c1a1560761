//! Several models in one memory, weights that change, and a thread that dies: with the tiny models of the golden
//! files.

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;

use super::super::goldens::golden;
use super::*;
use crate::chat::{ChatMessage, Part, Role};
use crate::config::ModelKind;
use crate::generate::{Event, Finished, OutputShape, Priority, Sampling};

const MINUTE: Duration = Duration::from_secs(60);

fn config() -> EngineConfig {
    EngineConfig { threads: Some(1), max_sequences: 1, prefix_cache: 0, load_wait: MINUTE, ..EngineConfig::default() }
}

fn model(path: &Path, config: EngineConfig, memory: &Arc<Memory>) -> Arc<TextModel> {
    sealed(path, None, config, memory)
}

fn sealed(path: &Path, sha256: Option<String>, config: EngineConfig, memory: &Arc<Memory>) -> Arc<TextModel> {
    let spec = LocalModel { name: "tiny".into(), kind: ModelKind::Text, path: path.to_owned(), sha256 };
    TextModel::new(spec, config, memory)
}

fn shape(name: &str, memory: &Arc<Memory>) -> Arc<TextModel> {
    model(&golden(&format!("{name}.gguf")), config(), memory)
}

fn request(tokens: u32) -> Generate {
    let message = ChatMessage { role: Role::User, parts: vec![Part::Text("Where are the ants?".into())] };
    Generate {
        model: "tiny".into(),
        chat: Chat { messages: vec![message], ..Chat::default() },
        sampling: Sampling { temperature: Some(0.0), ..Sampling::default() },
        stop: Vec::new(),
        max_tokens: Some(tokens),
        output: OutputShape::Free,
        priority: Priority::Normal,
        scope: "111122223333".into(),
    }
}

async fn heard(mut generation: Generation) -> Result<(String, Finished), EngineError> {
    let mut text = String::new();
    loop {
        match generation.next().await.expect("an answer never just ends")? {
            Event::Text(piece) => text.push_str(&piece),
            Event::Finished(finished) => return Ok((text, finished)),
            _ => {}
        }
    }
}

async fn answer(model: &Arc<TextModel>, tokens: u32) -> String {
    heard(model.generate(request(tokens)).await.unwrap()).await.unwrap().0
}

fn loaded(model: &TextModel) -> bool {
    model.status().state == LoadState::Ready
}

/// What a loaded model of this name takes.
async fn size(name: &str) -> u64 {
    let memory = Memory::new(u64::MAX);
    let model = shape(name, &memory);
    answer(&model, 1).await;
    memory.held()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_that_was_used_the_longest_ago_makes_room() {
    let sizes = [size("llama").await, size("qwen2").await, size("qwen3").await];
    // Any two, never three.
    let memory = Memory::new(sizes.iter().sum::<u64>() - 1);
    let [llama, qwen2, qwen3] = ["llama", "qwen2", "qwen3"].map(|name| shape(name, &memory));
    let first = answer(&llama, 8).await;
    answer(&qwen2, 8).await;
    assert!(loaded(&llama) && loaded(&qwen2));
    answer(&qwen3, 8).await;
    assert!(!loaded(&llama) && loaded(&qwen2) && loaded(&qwen3));
    assert_eq!(memory.held(), sizes[1] + sizes[2]);
    answer(&qwen2, 8).await;
    assert_eq!(answer(&llama, 8).await, first, "who comes back answers as before");
    assert!(loaded(&llama) && loaded(&qwen2) && !loaded(&qwen3));
    assert!(memory.held() <= memory.limit());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_answers_is_never_unloaded() {
    let memory = Memory::new(size("qwen3").await);
    let (llama, qwen2) = (shape("llama", &memory), shape("qwen2", &memory));
    let mut streams = Vec::new();
    for _ in 0..12 {
        streams.push(llama.generate(request(400)).await.unwrap());
    }
    let impatient = model(&golden("qwen3.gguf"), EngineConfig { load_wait: Duration::ZERO, ..config() }, &memory);
    let refused = impatient.generate(request(1)).await.err();
    assert_eq!(refused, Some(EngineError::NotReady("tiny".into())));
    // Who is patient gets the memory when the last answer is over, and no stream suffers.
    let other = tokio::spawn(async move { answer(&qwen2, 4).await });
    for stream in streams {
        let (_, finished) = heard(stream).await.expect("undisturbed");
        assert!(finished.usage.output_tokens > 1);
    }
    other.await.unwrap();
    assert!(!loaded(&llama));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_models_that_take_turns_in_the_room_of_one_both_answer() {
    let memory = Memory::new(size("llama").await.max(size("qwen2").await));
    let models = [shape("llama", &memory), shape("qwen2", &memory)];
    let calls = (0..16).map(|number| {
        let model = models[number % 2].clone();
        tokio::spawn(async move { answer(&model, 20).await })
    });
    let answers = futures_util::future::join_all(calls).await;
    let answers: Vec<String> = answers.into_iter().map(Result::unwrap).collect();
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer, &answers[number % 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_larger_than_the_memory_says_so() {
    let memory = Memory::new(1000);
    let refused = shape("llama", &memory).generate(request(1)).await.err();
    let Some(EngineError::TooLarge { needs, limit: 1000, .. }) = refused else { panic!("{refused:?}") };
    assert!(needs > 400_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_bounds_the_window() {
    let config = EngineConfig { max_sequences: 8, context_length: 512, ..config() };
    // One token in eight sequences: two layers, two heads, 16 keys and 16 values of two bytes.
    let (token, file) = (8 * 2 * 2 * 32 * 2, std::fs::metadata(golden("llama.gguf")).unwrap().len());
    let memory = Memory::new(file + 512 * token);
    let model = model(&golden("llama.gguf"), config, &memory);
    assert_eq!(model.ready().await.unwrap().window, 512);
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_that_are_replaced_are_read_by_the_next_load() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::copy(golden("llama.gguf"), &path).unwrap();
    let memory = Memory::new(u64::MAX);
    let model = model(&path, EngineConfig { idle_unload: Duration::from_millis(1), ..config() }, &memory);
    let before = answer(&model, 300).await;

    let running = model.generate(request(300)).await.unwrap();
    let next = folder.path().join("next.gguf");
    std::fs::copy(golden("qwen2.gguf"), &next).unwrap();
    std::fs::rename(&next, &path).unwrap();
    assert_eq!(heard(running).await.unwrap().0, before, "what runs is not disturbed");
    until(|| !loaded(&model)).await;
    assert_ne!(answer(&model, 300).await, before);

    // Cut in place: what is in memory was read and not mapped, so nothing is pulled from under it.
    until(|| !loaded(&model)).await;
    let after = answer(&model, 300).await;
    let running = model.generate(request(300)).await.unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(1000).unwrap();
    assert_eq!(heard(running).await.unwrap().0, after);
    until(|| !loaded(&model)).await;
    let refused = model.generate(request(1)).await.err();
    assert!(matches!(refused, Some(EngineError::Weights { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_that_are_not_what_was_said_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::copy(golden("llama.gguf"), &path).unwrap();
    let hash = crate::weights::RecordedFile::hash(&path, "", &mut |_| ()).unwrap().sha256;
    let memory = Memory::new(u64::MAX);
    let idle = EngineConfig { idle_unload: Duration::from_millis(1), ..config() };
    let model = sealed(&path, Some(hash.to_uppercase()), idle, &memory);
    answer(&model, 1).await;
    until(|| !loaded(&model)).await;
    std::fs::copy(golden("qwen2.gguf"), &path).unwrap();
    let Err(EngineError::Weights { reason, .. }) = model.generate(request(1)).await else { panic!("not refused") };
    assert!(reason.contains(&hash.to_uppercase()), "{reason}");
    std::fs::copy(golden("llama.gguf"), &path).unwrap();
    answer(&model, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_panics_is_an_error_and_the_next_call_starts_afresh() {
    let memory = Memory::new(u64::MAX);
    let model = shape("qwen3", &memory);
    let before = answer(&model, 8).await;
    let held = memory.held();
    for _ in 0..2 {
        model.gauges.panic.store(true, Ordering::Relaxed);
        let broken = match model.generate(request(400)).await {
            Ok(running) => heard(running).await.err(),
            Err(error) => Some(error),
        };
        assert!(matches!(broken, Some(EngineError::Internal(_))), "{broken:?}");
        until(|| !loaded(&model)).await;
        assert_eq!(answer(&model, 8).await, before);
        assert_eq!(memory.held(), held, "what the dead thread held is free");
    }
    assert_eq!(model.status().waiting, 0);
}

async fn until(reached: impl Fn() -> bool) {
    let waited = tokio::time::timeout(MINUTE, async {
        while !reached() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("within a minute");
}
