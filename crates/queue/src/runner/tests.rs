//! Work that dies, waits, is bounded and is tried again.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use outcrop_store::{Options, Sqlite, Store};
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Ended, Limits, Runner, Worker};
use crate::{Held, Task};

const QUEUE: &str = "tests";

fn runner(store: &Arc<dyn Store>, at_once: usize, per_account: usize) -> Runner {
    let limits = Limits {
        at_once: NonZeroUsize::new(at_once).unwrap(),
        per_account: NonZeroUsize::new(per_account).unwrap(),
        lease: Duration::from_millis(200),
    };
    Runner::new(Arc::clone(store), QUEUE, limits)
}

fn open(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap())
}

async fn enqueue(store: &Arc<dyn Store>, account: &str, work: &str) {
    let task = Task::new(account, "us-east-1", Some("arn:aws:iam::111122223333:role/r"), json!(work));
    store.commit(task.enqueue(QUEUE).unwrap().into()).await.unwrap();
}

/// Counts to five, saving each number, and ends at `stop_at` as a process does that is killed.
struct Counts {
    seen: Mutex<Vec<u64>>,
    stop_at: Option<u64>,
    there: Notify,
}

impl Counts {
    fn new(stop_at: Option<u64>) -> Arc<Self> {
        Arc::new(Self { seen: Mutex::default(), stop_at, there: Notify::new() })
    }
}

