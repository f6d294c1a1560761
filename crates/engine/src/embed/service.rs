//! The embedder behind a queue: threads of its own, loaded when first asked, gone when idle.
//!
//! Callers hold a place in a bounded queue or are refused at once. A worker takes texts from the front until a
//! batch is full, as many from each caller as fit, and callers with more to do go to the back: one long list does
//! not hold up the short ones behind it. Questions come before lists, and leave them half of each batch: who asks a
//! knowledge base does not wait for the documents that another is being filled with.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{BATCH_TOKENS, Counter, EmbedError, Embedder, Embedding, Encode};
use crate::weights::ModelDir;

/// How much may wait and for how long the model stays.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Threads that embed; each uses one core fully while there is work.
    pub workers: usize,
    /// Requests that may wait or be in work.
    pub queue_requests: usize,
    /// Bytes of text that may wait or be in work. One request alone is always admitted.
    pub queue_bytes: usize,
    /// The model leaves memory after so long without work.
    pub unload_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { workers: 1, queue_requests: 512, queue_bytes: 32 << 20, unload_after: Duration::from_secs(600) }
    }
}

/// What makes the model when it is needed.
type Loader = Box<dyn Fn() -> Result<Arc<dyn Encode>, EmbedError> + Send + Sync>;

/// A handle on the embedding threads; clones share them, and they end with the last one.
#[derive(Clone)]
pub struct EmbedService {
    owner: Arc<Owner>,
}

impl std::fmt::Debug for EmbedService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbedService").field("loaded", &self.is_loaded()).finish_non_exhaustive()
    }
}

/// Counts the handles, apart from the threads.
struct Owner(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// Work came, or the end.
    wake: Condvar,
    /// Held while loading, so that two workers load once.
    model: Mutex<Option<Arc<dyn Encode>>>,
    load: Loader,
    /// Where the vocabulary lies, where it is a file of its own, and what was read of it.
    vocabulary: Option<Vocabulary>,
    counter: OnceLock<Option<Arc<Counter>>>,
    settings: Settings,
}

type Vocabulary = Box<dyn Fn() -> Result<Counter, EmbedError> + Send + Sync>;

/// Bytes of a text that counts as a question where it comes alone.
const QUESTION: usize = 1_000;

struct Queue {
    /// Callers with one short text.
    questions: VecDeque<Job>,
    /// All others.
    lists: VecDeque<Job>,
    /// Requests and bytes that wait or are in work.
    requests: usize,
    bytes: usize,
    last_work: Instant,
    loaded: bool,
    stopped: bool,
}

type Reply = oneshot::Sender<Result<Vec<Embedding>, EmbedError>>;

struct Job {
    texts: Vec<String>,
    done: Vec<Embedding>,
    /// The texts at the end of `done` that a worker has in hand.
    taken: usize,
    reply: Reply,
}

impl EmbedService {
    /// A service for the model `name` of `models`. Nothing is loaded yet.
    pub fn start(models: ModelDir, name: &str, settings: Settings) -> Result<Self, std::io::Error> {
        let name = name.to_owned();
        let (vocabulary, of) = (models.clone(), name.clone());
        let counter: Vocabulary = Box::new(move || Counter::load(&vocabulary.folder(&of)?));
        Self::made(move || Embedder::load(&models.folder(&name)?), Some(counter), settings)
    }

    /// What counts tokens as the model does, without the model in memory; none where its vocabulary is not at hand.
    pub fn counter(&self) -> Option<Arc<Counter>> {
        let shared = &self.owner.0;
        let read = || match shared.vocabulary.as_ref()?() {
            Ok(counter) => Some(Arc::new(counter)),
            Err(error) => {
                tracing::warn!(%error, "the tokens of texts are estimated");
                None
            }
        };
        shared.counter.get_or_init(read).clone()
    }

