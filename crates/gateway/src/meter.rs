//! What a call took, told once when it is over.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{ServiceTierType, TokenUsage};
use outcrop_api::{Fault, Kind};
use outcrop_models::{Model, Resolved};

use crate::begin::By;
use crate::routing::Target;

/// Whoever wants to know what calls took. Asked on the path of every call: it must not wait for anything.
pub trait Meter: Send + Sync {
    /// A call is over.
    fn record(&self, record: &Record);
}

/// One call, whole or not. Never content.
#[derive(Debug, Clone)]
pub struct Record {
    /// Whose call it was.
    pub account: String,
    /// The caller's ARN.
    pub caller: String,
    /// The model or profile under which the call is counted.
    pub model: String,
    /// The catalogue's id of the model.
    pub model_id: String,
    /// Who answered, or was asked last; none where nobody was.
    pub target: Option<Arc<Target>>,
    /// The tier as resolved.
    pub tier: Option<ServiceTierType>,
    /// Tokens.
    pub usage: TokenUsage,
    /// From the call to the first event of its answer.
    pub first_event: Option<Duration>,
    /// From the call to its end.
    pub total: Duration,
    /// How many attempts it took.
    pub attempts: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// A second target was asked before the first had failed.
    pub hedged: bool,
    /// The answer came from the response cache.
    pub cached: bool,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With a whole answer.
    Answered,
    /// With an error, before or in the middle of its answer.
    Failed(Kind),
    /// The caller went away.
    Gone,
}

/// The meter of a server without another: one line a call, in the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct Logged;

impl Meter for Logged {
    fn record(&self, record: &Record) {
        let served_by = record.target.as_ref().map(|target| &*target.name);
        let ms = record.total.as_millis() as u64;
        if record.outcome != Outcome::Answered {
            tracing::info!(
                gen_ai.request.model = record.model,
                served_by,
                outcome = ?record.outcome,
                attempts = record.attempts,
                ms,
                "not answered"
            );
            return;
        }
        tracing::info!(
            gen_ai.request.model = record.model,
            served_by,
            gen_ai.usage.input_tokens = record.usage.input_tokens,
            gen_ai.usage.output_tokens = record.usage.output_tokens,
            cache_read = record.usage.cache_read_input_tokens,
            attempts = record.attempts,
            cached = record.cached,
            ms,
            "answered"
        );
    }
}

/// Adds up one call and tells the meter when it is dropped, however that comes about: so every call is told once.
pub struct Tally {
    meter: Arc<dyn Meter>,
    record: Record,
    began: Instant,
    model: Arc<Model>,
    /// The call's; a stream is drawn when it has been left.
    span: tracing::Span,
}

impl Tally {
    pub(crate) fn new(meter: &Arc<dyn Meter>, cx: &Context, resolved: &Resolved) -> Self {
        let record = Record {
            account: cx.caller.account.clone(),
            caller: cx.caller.arn.clone(),
            model: String::new(),
            model_id: String::new(),
            target: None,
            tier: None,
            usage: TokenUsage::default(),
            first_event: None,
            total: Duration::ZERO,
            attempts: 0,
            outcome: Outcome::Gone,
            hedged: false,
            cached: false,
        };
        let span = tracing::Span::current();
        let (meter, model) = (Arc::clone(meter), Arc::clone(&resolved.model));
        let mut tally = Self { meter, record, began: Instant::now(), model, span };
        tally.of(resolved);
        tally
    }

    /// It is a call of `resolved`.
    pub fn of(&mut self, resolved: &Resolved) {
        self.record.model.clone_from(&resolved.metric_id);
        self.record.model_id.clone_from(&resolved.model.id);
        self.model = Arc::clone(&resolved.model);
    }

    /// When the call came in.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Who answers.
    pub fn served(&mut self, by: &By) {
        self.record.target.clone_from(&by.target);
        self.record.attempts = by.attempts;
        self.record.hedged = by.hedged;
        self.record.cached = by.target.is_none();
    }

    /// The tier as resolved.
    pub fn tier(&mut self, tier: Option<ServiceTierType>) {
        self.record.tier = tier;
    }

    /// The first event is here.
    pub fn first_event(&mut self) {
        let elapsed = self.began.elapsed();
        self.record.first_event.get_or_insert(elapsed);
    }

    /// The answer is whole.
    pub fn answered(&mut self, usage: &TokenUsage) {
        self.first_event();
        self.record.usage = usage.clone();
        self.record.outcome = Outcome::Answered;
    }

    /// The caller gets `fault`.
    pub fn failed(&mut self, fault: Fault) -> Fault {
        self.record.outcome = Outcome::Failed(fault.kind);
        fault
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.record.total = self.began.elapsed();
        if let Some(target) = &self.record.target {
            target.note(&self.record, self.model.price.as_ref());
        }
        self.span.in_scope(|| self.meter.record(&self.record));
    }
}
