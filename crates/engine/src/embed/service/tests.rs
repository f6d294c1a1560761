use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use outcrop_api::{AwsError, Kind};

use super::super::tests::{embedder, folder};
use super::*;
use crate::weights::EMBEDDING_MODEL;

fn texts(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("text number {i}")).collect()
}

/// A service whose loads wait until the returned sender says so, counting them.
fn gated(settings: Settings) -> (EmbedService, mpsc::Sender<()>, Arc<AtomicUsize>) {
    let (open, gate) = mpsc::channel();
    let gate = Mutex::new(gate);
    let loads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&loads);
    let load = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        gate.lock().unwrap().recv().map_err(|_| EmbedError::Failed)?;
        Embedder::load(&folder())
    };
    (EmbedService::with_loader(Box::new(load), settings).unwrap(), open, loads)
}

fn waiting(service: &EmbedService) -> usize {
    lock(&service.owner.0.queue).requests
}

/// Polls `future` once, so that its request is in the queue.
async fn begin<F: Future + Unpin>(future: &mut F) {
    std::future::poll_fn(|cx| {
        assert!(std::pin::Pin::new(&mut *future).poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_get_their_own_answers() {
    let models = ModelDir::locate().unwrap();
    folder();
    let service = EmbedService::start(models, EMBEDDING_MODEL, Settings { workers: 2, ..Settings::default() }).unwrap();
    assert!(!service.is_loaded());
    let mut calls = Vec::new();
    for caller in 0..12usize {
        let service = service.clone();
        // Some lists are longer than a batch, so that they go back to the queue's end.
        let texts: Vec<String> = (0..1 + caller * 11).map(|i| format!("caller {caller} says {i}")).collect();
        calls.push(tokio::spawn(async move { (texts.clone(), service.embed(texts).await.unwrap()) }));
    }
    for call in calls {
        let (texts, answers) = call.await.unwrap();
        assert_eq!(texts.len(), answers.len());
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for (a, b) in embedder().embed(&texts).unwrap().iter().zip(&answers) {
            assert!(a.vector.iter().zip(&b.vector).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }
    assert!(service.is_loaded());
    assert_eq!(waiting(&service), 0);
    assert_eq!(lock(&service.owner.0.queue).bytes, 0);
    assert!(service.embed(Vec::new()).await.unwrap().is_empty());
}

#[test]
fn a_question_goes_before_lists_and_leaves_them_half_of_a_batch() {
    let job = |texts: Vec<String>| {
        let (reply, answer) = oneshot::channel();
        std::mem::forget(answer); // Somebody waits.
        Job { done: Vec::new(), texts, taken: 0, reply }
    };
    let mut queue = Queue {
        questions: VecDeque::new(),
        lists: VecDeque::new(),
        requests: 0,
        bytes: 0,
        last_work: Instant::now(),
        loaded: true,
        stopped: false,
    };
    queue.lists.push_back(job(vec!["word ".repeat(100); 64]));
    queue.lists.push_back(job(vec!["word ".repeat(100); 64]));
    queue.questions.push_back(job(vec!["who?".to_owned()]));
    let batch = queue.take_batch();
    assert_eq!(batch.iter().map(|job| job.texts.len()).collect::<Vec<_>>(), [1, 64]);
    assert!(batch[1].taken < 64);
    // However many ask, the list behind them gets on.
    queue.questions.extend((0..40).map(|_| job(vec!["what is it? ".repeat(80)])));
    let batch = queue.take_batch();
    assert!(batch.iter().any(|job| job.texts.len() == 64 && job.taken > 0));
    assert!(batch.first().is_some_and(Job::asks));
}

#[tokio::test]
async fn beyond_the_bound_is_refused_at_once() {
    let (service, open, _) = gated(Settings { queue_requests: 2, ..Settings::default() });
    let mut first = Box::pin(service.embed(texts(1)));
    let mut second = Box::pin(service.embed(texts(1)));
    begin(&mut first).await;
    begin(&mut second).await;
    let refused = service.embed(texts(1)).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Throttling);
    open.send(()).unwrap();
    assert_eq!(first.await.unwrap().len(), 1);
    assert_eq!(second.await.unwrap().len(), 1);
    assert_eq!(service.embed(texts(1)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn bytes_are_bounded_but_one_large_request_runs() {
    let (service, open, _) = gated(Settings { queue_bytes: 1000, ..Settings::default() });
    let mut large = Box::pin(service.embed(vec!["word ".repeat(1000)]));
    begin(&mut large).await;
    assert!(matches!(service.embed(texts(1)).await, Err(EmbedError::Overloaded)));
    open.send(()).unwrap();
    assert_eq!(large.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_caller_that_leaves_frees_its_place() {
    let (service, open, _) = gated(Settings { queue_requests: 3, ..Settings::default() });
    let mut first = Box::pin(service.embed(texts(1)));
    begin(&mut first).await;
    let mut gone = Box::pin(service.embed(texts(100_000)));
    begin(&mut gone).await;
    drop(gone);
    open.send(()).unwrap();
    first.await.unwrap();
    // The hundred thousand were forgotten, or this would not end in time for anybody.
    service.embed(texts(1)).await.unwrap();
    assert_eq!(waiting(&service), 0);
}

#[tokio::test]
async fn missing_weights_are_told_and_mended_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let models = ModelDir::at(dir.path());
    let service = EmbedService::start(models, EMBEDDING_MODEL, Settings::default()).unwrap();
    for _ in 0..2 {
        let error = service.embed(texts(1)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::ServiceUnavailable);
        assert!(error.to_string().contains("outcrop models pull all-minilm-l6-v2"), "{error}");
        assert!(!error.message().contains('/'), "{}", error.message());
    }
    // A damaged file is as clear.
    let target = dir.path().join(EMBEDDING_MODEL);
    std::fs::create_dir(&target).unwrap();
    for entry in std::fs::read_dir(folder()).unwrap().flatten() {
        std::fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
    }
    let vocabulary = std::fs::read(target.join("vocab.txt")).unwrap();
    std::fs::write(target.join("vocab.txt"), b"nonsense").unwrap();
    let error = service.embed(texts(1)).await.unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    std::fs::write(target.join("vocab.txt"), vocabulary).unwrap();
    assert_eq!(service.embed(texts(2)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_idle_model_leaves_and_comes_back() {
    let settings = Settings { unload_after: Duration::from_millis(20), ..Settings::default() };
    let (service, open, loads) = gated(settings);
    for round in 1..=2 {
        open.send(()).unwrap();
        service.embed(texts(1)).await.unwrap();
        while service.is_loaded() || lock(&service.owner.0.model).is_some() {
            tokio::task::yield_now().await;
        }
        assert_eq!(loads.load(Ordering::SeqCst), round);
    }
}

#[tokio::test]
async fn the_threads_end_with_the_last_handle() {
    let (service, open, _) = gated(Settings::default());
    open.send(()).unwrap();
    service.embed(texts(1)).await.unwrap();
    let shared = Arc::downgrade(&service.owner.0);
    let second = service.clone();
    drop(service);
    second.embed(texts(1)).await.unwrap();
    drop(second);
    while shared.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
}
