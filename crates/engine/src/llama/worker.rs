//! The thread that owns a model: admits calls, computes one chunk of one prompt, then one token of every running
//! answer, and so on. With nothing to do it blocks.
//!
//! Chunks and tokens are computed in batches of their own: a prompt's chunks are then the same batches whoever
//! else is being answered.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use llama_cpp_2::context::session::SeqState;
use llama_cpp_2::token::LlamaToken;

use super::context::{Context, Step};
use super::model::{Cache, Loaded};
use super::prefixes::Prefixes;
use super::queue::{Queue, Woken};
use super::sequence::{Job, Sequence};
use crate::config::EngineConfig;
use crate::error::EngineError;

/// A model at work.
pub(super) struct Worker<'m> {
    loaded: &'m Loaded,
    config: &'m EngineConfig,
    queue: &'m Queue<Job>,
    gauges: &'m Gauges,
    context: Context<'m>,
    /// By slot.
    sequences: Vec<Option<Sequence>>,
    prefixes: Prefixes<LlamaToken, SeqState>,
    chunk: usize,
    /// Whether a slot became free since the queue was looked at.
    look: bool,
}

/// Numbers for [`crate::Engine::status`].
#[derive(Default)]
pub(super) struct Gauges {
    pub(super) running: AtomicUsize,
    pub(super) prefix_bytes: AtomicUsize,
    pub(super) computed: AtomicU64,
    /// Makes the thread panic at its next step.
    #[cfg(test)]
    pub(super) panic: std::sync::atomic::AtomicBool,
}

impl<'m> Worker<'m> {
    pub(super) fn new(
        loaded: &'m Loaded,
        cache: Cache,
        config: &'m EngineConfig,
        queue: &'m Queue<Job>,
        gauges: &'m Gauges,
    ) -> Result<Self, EngineError> {
        let context = Context::new(loaded, cache, config)?;
        let mut sequences = Vec::new();
        sequences.resize_with(config.max_sequences.max(1), || None);
        let prefixes = Prefixes::new(config.prefix_cache);
        let chunk = config.prefill_chunk.max(1) as usize;
        Ok(Self { loaded, config, queue, gauges, context, sequences, prefixes, chunk, look: true })
    }

    /// Works until nobody asks any more, another model needs the memory or the engine closes. `leave` runs before
    /// a caller can see that.
    pub(super) fn run(&mut self, leave: impl FnOnce()) {
        let mut leave = Some(leave);
        loop {
            self.admit();
            self.release_abandoned();
            self.gauges.running.store(self.live().len(), Ordering::Relaxed);
            self.gauges.prefix_bytes.store(self.prefixes.bytes(), Ordering::Relaxed);
            if self.sequences.iter().all(Option::is_none) {
                let left = || {
                    if let Some(leave) = leave.take() {
                        leave()
                    }
                };
                match self.queue.wait(self.config.idle_unload, left) {
                    Woken::Work => self.look = true,
                    Woken::Idle | Woken::Closing => return,
                }
                continue;
            }
            #[cfg(test)]
            assert!(!self.gauges.panic.swap(false, Ordering::Relaxed), "as the test wished");
            self.prefill();
            self.close_gap();
            self.decode();
        }
    }

    fn admit(&mut self) {
        let attention = self.queue.attention();
        if attention && self.queue.closing() {
            for slot in self.live() {
                self.fail(slot, EngineError::ShuttingDown);
            }
            return;
        }
        if !attention && !self.look {
            return;
        }
        self.look = false;
        while let Some(free) = self.sequences.iter().position(Option::is_none) {
            let Some(job) = self.queue.take() else { return };
            self.sequences[free] = Some(Sequence::new(job));
        }
    }

    fn release_abandoned(&mut self) {
        for slot in self.live() {
            if self.sequences[slot].as_ref().is_some_and(|sequence| sequence.job.abandoned()) {
                self.release(slot);
            }
        }
    }

    fn live(&self) -> Vec<usize> {
        (0..self.sequences.len()).filter(|&slot| self.sequences[slot].is_some()).collect()
    }

    fn release(&mut self, slot: usize) {
        self.sequences[slot] = None;
        self.look = true;
        if let Err(error) = self.context.clear(slot) {
            tracing::error!(%error, slot, "a sequence could not be cleared");
        }
    }

    fn fail(&mut self, slot: usize, error: EngineError) {
        tracing::error!(%error, "an answer failed");
        if let Some(sequence) = &self.sequences[slot] {
            sequence.fail(error);
        }
        self.release(slot);
    }

    /// Computes one chunk of the prompt that goes first.
    fn prefill(&mut self) {
        let waiting = |slot: &usize| self.sequences[*slot].as_ref().is_some_and(|sequence| sequence.next.is_none());
        // One that has begun goes on, so that those behind it find its prefix; only priority passes it.
        let order = |slot: &usize| {
            self.sequences[*slot]
                .as_ref()
                .map(|sequence| (sequence.job.priority, sequence.computed == 0, sequence.job.arrived))
        };
        let Some(slot) = self.live().into_iter().filter(waiting).min_by_key(order) else { return };
        if let Err(error) = self.prefill_chunk(slot) {
            self.fail(slot, error);
        }
    }

