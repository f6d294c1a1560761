//! What the operator decides.

use std::path::PathBuf;
use std::time::Duration;

/// What a local model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModelKind {
    /// Answers a chat.
    Text,
    /// Turns text into vectors.
    Embedding,
    /// Says how relevant texts are to a query.
    Rerank,
}

/// One model on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalModel {
    /// The name that callers use, without `outcrop.`.
    pub name: String,
    /// What it is for.
    pub kind: ModelKind,
    /// Its weights: a GGUF file for text.
    pub path: PathBuf,
    /// What the weights must hash to, in hexadecimal; looked at whenever the file has changed since it was last
    /// loaded.
    pub sha256: Option<String>,
}

/// How the engine runs its models.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The models; each is loaded by the first call that names it.
    pub models: Vec<LocalModel>,
    /// Memory for all models together, in bytes: weights, keys and values, kept prefixes. Three quarters of the
    /// machine's where absent. The idle model that was used the longest ago makes room for another.
    pub memory: Option<u64>,
    /// Threads for the arithmetic of one model; the machine's physical cores but one where absent.
    pub threads: Option<usize>,
    /// The longest window, in tokens, whatever a model was trained for. Memory for keys and values grows with
    /// the longest conversation up to this, times `max_sequences`.
    pub context_length: u32,
    /// Answers generated at the same time by one model.
    pub max_sequences: usize,
    /// Calls that may wait for one model beyond those being answered; more are refused.
    pub max_waiting: usize,
    /// A model that nobody asked for this long gives its memory back.
    pub idle_unload: Duration,
    /// How long a call waits for its model to load.
    pub load_wait: Duration,
    /// Prompt tokens computed at a time. Running answers move on between two chunks, and a prefix is reused in
    /// whole chunks.
    pub prefill_chunk: u32,
    /// Memory for the prefixes kept for later calls, in bytes, for one model.
    pub prefix_cache: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            memory: None,
            threads: None,
            context_length: 8192,
            max_sequences: 8,
            max_waiting: 64,
            idle_unload: Duration::from_secs(600),
            load_wait: Duration::from_secs(60),
            prefill_chunk: 64,
            prefix_cache: 256 << 20,
        }
    }
}

impl EngineConfig {
    /// The threads that one model computes with.
    pub fn compute_threads(&self) -> usize {
        // A second hyper-thread on a core only competes for the same vector units; a container's quota counts. One
        // core stays free for everything else: llama.cpp's threads spin at every step until the last one is
        // there, so a thread that lost its core holds up all others (measured on two busy cores: 2 tokens a
        // second with two threads, 88 with one).
        let quota = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(|| quota.min(num_cpus::get_physical()).saturating_sub(1)).max(1)
    }
}