    /// A service for the GGUF file of an embedding model, computed with `threads`. Nothing is loaded yet.
    pub fn of_gguf(path: PathBuf, threads: usize, settings: Settings) -> Result<Self, std::io::Error> {
        #[cfg(feature = "llama")]
        let load = move || crate::llama::Encoder::load(&path, threads);
        #[cfg(not(feature = "llama"))]
        let load = move || -> Result<Embedder, EmbedError> {
            let _ = threads;
            Err(EmbedError::gguf(&path, "this build has no llama.cpp (cargo feature `llama`)"))
        };
        Self::with_loader(load, settings)
    }

    fn with_loader<E: Encode + 'static>(
        load: impl Fn() -> Result<E, EmbedError> + Send + Sync + 'static,
        settings: Settings,
    ) -> Result<Self, std::io::Error> {
        Self::made(load, None, settings)
    }

    fn made<E: Encode + 'static>(
        load: impl Fn() -> Result<E, EmbedError> + Send + Sync + 'static,
        vocabulary: Option<Vocabulary>,
        settings: Settings,
    ) -> Result<Self, std::io::Error> {
        let load: Loader = Box::new(move || Ok(Arc::new(load()?)));
        let queue = Queue {
            questions: VecDeque::new(),
            lists: VecDeque::new(),
            requests: 0,
            bytes: 0,
            last_work: Instant::now(),
            loaded: false,
            stopped: false,
        };
        let shared = Arc::new(Shared {
            queue: Mutex::new(queue),
            wake: Condvar::new(),
            model: Mutex::new(None),
            load,
            vocabulary,
            counter: OnceLock::new(),
            settings,
        });
        // Made first: its end stops the threads that did start where one does not.
        let owner = Arc::new(Owner(Arc::clone(&shared)));
        for _ in 0..settings.workers.max(1) {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("embed".to_owned()).spawn(move || shared.work())?;
        }
        Ok(Self { owner })
    }

    /// The vectors of `texts`, in their order. Dropping the future gives the place in the queue back.
    pub async fn embed(&self, texts: Vec<String>) -> Result<Vec<Embedding>, EmbedError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, answer) = oneshot::channel();
        let shared = &self.owner.0;
        let job = Job { done: Vec::with_capacity(texts.len()), texts, taken: 0, reply };
        {
            let mut queue = lock(&shared.queue);
            if queue.stopped {
                return Err(EmbedError::Stopped);
            }
            let full = queue.requests >= shared.settings.queue_requests
                || queue.bytes.saturating_add(job.cost()) > shared.settings.queue_bytes;
            if queue.requests > 0 && full {
                return Err(EmbedError::Overloaded);
            }
            queue.requests += 1;
            queue.bytes = queue.bytes.saturating_add(job.cost());
            match job.asks() {
                true => queue.questions.push_back(job),
                false => queue.lists.push_back(job),
            }
        }
        shared.wake.notify_one();
        answer.await.unwrap_or(Err(EmbedError::Stopped))
    }

    /// True while the model is in memory.
    pub fn is_loaded(&self) -> bool {
        lock(&self.owner.0.queue).loaded
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        lock(&self.0.queue).stopped = true;
        self.0.wake.notify_all();
    }
}

impl Job {
    fn asks(&self) -> bool {
        matches!(self.texts.as_slice(), [text] if text.len() <= QUESTION)
    }

    fn cost(&self) -> usize {
        self.texts.iter().map(|text| text.len() + size_of::<Embedding>()).sum()
    }
}

impl Shared {
    fn work(&self) {
        while let Some(mut batch) = self.next_batch() {
            let results = match self.model() {
                Ok(model) => run(&*model, &batch),
                Err(error) => Err(error),
            };
            let mut queue = lock(&self.queue);
            queue.last_work = Instant::now();
            match results {
                Ok(mut vectors) => {
                    for mut job in batch {
                        let others = vectors.split_off(job.taken.min(vectors.len()));
                        job.done.append(&mut vectors);
                        vectors = others;
                        if job.done.len() < job.texts.len() {
                            queue.lists.push_back(job);
                        } else {
                            queue.leave(&job);
                            let _ = job.reply.send(Ok(job.done));
                        }
                    }
                }
                Err(error) => {
                    for job in batch.drain(..) {
                        queue.leave(&job);
                        let _ = job.reply.send(Err(error.clone()));
                    }
                }
            }
        }
    }

