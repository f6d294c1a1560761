//! One configured text model: loaded by the first call, unloaded when nobody asks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use tokio::sync::{Semaphore, mpsc, watch};

use super::model::{Loaded, Plan};
use super::queue::Queue;
use super::seal::Seal;
use super::sequence::{Job, most_events};
use super::worker::{Gauges, Worker};
use crate::chat::Chat;
use crate::config::{EngineConfig, LocalModel};
use crate::error::EngineError;
use crate::generate::{Generate, Generation, TokenCount};
use crate::memory::{Memory, Occupant};
use crate::output::Output;
use crate::sample::Sampler;
use crate::status::{LoadState, ModelStatus};

/// A model and the thread that may be serving it.
pub(crate) struct TextModel {
    spec: LocalModel,
    config: EngineConfig,
    memory: Arc<Memory>,
    seal: Seal,
    /// When a caller last came.
    used: Mutex<Instant>,
    phase: watch::Sender<Phase>,
    queue: Queue<Job>,
    /// Running and waiting calls together.
    places: Arc<Semaphore>,
    gauges: Gauges,
}

#[derive(Clone)]
enum Phase {
    Unloaded,
    Loading,
    Ready(Arc<Loaded>),
    Failed(EngineError),
}

impl TextModel {
    pub(crate) fn new(spec: LocalModel, config: EngineConfig, memory: &Arc<Memory>) -> Arc<Self> {
        let places = config.max_sequences.max(1) + config.max_waiting;
        let model = Arc::new(Self {
            seal: Seal::of(&spec),
            spec,
            memory: memory.clone(),
            used: Mutex::new(Instant::now()),
            phase: watch::Sender::new(Phase::Unloaded),
            queue: Queue::new(),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            gauges: Gauges::default(),
            config,
        });
        let occupant: Weak<Self> = Arc::downgrade(&model);
        memory.admit(occupant);
        model
    }

    fn all_places(&self) -> usize {
        (self.config.max_sequences.max(1) + self.config.max_waiting).min(Semaphore::MAX_PERMITS)
    }

    pub(crate) async fn generate(self: &Arc<Self>, request: Generate) -> Result<Generation, EngineError> {
        let arrived = Instant::now();
        let permit = self.places.clone().try_acquire_owned().or_else(|_| {
            // Callers that went away while they waited still hold places.
            self.queue.forget(Job::abandoned);
            self.places.clone().try_acquire_owned()
        });
        let mut permit = permit.map_err(|_| EngineError::Overloaded(self.spec.name.clone()))?;
        let request = Arc::new(request);
        loop {
            let loaded = self.ready().await?;
            let request = request.clone();
            let prepare = move || prepare(&loaded, &request, arrived, permit);
            let (job, generation) = blocking(prepare).await??;
            let priority = job.priority;
            match self.queue.push(job, priority) {
                Ok(()) => return Ok(generation),
                // Unloaded meanwhile, after all that time without a call: load again.
                Err(job) => permit = job.permit,
            }
        }
    }

    pub(crate) async fn count_tokens(self: &Arc<Self>, chat: &Chat) -> Result<TokenCount, EngineError> {
        let loaded = self.ready().await?;
        let chat = chat.clone();
        blocking(move || loaded.count(&chat)).await?
    }

    /// The loaded model; starts loading it where it is not, and waits as long as the configuration says.
    async fn ready(self: &Arc<Self>) -> Result<Arc<Loaded>, EngineError> {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let waited = tokio::time::timeout(self.config.load_wait, async {
            loop {
                self.start()?;
                let mut phase = self.phase.subscribe();
                let settled = phase.wait_for(|phase| !matches!(phase, Phase::Loading)).await;
                match settled.map(|phase| phase.clone()) {
                    Ok(Phase::Ready(loaded)) => return Ok(loaded),
                    Ok(Phase::Failed(error)) => return Err(error),
                    Ok(Phase::Unloaded | Phase::Loading) => {}
                    Err(_) => return Err(EngineError::ShuttingDown),
                }
            }
        });
        waited.await.unwrap_or_else(|_| Err(EngineError::NotReady(self.spec.name.clone())))
    }

    /// Starts the thread unless it runs. A failure is tried again by the next call: the file may be there now.
    fn start(self: &Arc<Self>) -> Result<(), EngineError> {
        if self.queue.closing() {
            return Err(EngineError::ShuttingDown);
        }
        let idle = self.phase.send_if_modified(|phase| {
            let idle = matches!(phase, Phase::Unloaded | Phase::Failed(_));
            if idle {
                *phase = Phase::Loading;
            }
            idle
        });
        if idle {
            let model = self.clone();
            let thread = std::thread::Builder::new().name(format!("model {}", self.spec.name));
            if let Err(error) = thread.spawn(move || model.thread()) {
                self.phase.send_replace(Phase::Failed(EngineError::Internal(format!("no thread: {error}"))));
            }
        }
        Ok(())
    }

