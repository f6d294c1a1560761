//! What a call took, told once when it is over.

mod recorded;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outcrop_access::Context;
use outcrop_admission::{Permit, Spent};
use outcrop_api::bedrock_runtime::{ServiceTierType, StopReason, TokenUsage};
use outcrop_api::{Fault, Kind};
use outcrop_models::{Model, Resolved};
use outcrop_telemetry::{entry, trace};
use rust_decimal::Decimal;

use crate::admit::{self, Wanted, crosses};
use crate::begin::By;
use crate::capacity::Permit as Place;
use crate::routing::Target;
use crate::traced;

pub use recorded::Recorded;

/// Whoever wants to know what calls took. Asked on the path of every call: it must not wait for anything.
pub trait Meter: Send + Sync {
    /// A call is over.
    fn record(&self, record: Record);
}

/// One call, whole or not. Never content.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// As the answer's `x-amzn-RequestId` says it.
    pub request_id: String,
    /// Whose call it was.
    pub account: String,
    /// The Region that was called.
    pub region: String,
    /// The operation, or the door by which it came.
    pub operation: &'static str,
    /// What the model was to do.
    pub kind: entry::Kind,
    /// The caller's ARN.
    pub caller: String,
    /// The access key or API key.
    pub key: String,
    /// Tags: those of the application inference profile that was called, over those of the caller.
    pub tags: BTreeMap<String, String>,
    /// The call's own metadata.
    pub metadata: BTreeMap<String, String>,
    /// The model or profile under which the call is counted.
    pub model: String,
    /// The catalogue's id of the model.
    pub model_id: String,
    /// The ARN of the application inference profile or provisioned model that was called.
    pub profile: Option<String>,
    /// The call could run in more than one Region.
    pub cross_region: bool,
    /// Who answered, or was asked last; none where nobody was.
    pub target: Option<Arc<Target>>,
    /// The tier as asked.
    pub asked_tier: Option<ServiceTierType>,
    /// The tier as resolved.
    pub tier: Option<ServiceTierType>,
    /// Tokens. Of an answer that did not come to its end: those of the prompt, as estimated, and the pieces that came.
    pub usage: TokenUsage,
    /// Images that were made.
    pub images: u64,
    /// Queries of a reranker.
    pub queries: u64,
    /// The most tokens that the caller asked for.
    pub max_tokens: Option<u64>,
    /// A hash of the beginning of a long prompt.
    pub prefix: Option<u64>,
    /// The answer was to be streamed.
    pub streamed: bool,
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
    /// US dollars; none where the model has no price.
    pub cost: Option<Decimal>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// With a whole answer.
    Answered,
    /// With an error, before or in the middle of its answer.
    Failed(Kind),
    /// The caller went away.
    #[default]
    Gone,
}

/// The meter of a server without another: one line a call, in the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct Logged;