    /// Waits for work; none when the service ends.
    fn next_batch(&self) -> Option<Vec<Job>> {
        let mut queue = lock(&self.queue);
        loop {
            if queue.stopped {
                // Dropping the replies tells the callers.
                queue.questions.clear();
                queue.lists.clear();
                return None;
            }
            let batch = queue.take_batch();
            if !batch.is_empty() {
                if !queue.questions.is_empty() || !queue.lists.is_empty() {
                    self.wake.notify_one();
                }
                return Some(batch);
            }
            if !queue.loaded {
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let idle = queue.last_work.elapsed();
            let Some(left) = self.settings.unload_after.checked_sub(idle).filter(|left| !left.is_zero()) else {
                // Another worker may be between taking work and using the model; it holds its own share.
                queue.loaded = false;
                drop(queue);
                lock(&self.model).take();
                tracing::info!("embedding model unloaded after {} s without work", idle.as_secs());
                queue = lock(&self.queue);
                continue;
            };
            queue = self.wake.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn model(&self) -> Result<Arc<dyn Encode>, EmbedError> {
        let mut model = lock(&self.model);
        if let Some(model) = model.as_ref() {
            return Ok(Arc::clone(model));
        }
        let started = Instant::now();
        let loaded = (self.load)().inspect_err(|e| tracing::error!(error = %e, "embedding model not loaded"))?;
        tracing::info!("embedding model loaded in {} ms", started.elapsed().as_millis());
        *model = Some(Arc::clone(&loaded));
        lock(&self.queue).loaded = true;
        Ok(loaded)
    }
}

impl Queue {
    /// Texts for one batch: questions to a half of it, then lists, then more questions.
    fn take_batch(&mut self) -> Vec<Job> {
        // Tokens are not counted yet; English text has about four bytes to one.
        const ROOM: usize = BATCH_TOKENS * 4;
        let (mut room, mut batch) = (ROOM, Vec::new());
        self.take(|queue| &mut queue.questions, ROOM / 2, &mut room, &mut batch);
        self.take(|queue| &mut queue.lists, 0, &mut room, &mut batch);
        self.take(|queue| &mut queue.questions, 0, &mut room, &mut batch);
        batch
    }

    /// Callers from the front of `line` until only `left` of the room is; those that have gone away are forgotten.
    fn take(&mut self, line: fn(&mut Self) -> &mut VecDeque<Job>, left: usize, room: &mut usize, batch: &mut Vec<Job>) {
        while *room > left
            && let Some(mut job) = line(self).pop_front()
        {
            if job.reply.is_closed() {
                self.leave(&job);
                continue;
            }
            job.taken = 0;
            for text in job.texts.iter().skip(job.done.len()) {
                if *room == 0 {
                    break;
                }
                // What lies beyond the model's reach costs little; an empty text still has its marks.
                *room = room.saturating_sub(text.len().clamp(8, super::MAX_TOKENS * 4));
                job.taken += 1;
            }
            batch.push(job);
        }
    }

    fn leave(&mut self, job: &Job) {
        self.requests = self.requests.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(job.cost());
    }
}

fn run(model: &dyn Encode, batch: &[Job]) -> Result<Vec<Embedding>, EmbedError> {
    let texts: Vec<&str> = batch
        .iter()
        .flat_map(|job| job.texts.iter().skip(job.done.len()).take(job.taken))
        .map(String::as_str)
        .collect();
    // A fault on one input must not end the thread that serves all.
    catch_unwind(AssertUnwindSafe(|| model.encode(&texts))).unwrap_or(Err(EmbedError::Failed))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