    /// The model's thread, from loading to unloading.
    fn thread(&self) {
        let name = &self.spec.name;
        let mut left = false;
        // Whatever goes wrong in here, callers hear of it: what waits is dropped, which ends their streams with
        // an error, and the next call starts afresh.
        let served = catch_unwind(AssertUnwindSafe(|| self.serve(&mut left)));
        if left {
            // From that moment on the queue and the phase are those of the thread that may have come after.
            tracing::info!(model = %name, "model unloaded");
            return;
        }
        self.queue.abandon();
        self.gauges.running.store(0, Ordering::Relaxed);
        let end = match served {
            Ok(Ok(())) => Phase::Unloaded,
            Ok(Err(error)) => {
                tracing::error!(model = %name, %error, "model cannot be loaded");
                Phase::Failed(error)
            }
            Err(_) => {
                tracing::error!(model = %name, "the model's thread panicked");
                Phase::Failed(EngineError::Internal("the model's thread panicked".into()))
            }
        };
        self.phase.send_replace(end);
    }

    fn serve(&self, left: &mut bool) -> Result<(), EngineError> {
        let begun = Instant::now();
        let plan = Plan::of(&self.spec, &self.config, &self.memory)?;
        let loaded = self.seal.watch(|| Loaded::load(&self.spec, plan))?;
        let (loaded, cache) = (Arc::new(loaded.0), loaded.1);
        let mut worker = Worker::new(&loaded, cache, &self.config, &self.queue, &self.gauges)?;
        tracing::info!(model = %self.spec.name, took = ?begun.elapsed(), "model loaded");
        self.queue.open();
        self.phase.send_replace(Phase::Ready(loaded.clone()));
        worker.run(|| {
            self.gauges.prefix_bytes.store(0, Ordering::Relaxed);
            self.phase.send_replace(Phase::Unloaded);
            *left = true;
        });
        Ok(())
    }

    pub(crate) fn status(&self) -> ModelStatus {
        let (state, weights) = match &*self.phase.borrow() {
            Phase::Unloaded => (LoadState::Unloaded, 0),
            Phase::Loading => (LoadState::Loading, 0),
            Phase::Ready(loaded) => (LoadState::Ready, loaded.model.size()),
            Phase::Failed(error) => (LoadState::Failed(error.to_string()), 0),
        };
        let taken = self.all_places().saturating_sub(self.places.available_permits());
        let running = self.gauges.running.load(Ordering::Relaxed);
        ModelStatus {
            name: self.spec.name.clone(),
            kind: self.spec.kind,
            path: self.spec.path.clone(),
            state,
            weights_bytes: weights,
            prefix_bytes: self.gauges.prefix_bytes.load(Ordering::Relaxed) as u64,
            computed_tokens: self.gauges.computed.load(Ordering::Relaxed),
            running,
            waiting: taken.saturating_sub(running),
        }
    }

    /// Ends running answers with an error and waits for the thread.
    pub(crate) async fn shutdown(&self) {
        self.queue.close();
        let mut phase = self.phase.subscribe();
        // The sender lives in `self`.
        let _ = phase.wait_for(|phase| matches!(phase, Phase::Unloaded | Phase::Failed(_))).await;
    }
}

impl Occupant for TextModel {
    fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self) -> bool {
        // A caller that holds a place is answered or about to be: it would only load the model again.
        self.places.available_permits() >= self.all_places() && self.queue.dismiss()
    }
}

/// Everything about a request that needs the model but not its thread.
fn prepare(
    loaded: &Loaded,
    request: &Generate,
    arrived: Instant,
    permit: tokio::sync::OwnedSemaphorePermit,
) -> Result<(Job, Generation), EngineError> {
    let constraint = loaded.constraint(request)?;
    let prompt = loaded.fitting_prompt(&request.chat, request.max_tokens)?;
    let left = loaded.window - prompt.len();
    let max_tokens = request.max_tokens.unwrap_or(left).clamp(1, left);
    let (events, receiver) = mpsc::channel(most_events(max_tokens));
    let job = Job {
        prompt,
        scope: request.scope.clone(),
        priority: request.priority,
        sampler: Sampler::new(&request.sampling, loaded.defaults),
        grammar: constraint.grammar,
        output: Output::new(constraint.expect, &request.stop),
        max_tokens,
        events,
        arrived,
        permit,
    };
    Ok((job, Generation::new(receiver)))
}

/// Runs what takes long away from the threads that serve connections.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| EngineError::Internal(error.to_string()))
}

#[cfg(test)]
mod tests;
