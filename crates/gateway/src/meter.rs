//! What a call took, told once when it is over.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_admission::{Permit, Spent};
use outcrop_api::bedrock_runtime::{CacheTTL, ServiceTierType, StopReason, TokenUsage};
use outcrop_api::{Fault, Kind};
use outcrop_guardrails::Judgement;
use outcrop_models::Resolved;
use outcrop_telemetry::{Entry, Outcome, Prices, Recorder, TextUnits, Tokens, trace};

use crate::admit::{self, Wanted, crosses};
use crate::begin::By;
use crate::capacity::Permit as Place;
use crate::routing::{Attempts, Plan, Target};
use crate::traced;

/// Whoever wants to know what calls took.
#[async_trait]
pub trait Meter: Send + Sync {
    /// A call is over. Asked on the path of every call: it must not wait for anything.
    fn record(&self, entry: Entry);
    /// Waits until what was recorded before can be read.
    async fn settle(&self) {}
}

/// The meter of a server without another: one line a call, in the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct Logged;

impl Logged {
    fn line(entry: &Entry) {
        if entry.outcome != Outcome::Answered {
            tracing::info!(
                gen_ai.request.model = entry.model,
                served_by = entry.provider,
                outcome = ?entry.outcome,
                error = entry.error,
                attempts = entry.attempts,
                ms = entry.total_ms,
                "not answered"
            );
            return;
        }
        tracing::info!(
            gen_ai.request.model = entry.model,
            served_by = entry.provider,
            gen_ai.usage.input_tokens = entry.tokens.input,
            gen_ai.usage.output_tokens = entry.tokens.output,
            cache_read = entry.tokens.cache_read,
            attempts = entry.attempts,
            cached = entry.cached,
            ms = entry.total_ms,
            "answered"
        );
    }
}

impl Meter for Logged {
    fn record(&self, entry: Entry) {
        Self::line(&entry);
    }
}

/// The same line, and the entry for usage, cost and metrics.
#[derive(Debug)]
pub struct Recorded(pub Recorder);

#[async_trait]
impl Meter for Recorded {
    fn record(&self, entry: Entry) {
        Logged::line(&entry);
        self.0.record(entry);
    }

    async fn settle(&self) {
        self.0.settle().await;
    }
}

/// What guardrails did on a call, wherever and whenever its parts are judged. It is told to the call's tally, so whoever
/// judges does that before the tally is dropped.
#[derive(Clone, Default)]
pub(crate) struct Judged(Arc<Mutex<(TextUnits, Option<Kind>)>>);

impl Judged {
    /// A part was judged.
    pub fn add(&self, judgement: &Judgement) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.add(&judgement.text_units());
    }

    /// The answer could not be judged, and the caller gets `fault` instead.
    pub fn failed(&self, fault: Fault) -> Fault {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(fault.kind);
        fault
    }
}

/// Adds up one call, and holds what was reserved for it. When it is dropped, however that comes about, what the call
/// took is settled and told: so every call is told once.
pub struct Tally {
    meter: Arc<dyn Meter>,
    prices: Arc<Prices>,
    entry: Entry,
    target: Option<Arc<Target>>,
    began: Instant,
    first_event: Option<Duration>,
    held: Option<Held>,
    /// Pieces of the answer that came so far.
    pieces: u64,
    /// The call's; a stream is drawn when it has been left.
    span: tracing::Span,
    /// The same for OTLP, where that is on. It lasts as long as this.
    trace: Option<trace::Span>,
    /// A model was asked, and nobody gets what it says.
    thrown_away: bool,
    judged: Judged,
}

/// What was reserved for a call.
struct Held {
    place: Place,
    permit: Permit,
    /// Who was asked, where nobody answers.
    attempts: Arc<Attempts>,
    /// Tokens of the prompt, as estimated.
    input: u64,
}

