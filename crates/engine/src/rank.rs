//! Texts by their relevance to a query: cross-encoders, which read both together.
//!
//! BERT's and XLM-RoBERTa's from GGUF files through llama.cpp. A model is loaded by the first call, answers one call
//! at a time, and leaves when nobody asks. A call that nobody waits for any more ends after the document at hand.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as Turn, Semaphore};

use crate::error::EngineError;
#[cfg(feature = "llama")]
use crate::llama::Encoder;

/// The model reads this many tokens of a query and a document together, marks included.
pub const MAX_TOKENS: u32 = 512;

/// How much may wait and for how long the model stays.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Calls that may wait or be in work.
    pub calls: usize,
    /// The model leaves memory after so long without work.
    pub unload_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { calls: 64, unload_after: Duration::from_secs(600) }
    }
}

/// A document as a cross-encoder saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relevance {
    /// 0 to 1: the logistic function of what the model says.
    pub score: f32,
    /// The tokens that were read, the query's and the marks included.
    pub tokens: u32,
}

/// One model; clones share it.
#[derive(Clone)]
pub struct RankService(Arc<Shared>);

impl std::fmt::Debug for RankService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RankService").field("model", &self.0.name).finish_non_exhaustive()
    }
}

struct Shared {
    name: String,
    path: PathBuf,
    threads: usize,
    places: Semaphore,
    /// Held by the call that is answered.
    turn: Turn<()>,
    loaded: Mutex<Option<Loaded>>,
    unload_after: Duration,
}

struct Loaded {
    model: Arc<Encoder>,
    used: Instant,
}

impl RankService {
    /// A service for the reranker `name`, whose GGUF file is at `path`, computed with `threads`. Nothing is loaded yet.
    pub fn of_gguf(name: &str, path: PathBuf, threads: usize, settings: Settings) -> Self {
        let (places, turn, loaded) = (Semaphore::new(settings.calls), Turn::new(()), Mutex::new(None));
        let unload_after = settings.unload_after;
        Self(Arc::new(Shared { name: name.to_owned(), path, threads, places, turn, loaded, unload_after }))
    }

    /// How relevant each of `documents` is to `query`, in their order.
    pub async fn rank(&self, query: String, documents: Vec<String>) -> Result<Vec<Relevance>, EngineError> {
        let shared = &self.0;
        let _place = shared.places.try_acquire().map_err(|_| EngineError::Overloaded(shared.name.clone()))?;
        let _turn = shared.turn.lock().await;
        let (shared, unwanted) = (Arc::clone(shared), Unwanted::default());
        let stop = Arc::clone(&unwanted.0);
        let work = tokio::task::spawn_blocking(move || {
            let found = shared.model()?.relevance(&query, &documents, &|| stop.load(Ordering::Relaxed));
            if let Some(loaded) = &mut *shared.loaded() {
                loaded.used = Instant::now();
            }
            found.map_err(|why| EngineError::Internal(format!("{} on reranking: {why}", shared.path.display())))
        });
        let found = work.await.unwrap_or_else(|why| Err(EngineError::Internal(format!("reranking: {why}"))))?;
        drop(unwanted);
        Ok(found)
    }

    /// True while the model is in memory.
    pub fn is_loaded(&self) -> bool {
        self.0.loaded().is_some()
    }
}

/// Tells the work, when dropped, that nobody waits for it.
#[derive(Default)]
struct Unwanted(Arc<AtomicBool>);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn loaded(&self) -> std::sync::MutexGuard<'_, Option<Loaded>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn model(self: &Arc<Self>) -> Result<Arc<Encoder>, EngineError> {
        // Whoever has the turn is alone here, so the lock need not be held while the file is read.
        if let Some(loaded) = &*self.loaded() {
            return Ok(Arc::clone(&loaded.model));
        }
        let began = Instant::now();
        let model = Encoder::load(&self.path, self.threads)
            .map(Arc::new)
            .map_err(|why| EngineError::Weights { model: self.name.clone(), reason: why.to_string() })?;
        tracing::info!("reranker {} loaded in {} ms", self.name, began.elapsed().as_millis());
        *self.loaded() = Some(Loaded { model: Arc::clone(&model), used: Instant::now() });
        tokio::spawn(Self::leave(Arc::downgrade(self), self.unload_after));
        Ok(model)
    }

    /// Waits until nobody has asked for long enough, then lets the model go.
    async fn leave(of: Weak<Self>, unload_after: Duration) {
        let mut left = unload_after;
        while !left.is_zero() {
            tokio::time::sleep(left).await;
            let Some(shared) = of.upgrade() else { return };
            let mut loaded = shared.loaded();
            let Some(used) = loaded.as_ref().map(|loaded| loaded.used) else { return };
            left = unload_after.saturating_sub(used.elapsed());
            if left.is_zero() {
                *loaded = None;
                tracing::info!("reranker {} unloaded after {} s without work", shared.name, unload_after.as_secs());
            }
        }
    }
}

/// What stands for a model in a build without llama.cpp.
#[cfg(not(feature = "llama"))]
struct Encoder;

#[cfg(not(feature = "llama"))]
impl Encoder {
    fn load(_: &std::path::Path, _: usize) -> Result<Self, &'static str> {
        Err("this build has no llama.cpp (cargo feature `llama`)")
    }

    fn relevance(&self, _: &str, _: &[String], _: &dyn Fn() -> bool) -> Result<Vec<Relevance>, &'static str> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
#[cfg(feature = "llama")]
mod tests;