impl Logged {
    fn line(record: &Record) {
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

impl Meter for Logged {
    fn record(&self, record: Record) {
        Self::line(&record);
    }
}

/// Adds up one call, and holds what was reserved for it. When it is dropped, however that comes about, what the call
/// took is settled and told: so every call is told once.
pub struct Tally {
    meter: Arc<dyn Meter>,
    record: Record,
    began: Instant,
    model: Arc<Model>,
    held: Option<Held>,
    /// Pieces of the answer that came so far.
    pieces: u64,
    /// The call's; a stream is drawn when it has been left.
    span: tracing::Span,
    /// The same for OTLP, where that is on. It lasts as long as this.
    trace: Option<trace::Span>,
}

/// What was reserved for a call.
struct Held {
    place: Place,
    permit: Permit,
    /// Tokens of the prompt, as estimated.
    input: u64,
}

impl Tally {
    pub(crate) fn new(meter: &Arc<dyn Meter>, cx: &Context, resolved: &Resolved) -> Self {
        let record = Record {
            request_id: cx.request_id.clone(),
            account: cx.caller.account.clone(),
            region: cx.region.clone(),
            operation: cx.operation,
            caller: cx.caller.arn.clone(),
            key: cx.caller.key().to_owned(),
            tags: cx.permissions.tags.clone(),
            ..Record::default()
        };
        let span = tracing::Span::current();
        let (meter, model) = (Arc::clone(meter), Arc::clone(&resolved.model));
        let mut tally =
            Self { meter, record, began: Instant::now(), model, held: None, pieces: 0, span, trace: trace::current() };
        let own = resolved.tags.iter().map(|(key, value)| (key.clone(), value.clone()));
        tally.record.tags.extend(own);
        let reserved = resolved.provisioned.as_ref().map(|throughput| &throughput.arn);
        // A system-defined profile is a model's other name.
        let own = resolved.profile_arn.as_ref().filter(|_| resolved.metric_id != resolved.called_id);
        tally.record.profile = own.or(reserved).cloned();
        tally.of(resolved);
        tally
    }

    /// It is a call of `resolved`.
    pub fn of(&mut self, resolved: &Resolved) {
        self.record.model.clone_from(&resolved.metric_id);
        self.record.model_id.clone_from(&resolved.model.id);
        self.record.cross_region = crosses(resolved);
        self.record.kind = traced::kind(&resolved.model);
        self.trace.iter().for_each(|span| traced::begins(span, &self.record));
        self.model = Arc::clone(&resolved.model);
    }

    /// Its tags.
    pub(crate) fn tags(&self) -> &BTreeMap<String, String> {
        &self.record.tags
    }

    /// It was let in.
    pub(crate) fn admitted(&mut self, wanted: &Wanted<'_>, place: Place, permit: Permit) {
        self.held = Some(Held { place, permit, input: wanted.estimate.input });
        self.record.images = wanted.images;
        self.record.queries = wanted.queries;
        self.record.max_tokens = wanted.max_tokens;
        self.record.prefix = wanted.conversation.and_then(admit::prefix);
    }

    /// What the call says of itself, whether it is let in or not.
    pub(crate) fn asks(&mut self, metadata: Option<&BTreeMap<String, String>>, tier: Option<&ServiceTierType>) {
        self.record.metadata = metadata.cloned().unwrap_or_default();
        self.record.asked_tier = tier.cloned();
    }

    /// Its answer is to be streamed.
    pub fn streams(&mut self) {
        self.record.streamed = true;
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

    /// A piece of the answer is here. An error where the call may not go on.
    pub fn piece(&mut self) -> Result<(), Fault> {
        self.pieces += 1;
        self.held.as_mut().map_or(Ok(()), |held| held.permit.note(self.pieces))
    }

    /// The answer is whole.
    pub fn answered(&mut self, usage: &TokenUsage) {
        self.first_event();
        self.record.usage = usage.clone();
        self.record.outcome = Outcome::Answered;
    }

    /// The model says why it stops.
    pub fn stopped(&self, why: &StopReason) {
        if let Some(span) = &self.trace {
            span.set("gen_ai.response.finish_reasons", vec![why.as_str().to_owned()]);
        }
    }

    /// The caller gets `fault`.
    pub fn failed(&mut self, fault: Fault) -> Fault {
        self.record.outcome = Outcome::Failed(fault.kind);
        fault
    }

    /// Settles what was reserved. Whoever was asked and began to answer is paid, however the answer ended.
    fn settle(&mut self) {
        let Some(held) = self.held.take() else { return };
        if self.record.target.is_none() {
            return;
        }
        let usage = &mut self.record.usage;
        if self.record.outcome != Outcome::Answered {
            let tokens = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
            usage.input_tokens = tokens(held.input);
            usage.output_tokens = tokens(self.pieces);
            usage.total_tokens = usage.input_tokens.saturating_add(usage.output_tokens);
        }
        held.place.settle(usage);
        let count = |tokens: i32| u64::try_from(tokens).unwrap_or_default();
        held.permit.settle(&Spent {
            input: count(usage.input_tokens),
            output: count(usage.output_tokens),
            cache_read: usage.cache_read_input_tokens.map_or(0, count),
            cache_write: usage.cache_write_input_tokens.map_or(0, count),
            cost: None,
        });
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.record.total = self.began.elapsed();
        self.settle();
        if let Some(target) = &self.record.target {
            target.note(&self.record, self.model.price.as_ref());
        }
        self.trace.iter().for_each(|span| traced::over(span, &self.record));
        self.span.in_scope(|| self.meter.record(std::mem::take(&mut self.record)));
    }
}
