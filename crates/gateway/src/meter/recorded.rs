//! Records, as telemetry keeps them.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use outcrop_api::Kind;
use outcrop_api::bedrock_runtime::{CacheTTL, TokenUsage};
use outcrop_telemetry::{Entry, Outcome as Ended, Recorder, Tokens};

use super::{Logged, Meter, Outcome, Record};

/// The meter of a server: a line in the log, and an entry for usage, cost and metrics.
#[derive(Debug)]
pub struct Recorded(Recorder);

impl Recorded {
    /// Entries go to `recorder`.
    pub fn new(recorder: Recorder) -> Self {
        Self(recorder)
    }
}

impl Meter for Recorded {
    fn record(&self, record: Record) {
        Logged::line(&record);
        self.0.record(entry(record));
    }
}

fn entry(record: Record) -> Entry {
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let (outcome, error) = match record.outcome {
        Outcome::Answered => (Ended::Answered, None),
        Outcome::Gone => (Ended::Gone, None),
        Outcome::Failed(kind) => (ended(kind), Some(kind.name().to_owned())),
    };
    Entry {
        at: Timestamp::now(),
        request_id: record.request_id,
        account: record.account,
        region: record.region,
        operation: record.operation.to_owned(),
        principal: record.caller,
        key: Some(record.key),
        tags: record.tags,
        metadata: record.metadata,
        model: record.model,
        model_id: record.model_id,
        profile: record.profile,
        provider: record.target.map(|target| target.provider_name().to_owned()),
        tier: record.asked_tier.map(|tier| tier.as_str().to_owned()),
        resolved_tier: record.tier.map(|tier| tier.as_str().to_owned()),
        cross_region: record.cross_region,
        tokens: tokens(&record.usage),
        images: record.images,
        queries: record.queries,
        max_tokens: record.max_tokens,
        prefix: record.prefix,
        first_event_ms: record.first_event.map(milliseconds),
        total_ms: milliseconds(record.total),
        attempts: record.attempts,
        cached: record.cached,
        streamed: record.streamed,
        outcome,
        error,
        cost: record.cost,
    }
}

/// AWS counts as the caller's what the caller can mend; a model that fails or is late is not that, whatever its status.
fn ended(kind: Kind) -> Ended {
    match kind {
        Kind::Throttling | Kind::ServiceQuotaExceeded => Ended::Throttled,
        Kind::ModelError | Kind::ModelStreamError | Kind::ModelTimeout | Kind::ModelNotReady => Ended::ServerError,
        kind if kind.default_status() < 500 => Ended::ClientError,
        _ => Ended::ServerError,
    }
}

/// The counts of `usage`.
pub(crate) fn tokens(usage: &TokenUsage) -> Tokens {
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
