//! Keys and values of the running sequences, and the arithmetic on them.
//!
//! Every sequence has a stretch of memory of its own, so that what it computes depends on its own tokens only;
//! with one shared stretch the order of a sum would depend on who ran before. The stretches start short and grow
//! with the longest conversation.

use std::num::NonZeroU32;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::context::session::{LlamaStateSeqFlags, SeqState};
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;

use super::backend;
use super::model::{Cache, Loaded};
use crate::config::EngineConfig;
use crate::error::EngineError;

/// Tokens a sequence has room for at first.
pub(super) const FIRST: u32 = 512;

/// One token to compute.
pub(super) struct Step {
    pub(super) slot: usize,
    pub(super) position: u32,
    pub(super) token: LlamaToken,
    /// Whether the next token will be drawn after it.
    pub(super) draw: bool,
}

/// The context of a model.
pub(super) struct Context<'m> {
    loaded: &'m Loaded,
    inner: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    room: u32,
    slots: u32,
    most_at_once: u32,
    threads: i32,
    cache: Cache,
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> EngineError {
    EngineError::Internal(format!("{what}: {error}"))
}

fn id(number: impl TryInto<i32>) -> i32 {
    // Slots and positions are bounded by the window.
    number.try_into().unwrap_or(i32::MAX)
}

impl<'m> Context<'m> {
    pub(super) fn new(loaded: &'m Loaded, cache: Cache, config: &EngineConfig) -> Result<Self, EngineError> {
        let slots = u32::try_from(config.max_sequences.max(1)).unwrap_or(u32::MAX);
        let most_at_once = config.prefill_chunk.max(1).max(slots);
        let threads = id(config.compute_threads());
        let room = loaded.window.min(FIRST);
        let inner = Self::inner(loaded, room, slots, most_at_once, threads)?;
        let batch = LlamaBatch::new(most_at_once as usize, 1);
        Ok(Self { loaded, inner, batch, room, slots, most_at_once, threads, cache })
    }

    fn inner(
        loaded: &'m Loaded,
        room: u32,
        slots: u32,
        most_at_once: u32,
        threads: i32,
    ) -> Result<LlamaContext<'m>, EngineError> {
        let parameters = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(room.saturating_mul(slots)))
            .with_n_seq_max(slots)
            .with_kv_unified(false)
            .with_n_batch(most_at_once)
            .with_n_ubatch(most_at_once)
            .with_n_threads(threads)
            .with_n_threads_batch(threads)
            .with_swa_full(true);
        loaded.model.new_context(backend()?, parameters).map_err(|error| failed("no memory for a context", &error))
    }

    /// The tokens that a sequence has room for now.
    pub(super) fn room(&self) -> u32 {
        self.room
    }

    /// Makes room for a sequence of `length` tokens, moving the sequences in `live` to a longer stretch. For as long
    /// as that takes both are in memory.
    pub(super) fn reserve(&mut self, length: u32, live: &[usize]) -> Result<(), EngineError> {
        if length <= self.room {
            return Ok(());
        }
        let room = length.checked_next_power_of_two().unwrap_or(length).min(self.loaded.window.max(length));
        let more = u64::from(room - self.room).saturating_mul(self.cache.per_token).saturating_mul(self.slots.into());
        // Other models are answering in the memory that this conversation wants.
        self.cache.share.grow(more).map_err(|_| EngineError::NoMemory)?;
        let states = live.iter().map(|&slot| Ok((slot, self.save(slot)?))).collect::<Result<Vec<_>, EngineError>>()?;
        let mut larger = Self::inner(self.loaded, room, self.slots, self.most_at_once, self.threads)?;
        for (slot, state) in &states {
            larger.state_seq_set(state, id(*slot)).map_err(|error| failed("moving a sequence", &error))?;
        }
        self.inner = larger;
        self.room = room;
        tracing::debug!(room, "sequences have more room");
        Ok(())
    }

    /// Computes a batch. Afterwards [`Context::logits`] answers for the steps that asked.
    pub(super) fn compute(&mut self, steps: &[Step]) -> Result<(), EngineError> {
        self.batch.clear();
        for step in steps {
            self.batch
                .add(step.token, id(step.position), &[id(step.slot)], step.draw)
                .map_err(|error| failed("batch", &error))?;
        }
        self.inner.decode(&mut self.batch).map_err(|error| failed("llama.cpp", &error))
    }

    /// What the model thinks of every token after step `index` of the last batch.
    pub(super) fn logits(&self, index: usize) -> &[f32] {
        self.inner.get_logits_ith(id(index))
    }

    /// Forgets a sequence.
    pub(super) fn clear(&mut self, slot: usize) -> Result<(), EngineError> {
        self.cut(slot, 0).map(|_| ())
    }

    /// A copy of a sequence.
    pub(super) fn save(&self, slot: usize) -> Result<SeqState, EngineError> {
        self.inner
            .state_seq_get(id(slot), LlamaStateSeqFlags::empty())
            .map_err(|error| failed("copying a sequence", &error))
    }

    /// Puts a copy in the place of a sequence and keeps its first `length` tokens. False where the model's
    /// memory cannot be cut (recurrent models): then the sequence is empty.
    pub(super) fn restore(
        &mut self,
        slot: usize,
        state: &SeqState,
        length: u32,
        whole: u32,
    ) -> Result<bool, EngineError> {
        self.inner.state_seq_set(state, id(slot)).map_err(|error| failed("restoring a sequence", &error))?;
        if length == whole || self.cut(slot, length)? {
            return Ok(true);
        }
        self.clear(slot)?;
        Ok(false)
    }

    fn cut(&mut self, slot: usize, length: u32) -> Result<bool, EngineError> {
        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
        self.inner
            .clear_kv_cache_seq(Some(slot), Some(length), None)
            .map_err(|error| failed("cutting a sequence", &error))
    }
}