impl Tally {
    pub(crate) fn new(meter: &Arc<dyn Meter>, prices: &Arc<Prices>, cx: &Context, resolved: &Resolved) -> Self {
        let mut tags = cx.permissions.tags.clone();
        tags.extend(resolved.tags.iter().map(|(key, value)| (key.clone(), value.clone())));
        // A system-defined profile is a model's other name.
        let own = resolved.profile_arn.as_ref().filter(|_| resolved.metric_id != resolved.called_id);
        let reserved = resolved.provisioned.as_ref().map(|throughput| &throughput.arn);
        let entry = Entry {
            request_id: cx.request_id.clone(),
            account: cx.caller.account.clone(),
            region: cx.region.clone(),
            operation: cx.operation.to_owned(),
            principal: cx.caller.arn.clone(),
            key: Some(cx.caller.key().to_owned()),
            tags,
            profile: own.or(reserved).cloned(),
            ..Entry::default()
        };
        let mut tally = Self {
            meter: Arc::clone(meter),
            prices: Arc::clone(prices),
            entry,
            target: None,
            began: Instant::now(),
            first_event: None,
            held: None,
            pieces: 0,
            span: tracing::Span::current(),
            trace: trace::current(),
            thrown_away: false,
            judged: Judged::default(),
        };
        tally.of(resolved);
        tally
    }

    /// It is a call of `resolved`.
    pub fn of(&mut self, resolved: &Resolved) {
        self.entry.model.clone_from(&resolved.metric_id);
        self.entry.model_id.clone_from(&resolved.model.id);
        self.entry.cross_region = crosses(resolved);
        self.entry.kind = traced::kind(&resolved.model);
        self.trace.iter().for_each(|span| traced::begins(span, &self.entry));
    }

    /// Its tags.
    pub(crate) fn tags(&self) -> &BTreeMap<String, String> {
        &self.entry.tags
    }

    /// Where its guardrails say what they did.
    pub(crate) fn judged(&self) -> Judged {
        self.judged.clone()
    }

    /// It was let in.
    pub(crate) fn admitted(&mut self, wanted: &Wanted<'_>, plan: &Plan, place: Place, permit: Permit) {
        self.held = Some(Held { place, permit, attempts: Arc::clone(&plan.attempts), input: wanted.estimate.input });
        self.entry.images = wanted.images;
        self.entry.queries = wanted.queries;
        self.entry.max_tokens = wanted.max_tokens;
        self.entry.prefix = wanted.conversation.and_then(admit::prefix);
    }

    /// What the call says of itself, whether it is let in or not.
    pub(crate) fn asks(&mut self, metadata: Option<&BTreeMap<String, String>>, tier: Option<&ServiceTierType>) {
        self.entry.metadata = metadata.cloned().unwrap_or_default();
        self.entry.tier = tier.map(|tier| tier.as_str().to_owned());
    }

    /// Its answer is to be streamed.
    pub fn streams(&mut self) {
        self.entry.streamed = true;
    }

    /// When the call came in.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Who answers.
    pub fn served(&mut self, by: &By) {
        self.target.clone_from(&by.target);
        self.entry.attempts = by.attempts;
        self.entry.cached = by.kept;
    }

    /// The tier as resolved.
    pub fn tier(&mut self, tier: Option<ServiceTierType>) {
        self.entry.resolved_tier = tier.map(|tier| tier.as_str().to_owned());
    }

    /// The first event is here.
    pub fn first_event(&mut self) {
        self.first_event.get_or_insert_with(|| self.began.elapsed());
    }

    /// A piece of the answer is here. An error where the call may not go on.
    pub fn piece(&mut self) -> Result<(), Fault> {
        self.pieces += 1;
        self.held.as_mut().map_or(Ok(()), |held| held.permit.note(self.pieces))
    }

    /// What it took so far, where nobody will tell: the prompt, as far as it is known, and the pieces that came.
    pub fn so_far(&self, prompt: &TokenUsage) -> TokenUsage {
        let count = |tokens: u64| i32::try_from(tokens).unwrap_or(i32::MAX);
        let estimated = self.held.as_ref().map_or(0, |held| count(held.input));
        let input_tokens = if prompt.input_tokens > 0 { prompt.input_tokens } else { estimated };
        let output_tokens = count(self.pieces);
        let total_tokens = input_tokens.saturating_add(output_tokens);
        TokenUsage { input_tokens, output_tokens, total_tokens, ..prompt.clone() }
    }

    /// The answer is whole.
    pub fn answered(&mut self, usage: &TokenUsage) {
        self.first_event();
        self.entry.tokens = tokens(usage);
        self.entry.outcome = Outcome::Answered;
    }

