//! One answer: what its caller asked for and how far it has come.

use std::time::Instant;

use llama_cpp_2::token::LlamaToken;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::grammar::Grammar;
use super::model::Loaded;
use super::prompt::Prompt;
use crate::error::EngineError;
use crate::generate::{Event, FinishReason, Finished, Priority, Timings, Usage};
use crate::output::Output;
use crate::sample::Sampler;

/// A prepared request on its way to the model's thread.
pub(super) struct Job {
    pub(super) prompt: Prompt,
    pub(super) scope: String,
    pub(super) priority: Priority,
    pub(super) sampler: Sampler,
    pub(super) grammar: Option<Grammar>,
    pub(super) output: Output,
    /// What the caller wants and the window leaves, whichever is less.
    pub(super) max_tokens: u32,
    /// Has room for every event that the answer can have, so that a slow reader never holds up the thread: its
    /// backlog is bounded by its own answer.
    pub(super) events: mpsc::Sender<Result<Event, EngineError>>,
    pub(super) arrived: Instant,
    /// The place among the calls that the engine admits, given back when the answer is over.
    pub(super) permit: OwnedSemaphorePermit,
}

/// Events that an answer of `tokens` can have: a token ends at most a text, a whole call and another text.
pub(super) fn most_events(tokens: u32) -> usize {
    (tokens as usize).saturating_mul(6).saturating_add(16).min(tokio::sync::Semaphore::MAX_PERMITS)
}

impl Job {
    /// Whether nobody listens any more.
    pub(super) fn abandoned(&self) -> bool {
        self.events.is_closed()
    }
}

/// A job that has a slot.
pub(super) struct Sequence {
    pub(super) job: Job,
    /// Tokens whose keys and values are in the context.
    pub(super) computed: u32,
    /// Of the prompt, those that an earlier call had computed.
    pub(super) cached: u32,
    /// The token to compute next, once the prompt is through.
    pub(super) next: Option<LlamaToken>,
    generated: u32,
    admitted: Instant,
    first_token: Option<Instant>,
}

impl Sequence {
    pub(super) fn new(job: Job) -> Self {
        Self { job, computed: 0, cached: 0, next: None, generated: 0, admitted: Instant::now(), first_token: None }
    }

    /// Draws the next token. Answers whether the answer is over.
    pub(super) fn draw(&mut self, logits: &[f32], loaded: &Loaded) -> Result<bool, EngineError> {
        self.first_token.get_or_insert_with(Instant::now);
        let model = &loaded.model;
        let mask = self.job.grammar.as_mut().map(Grammar::mask).transpose()?;
        let mask = mask.as_ref().map(|mask| mask.as_slice());
        let token =
            self.job.sampler.pick(logits, mask).ok_or_else(|| EngineError::Internal("no token may follow".into()))?;
        let token = LlamaToken(i32::try_from(token).map_err(|error| EngineError::Internal(error.to_string()))?);
        self.generated += 1;
        if model.vocab().is_eog(token) {
            self.finish(FinishReason::EndTurn);
            return Ok(true);
        }

        let mut events = Vec::new();
        let marker = self.job.output.reads_markers() && loaded.markers.contains(&token);
        let stopped = self.job.output.push(&model.vocab().token_to_piece(token, marker, None), &mut events);
        self.send(events);
        if let Some(sequence) = stopped {
            self.finish(FinishReason::StopSequence(sequence));
            return Ok(true);
        }
        let complete = match &mut self.job.grammar {
            Some(grammar) => grammar.take(token.0.unsigned_abs())? || self.job.output.complete(),
            None => false,
        };
        if complete {
            self.finish(FinishReason::EndTurn);
        } else if self.generated >= self.job.max_tokens {
            self.finish(FinishReason::MaxTokens);
        } else {
            self.next = Some(token);
            return Ok(false);
        }
        Ok(true)
    }

    fn finish(&mut self, mut reason: FinishReason) {
        let mut events = Vec::new();
        if !matches!(reason, FinishReason::StopSequence(_))
            && let Some(sequence) = self.job.output.finish(&mut events)
        {
            reason = FinishReason::StopSequence(sequence);
        }
        if reason == FinishReason::EndTurn && self.job.output.called() {
            reason = FinishReason::ToolUse;
        }
        let first_token = self.first_token.unwrap_or(self.admitted);
        let timings = Timings {
            queued: self.admitted - self.job.arrived,
            prefill: first_token - self.admitted,
            decode: first_token.elapsed(),
        };
        events.push(Event::Finished(Finished { reason, usage: self.usage(), timings }));
        self.send(events);
    }

    fn usage(&self) -> Usage {
        Usage {
            prompt_tokens: self.job.prompt.len(),
            cached_tokens: self.cached,
            checkpoints: self.job.prompt.checkpoints.clone(),
            output_tokens: self.generated,
        }
    }

    /// Tells the caller what the prompt is, once it is known how much of it need not be computed.
    pub(super) fn started(&self) {
        self.send(vec![Event::Started(self.usage())]);
    }

    /// Tells the caller that there will be no answer.
    pub(super) fn fail(&self, error: EngineError) {
        // Where the caller has gone there is nobody to tell.
        let _ = self.job.events.try_send(Err(error));
    }

    fn send(&self, events: Vec<Event>) {
        for event in events {
            // Room was reserved for every event; a closed channel is a caller that has gone, which the thread
            // notices before the next token.
            let _ = self.job.events.try_send(Ok(event));
        }
    }
}