#[async_trait]
impl Worker for Counts {
    async fn work(&self, held: &Held) -> Ended {
        let from = held.task().checkpoint.and_then(|done| done.as_u64()).unwrap_or(0);
        for number in from + 1..=5 {
            self.seen.lock().unwrap().push(number);
            held.checkpoint(json!(number), Vec::new()).await.unwrap();
            if self.stop_at == Some(number) {
                self.there.notify_one();
                std::future::pending::<()>().await;
            }
        }
        self.there.notify_one();
        Ended::Done(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_goes_on_from_its_checkpoint_when_its_process_has_died() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    enqueue(&store, "111122223333", "count").await;
    let first = Counts::new(Some(3));
    let (running, worker) = (runner(&store, 1, 1), Arc::clone(&first));
    let killed = tokio::spawn(async move { running.run(worker, CancellationToken::new()).await });
    first.there.notified().await;
    // Nothing is let go in good order: neither the lease nor the row.
    killed.abort();
    assert!(killed.await.unwrap_err().is_cancelled());
    // What was under way is dropped a moment later.
    while Arc::strong_count(&store) > 1 {
        tokio::task::yield_now().await;
    }
    drop(store);
    let store = open(&folder);
    let (second, stop) = (Counts::new(None), CancellationToken::new());
    let (running, worker, stopped) = (runner(&store, 1, 1), Arc::clone(&second), stop.clone());
    let done = tokio::spawn(async move { running.run(worker, stopped).await });
    second.there.notified().await;
    stop.cancel();
    done.await.unwrap();
    assert_eq!(*first.seen.lock().unwrap(), [1, 2, 3]);
    assert_eq!(*second.seen.lock().unwrap(), [4, 5]);
}

/// Notes how many tasks of an account are under way together.
#[derive(Default)]
struct Together {
    now: Mutex<Vec<String>>,
    most: Mutex<(usize, usize)>,
    done: Mutex<usize>,
    ended: Notify,
}

#[async_trait]
impl Worker for Together {
    async fn work(&self, held: &Held) -> Ended {
        let account = held.task().account;
        {
            let mut now = self.now.lock().unwrap();
            now.push(account.clone());
            let mine = now.iter().filter(|one| **one == account).count();
            let mut most = self.most.lock().unwrap();
            *most = (most.0.max(now.len()), most.1.max(mine));
        }
        // Others get their chance to begin.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let mut now = self.now.lock().unwrap();
        let at = now.iter().position(|one| *one == account).unwrap();
        now.remove(at);
        *self.done.lock().unwrap() += 1;
        self.ended.notify_one();
        Ended::Done(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_no_more_under_way_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for account in ["111122223333", "111122223333", "111122223333", "444455556666"] {
        enqueue(&store, account, "wait").await;
    }
    let (worker, stop) = (Arc::new(Together::default()), CancellationToken::new());
    let (running, same, stopped) = (runner(&store, 3, 1), Arc::clone(&worker), stop.clone());
    let done = tokio::spawn(async move { running.run(same, stopped).await });
    while *worker.done.lock().unwrap() < 4 {
        worker.ended.notified().await;
    }
    stop.cancel();
    done.await.unwrap();
    let most = *worker.most.lock().unwrap();
    assert_eq!(most.1, 1, "one of an account at a time");
}

/// Fails once, and tells how often it had failed before.
#[derive(Default)]
struct Fails {
    failures: Mutex<Vec<u32>>,
    ended: Notify,
}

#[async_trait]
impl Worker for Fails {
    async fn work(&self, held: &Held) -> Ended {
        let failures = held.task().failures;
        self.failures.lock().unwrap().push(failures);
        if failures == 0 {
            return Ended::Again("not yet".to_owned());
        }
        self.ended.notify_one();
        Ended::Done(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_tried_again_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    enqueue(&store, "111122223333", "fail").await;
    let (worker, stop) = (Arc::new(Fails::default()), CancellationToken::new());
    let (running, same, stopped) = (runner(&store, 1, 1), Arc::clone(&worker), stop.clone());
    let begun = std::time::Instant::now();
    let done = tokio::spawn(async move { running.run(same, stopped).await });
    worker.ended.notified().await;
    assert!(begun.elapsed() >= Duration::from_secs(1), "it waits before it tries again");
    stop.cancel();
    done.await.unwrap();
    assert_eq!(*worker.failures.lock().unwrap(), [0, 1]);
}

/// Ends abruptly until it was begun four times, telling before each what is counted; goes on before the third.
#[derive(Default)]
struct Dies {
    begun: Mutex<Vec<u32>>,
    ended: Notify,
}

#[async_trait]
impl Worker for Dies {
    async fn work(&self, held: &Held) -> Ended {
        let times = {
            let mut begun = self.begun.lock().unwrap();
            begun.push(held.task().begun);
            begun.len()
        };
        if times == 2 {
            held.went_on().await.unwrap();
        }
        assert!(times == 4, "it dies");
        self.ended.notify_one();
        Ended::Done(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_abruptly_is_counted_until_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    enqueue(&store, "111122223333", "die").await;
    let (worker, stop) = (Arc::new(Dies::default()), CancellationToken::new());
    let (running, same, stopped) = (runner(&store, 1, 1), Arc::clone(&worker), stop.clone());
    let done = tokio::spawn(async move { running.run(same, stopped).await });
    worker.ended.notified().await;
    stop.cancel();
    done.await.unwrap();
    assert_eq!(*worker.begun.lock().unwrap(), [1, 2, 2, 3]);
}

/// Waits aside until a third task lets it go on.
struct Waits {
    turn: tokio::sync::Semaphore,
    done: tokio::sync::Semaphore,
}

#[async_trait]
impl Worker for Waits {
    async fn work(&self, held: &Held) -> Ended {
        if held.task().work == json!("lets go") {
            self.turn.add_permits(2);
        } else {
            held.aside(self.turn.acquire()).await.unwrap().forget();
        }
        self.done.add_permits(1);
        Ended::Done(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_aside_has_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for work in ["waits", "waits", "lets go"] {
        enqueue(&store, "111122223333", work).await;
    }
    let waits = Arc::new(Waits { turn: tokio::sync::Semaphore::new(0), done: tokio::sync::Semaphore::new(0) });
    let (running, worker, stop) = (runner(&store, 1, 1), Arc::clone(&waits), CancellationToken::new());
    let stopped = stop.clone();
    let running = tokio::spawn(async move { running.run(worker, stopped).await });
    // With its one place kept by who waits, this would never be.
    let _ = waits.done.acquire_many(3).await.unwrap();
    stop.cancel();
    running.await.unwrap();
}