    /// The model says why it stops.
    pub fn stopped(&self, why: &StopReason) {
        if let Some(span) = &self.trace {
            span.set("gen_ai.response.finish_reasons", vec![why.as_str().to_owned()]);
        }
    }

    /// A guardrail blocks what the model was asked already.
    pub fn thrown_away(&mut self) {
        self.thrown_away = true;
    }

    /// The caller gets `fault`.
    pub fn failed(&mut self, fault: Fault) -> Fault {
        self.entry.outcome = ended(fault.kind);
        self.entry.error = Some(fault.kind.name().to_owned());
        fault
    }

    /// Settles what was reserved. Whoever was asked and began to answer is paid, however the answer ended; and whoever
    /// was asked by a caller that did not wait for the answer.
    fn settle(&mut self) {
        let (units, failed) = *self.judged.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What a guardrail makes of a model's answer does not change what the answer took.
        let unanswered = self.thrown_away || self.entry.outcome != Outcome::Answered;
        if let Some(kind) = failed {
            self.entry.outcome = ended(kind);
            self.entry.error = Some(kind.name().to_owned());
        }
        let entry = &mut self.entry;
        entry.text_units = units;
        entry.guardrails_cost = self.prices.text_units(&units, &entry.region, entry.at);
        let held = self.held.take();
        let answered = self.target.is_some();
        if let Some(held) = held.as_ref().filter(|_| !answered) {
            (entry.attempts, self.target) = held.attempts.last();
        }
        let unheard = entry.outcome == Outcome::Gone || self.thrown_away;
        let paid = answered || (self.target.is_some() && unheard);
        entry.provider = self.target.as_ref().map(|target| target.provider_name().to_owned());
        let Some(held) = held else {
            entry.cost = self.prices.cost(entry);
            return;
        };
        let Held { place, permit, input, .. } = held;
        if !paid {
            // Nothing was made, of whatever was wanted.
            (entry.images, entry.queries) = (0, 0);
            entry.cost = self.prices.cost(entry);
            return permit.unused();
        }
        if unanswered {
            // Nobody told what it took: the prompt as estimated, and the pieces that came.
            entry.tokens = Tokens { input, output: self.pieces, ..Tokens::default() };
        }
        entry.cost = self.prices.cost(entry);
        let Tokens { input, output, cache_read, cache_write, .. } = entry.tokens;
        place.settle(&entry.tokens);
        permit.settle(&Spent { input, output, cache_read, cache_write, cost: entry.dollars() });
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        let total = self.began.elapsed();
        self.entry.at = Timestamp::now();
        self.entry.total_ms = milliseconds(total);
        self.entry.first_event_ms = self.first_event.map(milliseconds);
        self.settle();
        if let Some(target) = &self.target {
            target.note(&self.entry, self.first_event, total);
        }
        self.trace.iter().for_each(|span| traced::over(span, &self.entry, self.target.as_deref()));
        self.span.in_scope(|| self.meter.record(std::mem::take(&mut self.entry)));
    }
}

/// AWS counts as the caller's what the caller can mend; a model that fails or is late is not that, whatever its status.
fn ended(kind: Kind) -> Outcome {
    match kind {
        Kind::Throttling | Kind::ServiceQuotaExceeded => Outcome::Throttled,
        Kind::ModelError | Kind::ModelStreamError | Kind::ModelTimeout | Kind::ModelNotReady => Outcome::ServerError,
        kind if kind.default_status() < 500 => Outcome::ClientError,
        _ => Outcome::ServerError,
    }
}

/// The counts of `usage`.
fn tokens(usage: &TokenUsage) -> Tokens {
    let count = |tokens: i32| u64::try_from(tokens).unwrap_or_default();
    let hour = usage.cache_details.iter().flatten().filter(|detail| detail.ttl == CacheTTL::V1h);
    Tokens {
        input: count(usage.input_tokens),
        output: count(usage.output_tokens),
        cache_read: usage.cache_read_input_tokens.map_or(0, count),
        cache_write: usage.cache_write_input_tokens.map_or(0, count),
        cache_write_1h: hour.map(|detail| count(detail.input_tokens)).sum(),
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
