//! Loading, unloading, and weights that are not there.

use std::time::Duration;

use outcrop_engine::LoadState;

use super::*;

fn state(engine: &Engine) -> LoadState {
    engine.status().remove(0).state
}

async fn until(engine: &Engine, wanted: LoadState) {
    let reached = tokio::time::timeout(Duration::from_secs(60), async {
        while state(engine) != wanted {
            tokio::task::yield_now().await;
        }
    });
    reached.await.unwrap_or_else(|_| panic!("still {:?}", state(engine)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_loaded_before_the_first_call() {
    let engine = engine();
    assert_eq!(state(&engine), LoadState::Unloaded);
    answer(&engine, ask(vec![user("Hi")], 2)).await;
    let status = engine.status().remove(0);
    assert_eq!(status.state, LoadState::Ready);
    assert!(status.weights_bytes > 50 << 20, "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_model_is_unloaded_and_comes_back() {
    let engine = Engine::new(EngineConfig { idle_unload: Duration::from_millis(20), ..config() });
    let first = answer(&engine, ask(vec![user("What is the capital of France.")], 10)).await;
    for _ in 0..2 {
        until(&engine, LoadState::Unloaded).await;
        assert_eq!(answer(&engine, ask(vec![user("What is the capital of France.")], 10)).await.text, first.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_wait_for_a_load_is_told() {
    let engine = Engine::new(EngineConfig { load_wait: Duration::ZERO, ..config() });
    let refused = engine.generate(ask(vec![user("Hi")], 1)).await;
    assert!(matches!(refused, Err(EngineError::NotReady(_))), "{refused:?}");
    until(&engine, LoadState::Ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_model_is_unknown() {
    let mut request = ask(vec![user("Hi")], 1);
    request.model = "nobody".into();
    assert_eq!(engine().generate(request).await.err(), Some(EngineError::UnknownModel("nobody".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_that_cannot_be_used_are_an_error_until_they_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let model = LocalModel { name: MODEL.into(), kind: ModelKind::Text, path: path.clone(), sha256: None };
    let engine = Engine::new(EngineConfig { models: vec![model], ..config() });
    let whole = std::fs::read(weights()).unwrap();
    let mut garbled = whole[..4096].to_vec();
    garbled[24..].fill(0xA5);
    let mut unknown = whole.clone();
    // An architecture that nobody knows, under a name as long as the known one's.
    let at = whole.windows(5).position(|bytes| bytes == b"llama").unwrap();
    unknown[at..at + 5].copy_from_slice(b"lxama");
    let attempts: [(Option<&[u8]>, &str); 6] = [
        (None, "does not exist"),
        (Some(b""), "is not a GGUF file"),
        (Some(b"<html>not found</html>"), "is not a GGUF file"),
        (Some(&garbled), "cut short"),
        (Some(&whole[..whole.len() / 2]), "cut short"),
        (Some(&unknown), "llama.cpp cannot read"),
    ];
    for (bytes, expected) in attempts {
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).unwrap();
        }
        let refused = engine.generate(ask(vec![user("Hi")], 1)).await;
        let Err(EngineError::Weights { reason, .. }) = refused else { panic!("{refused:?}") };
        assert!(reason.contains(expected), "{reason}");
    }
    std::fs::write(&path, &whole).unwrap();
    answer(&engine, ask(vec![user("Hi")], 1)).await;
    // What happens to the file afterwards does not touch a loaded model.
    std::fs::write(&path, b"").unwrap();
    answer(&engine, ask(vec![user("Hi again")], 5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_answers_and_refuses_more() {
    let engine = engine();
    let mut running = engine.generate(ask(vec![user("Tell me a long story.")], 8000)).await.unwrap();
    running.next().await.unwrap().unwrap();
    engine.shutdown().await;
    let mut last = None;
    while let Some(event) = running.next().await {
        last = Some(event);
    }
    assert_eq!(last, Some(Err(EngineError::ShuttingDown)));
    assert_eq!(engine.generate(ask(vec![user("Hi")], 1)).await.err(), Some(EngineError::ShuttingDown));
}
