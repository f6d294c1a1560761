//! A call's place in a pool, given back when the call is over.

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use outcrop_api::Events;
use outcrop_api::bedrock_runtime::{ConverseStreamOutput, TokenUsage};
use outcrop_providers::Answer;

use super::estimate::Estimate;
use super::pool::{Limits, Pool};

/// Holds a place, and the tokens that the call may take. Dropped without an answer, everything is given back: nobody
/// computed anything.
#[must_use = "the place is given back when this is dropped"]
pub struct Permit(Option<Held>);

struct Held {
    pool: Arc<Pool>,
    limits: Limits,
    reserved: u64,
    /// What counts when the call is over.
    used: u64,
    /// What the prompt was taken for at the beginning.
    input: u64,
}

impl Permit {
    /// A call that nobody counts.
    pub(super) fn unlimited() -> Self {
        Self(None)
    }

    pub(super) fn new(pool: Arc<Pool>, limits: Limits, reserved: u64, estimate: Estimate) -> Self {
        Self(Some(Held { pool, limits, reserved, used: 0, input: estimate.input }))
    }

    /// Counts what the call really took: what was read and not found in a cache, what was written to one, and the
    /// answer (the user guide's "Token burndown").
    pub fn settle(&mut self, usage: &TokenUsage) {
        let count = |tokens: i32| u64::try_from(tokens).unwrap_or_default();
        if let Some(held) = &mut self.0 {
            held.used = count(usage.input_tokens)
                + count(usage.output_tokens)
                + usage.cache_write_input_tokens.map_or(0, count);
        }
    }

    /// Holds on for as long as `answer` lasts. A stream that is left before its end counts for its prompt and the
    /// pieces that were made.
    pub fn hold(mut self, answer: Answer) -> Answer {
        if self.0.is_none() {
            return answer;
        }
        match answer {
            Answer::Whole(response) => {
                self.settle(&response.usage);
                Answer::Whole(response)
            }
            Answer::Stream { prompt, events } => Answer::Stream { prompt, events: self.hold_events(events) },
        }
    }

    fn hold_events(mut self, events: Events<ConverseStreamOutput>) -> Events<ConverseStreamOutput> {
        if let Some(held) = &mut self.0 {
            held.used = held.input;
        }
        events
            .inspect(move |event| match event {
                Ok(ConverseStreamOutput::Metadata(metadata)) => self.settle(&metadata.usage),
                Ok(ConverseStreamOutput::ContentBlockDelta(_)) => {
                    if let Some(held) = &mut self.0 {
                        held.used += 1;
                    }
                }
                _ => {}
            })
            .boxed()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pool.correct(self.limits, self.reserved, self.used, Instant::now());
        self.pool.leave();
    }
}