    fn prefill_chunk(&mut self, slot: usize) -> Result<(), EngineError> {
        let live = self.computed_slots();
        let Some(sequence) = &mut self.sequences[slot] else { return Ok(()) };
        let tokens = &sequence.job.prompt.tokens;
        // The last piece, whole chunk or not, is always computed: its logits are needed.
        let reusable = tokens.len().saturating_sub(1) / self.chunk * self.chunk;
        if sequence.computed == 0 {
            self.context.reserve(sequence.job.prompt.len() + 1, &live)?;
            if let Some((shared, whole, state)) =
                self.prefixes.find(&sequence.job.scope, &tokens[..reusable], self.chunk)
            {
                let (shared, whole) = (as_u32(shared), as_u32(whole));
                self.context.reserve(whole, &live)?;
                if self.context.restore(slot, state, shared, whole)? {
                    sequence.computed = shared;
                    sequence.cached = shared;
                }
            }
            sequence.started();
        }

        let from = sequence.computed as usize;
        let to = tokens.len().min(from + self.chunk);
        let mut steps = Vec::with_capacity(to - from);
        for (position, &token) in tokens.iter().enumerate().take(to).skip(from) {
            steps.push(Step { slot, position: as_u32(position), token, draw: position + 1 == tokens.len() });
        }
        self.context.compute(&steps)?;
        self.gauges.computed.fetch_add(steps.len() as u64, Ordering::Relaxed);
        sequence.computed = as_u32(to);

        if to == reusable && self.prefixes.wants(&sequence.job.scope, &tokens[..to]) {
            let state = self.context.save(slot)?;
            let bytes = state.byte_len();
            self.prefixes.keep(&sequence.job.scope, &tokens[..to], state, bytes);
        }
        if to == tokens.len() && sequence.draw(self.context.logits(steps.len() - 1), &self.loaded.model)? {
            self.release(slot);
        }
        Ok(())
    }

    /// Computes one token of every answer that has begun.
    fn decode(&mut self) {
        let longest = self.sequences.iter().flatten().filter(|s| s.next.is_some()).map(|s| s.computed + 1).max();
        let Some(longest) = longest else { return };
        if let Err(error) = self.context.reserve(longest, &self.computed_slots()) {
            // Those that have room go on.
            let room = self.context.room();
            let beyond = |slot: &usize| self.sequences[*slot].as_ref().is_some_and(|s| s.computed >= room);
            for slot in self.live().into_iter().filter(beyond).collect::<Vec<_>>() {
                self.fail(slot, error.clone());
            }
        }
        let mut steps = Vec::with_capacity(self.sequences.len());
        for (slot, sequence) in self.sequences.iter().enumerate() {
            if let Some(sequence) = sequence
                && let Some(token) = sequence.next
            {
                steps.push(Step { slot, position: sequence.computed, token, draw: true });
            }
        }
        if steps.is_empty() {
            return;
        }
        if let Err(error) = self.context.compute(&steps) {
            for step in &steps {
                self.fail(step.slot, error.clone());
            }
            return;
        }
        self.gauges.computed.fetch_add(steps.len() as u64, Ordering::Relaxed);
        for (index, step) in steps.iter().enumerate() {
            let Some(sequence) = &mut self.sequences[step.slot] else { continue };
            sequence.computed += 1;
            match sequence.draw(self.context.logits(index), &self.loaded.model) {
                Ok(false) => {}
                Ok(true) => self.release(step.slot),
                Err(error) => self.fail(step.slot, error),
            }
        }
    }

    fn computed_slots(&self) -> Vec<usize> {
        let computed = |slot: &usize| self.sequences[*slot].as_ref().is_some_and(|sequence| sequence.computed > 0);
        (0..self.sequences.len()).filter(computed).collect()
    }

    /// llama.cpp computes sequences together only where their slots are neighbours: a gap would read the weights
    /// once more for every token. So the last sequence moves into it.
    fn close_gap(&mut self) {
        let live = self.live();
        let Some((&last, gap)) = live.last().zip((0..live.len()).find(|slot| !live.contains(slot))) else { return };
        let state = match self.context.save(last) {
            Ok(state) => state,
            Err(error) => return self.fail(last, error),
        };
        let computed = self.sequences[last].as_ref().map_or(0, |sequence| sequence.computed);
        if computed > 0
            && let Err(error) = self.context.restore(gap, &state, computed, computed)
        {
            return self.fail(last, error);
        }
        self.sequences.swap(gap, last);
        self.release(last);
    }
}

fn as_u32(number: usize) -> u32 {
    // Bounded by the window.
    u32::try_from(number).unwrap_or(u32::MAX)
}
