use super::*;
use crate::llama::pooled;

fn service(settings: Settings) -> (tempfile::TempDir, RankService) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rank.gguf");
    pooled(&path, 4);
    (folder, RankService::of_gguf("tiny", path, 1, settings))
}

fn documents() -> Vec<String> {
    ["The sea is deep and wide.", "sailing", ""].map(str::to_owned).to_vec()
}

#[tokio::test]
async fn callers_at_once_get_what_each_alone_would() {
    let (_folder, service) = service(Settings::default());
    assert!(!service.is_loaded());
    let alone = service.rank("is the sea deep?".into(), documents()).await.unwrap();
    assert!(service.is_loaded());
    assert_eq!(alone.len(), 3);
    assert!(alone.iter().all(|found| found.score > 0.0 && found.score < 1.0));
    let calls = (0..8).map(|_| service.rank("is the sea deep?".into(), documents()));
    for found in futures_util::future::join_all(calls).await {
        assert_eq!(found.unwrap(), alone);
    }
}

#[tokio::test]
async fn more_calls_than_there_are_places_are_refused() {
    let (_folder, service) = service(Settings { calls: 1, ..Settings::default() });
    let turn = service.0.turn.lock().await;
    let first = service.rank("sea".into(), documents());
    tokio::pin!(first);
    assert!(futures_util::poll!(&mut first).is_pending());
    let refused = service.rank("sea".into(), documents()).await.unwrap_err();
    assert_eq!(refused, EngineError::Overloaded("tiny".into()));
    drop(turn);
    assert_eq!(first.await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_idle_model_leaves_and_comes_back() {
    let (_folder, service) = service(Settings { unload_after: Duration::from_millis(1), ..Settings::default() });
    let first = service.rank("sea".into(), documents()).await.unwrap();
    while service.is_loaded() {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.rank("sea".into(), documents()).await.unwrap(), first);
}

#[tokio::test]
async fn a_missing_file_is_told_to_the_operator_and_not_to_the_caller() {
    let service = RankService::of_gguf("tiny", "/no/such.gguf".into(), 1, Settings::default());
    let refused = service.rank("sea".into(), documents()).await.unwrap_err();
    assert!(refused.to_string().contains("/no/such.gguf"), "{refused}");
    assert!(!outcrop_api::AwsError::message(&refused).contains("/no"), "{refused}");
}
