//! What the rules look at: sums over calls, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Facts;
use crate::entry::Kind;
use crate::prices::tier_of;
use crate::{Entry, Outcome, Prices, Tokens};

/// The most groups, and the most beginnings of prompts, that are looked at; what comes later is left out.
const MOST: usize = 50_000;
/// Longer than that a cache does not keep a prompt that nobody asks for.
const CACHED: i64 = 300;

/// The calls of one principal of one model, in one Region, from one provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Who {
    pub(super) principal: String,
    pub(super) model_id: String,
    pub(super) provider: String,
    pub(super) region: String,
}

/// What they took.
#[derive(Debug, Clone, Default)]
pub(super) struct Took {
    pub(super) calls: u64,
    pub(super) streamed: u64,
    /// Those of the standard tier, which could have been of another.
    pub(super) standard: u64,
    pub(super) standard_tokens: Tokens,
    pub(super) tokens: Tokens,
    pub(super) cost: Decimal,
    pub(super) images: u64,
    pub(super) queries: u64,
    /// Calls that said how much may be written, and the sum of that.
    pub(super) limited: u64,
    pub(super) limits: u64,
    /// Output tokens, by their logarithm: eight steps to a doubling.
    outputs: Vec<u32>,
    pub(super) machine_ms: f64,
}

impl Took {
    /// The number of output tokens that 99 of 100 calls do not exceed, rounded up by less than a tenth.
    pub(super) fn p99(&self) -> u64 {
        let mut left = (self.calls as f64 * 0.99).ceil() as u64;
        for (step, count) in self.outputs.iter().enumerate() {
            left = left.saturating_sub(u64::from(*count));
            if left == 0 {
                return 2_f64.powf(step as f64 / 8.0).ceil() as u64;
            }
        }
        0
    }
}

/// One beginning of prompts that no cache point follows.
#[derive(Debug, Clone)]
pub(super) struct Prefix {
    pub(super) calls: u64,
    /// How often a cache would have had to be written: once, and after every pause that it does not outlast.
    pub(super) writes: u64,
    last: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) calls: u64,
    pub(super) groups: HashMap<Who, Took>,
    pub(super) prefixes: HashMap<Who, HashMap<u64, Prefix>>,
    prefix_count: usize,
    time: Option<(Timestamp, Timestamp)>,
}

impl Seen {
    pub(super) fn add(&mut self, entry: &Entry, prices: &Prices, facts: &HashMap<String, Facts>) {
        if entry.outcome != Outcome::Answered || entry.cached {
            return;
        }
        self.calls += 1;
        let (first, last) = self.time.unwrap_or((entry.at, entry.at));
        self.time = Some((first.min(entry.at), last.max(entry.at)));
        // Reserved throughput is paid for whatever is called, and a guardrail alone is no model.
        if entry.kind == Kind::Guardrail {
            return;
        }
        if entry.profile.as_deref().is_some_and(|arn| arn.contains(":provisioned-model/")) {
            return;
        }
        let who = Who {
            principal: entry.principal.clone(),
            model_id: entry.model_id.clone(),
            provider: entry.provider.clone().unwrap_or_default(),
            region: entry.region.clone(),
        };
        if self.groups.len() >= MOST && !self.groups.contains_key(&who) {
            return;
        }
        self.prefix(entry, &who, facts);
        let took = self.groups.entry(who).or_default();
        took.calls += 1;
        took.streamed += u64::from(entry.streamed);
        add(&mut took.tokens, &entry.tokens);
        if tier_of(entry) == "default" {
            took.standard += 1;
            add(&mut took.standard_tokens, &entry.tokens);
        }
        took.images += entry.images;
        took.queries += entry.queries;
        took.cost = took.cost.saturating_add(entry.cost.or_else(|| prices.cost(entry)).unwrap_or_default());
        took.machine_ms += entry.total_ms;
        if let Some(limit) = entry.max_tokens {
            took.limited += 1;
            took.limits = took.limits.saturating_add(limit);
        }
        let step = ((entry.tokens.output.max(1) as f64).log2() * 8.0).ceil() as usize;
        if took.outputs.len() <= step {
            took.outputs.resize(step + 1, 0);
        }
        took.outputs[step] += 1;
    }

    fn prefix(&mut self, entry: &Entry, who: &Who, facts: &HashMap<String, Facts>) {
        let Some(prefix) = entry.prefix.filter(|_| entry.tokens.cache_read == 0 && entry.tokens.cache_write == 0)
        else {
            return;
        };
        let minimum = facts.get(&entry.model_id).and_then(|facts| facts.cache_minimum);
        if minimum.is_none_or(|minimum| entry.tokens.input < u64::from(minimum)) {
            return;
        }
        let prefixes = self.prefixes.entry(who.clone()).or_default();
        let one = match prefixes.entry(prefix) {
            Slot::Occupied(one) => one.into_mut(),
            Slot::Vacant(_) if self.prefix_count >= MOST => return,
            Slot::Vacant(place) => {
                self.prefix_count += 1;
                place.insert(Prefix { calls: 0, writes: 1, last: entry.at })
            }
        };
        one.calls += 1;
        one.writes += u64::from(entry.at.as_second() - one.last.as_second() > CACHED);
        one.last = entry.at;
    }

    pub(super) fn seconds(&self) -> i64 {
        self.time.map_or(0, |(first, last)| last.as_second() - first.as_second())
    }

    /// What was seen, as if it had gone on for 30 days.
    pub(super) fn month(&self, dollars: Decimal) -> Decimal {
        let seconds = Decimal::from(self.seconds().max(1));
        dollars.saturating_mul(Decimal::from(30 * 86_400)).checked_div(seconds).unwrap_or_default().round_dp(2)
    }
}

fn add(to: &mut Tokens, tokens: &Tokens) {
    to.input = to.input.saturating_add(tokens.input);
    to.output = to.output.saturating_add(tokens.output);
    to.cache_read = to.cache_read.saturating_add(tokens.cache_read);
    to.cache_write = to.cache_write.saturating_add(tokens.cache_write);
    to.cache_write_1h = to.cache_write_1h.saturating_add(tokens.cache_write_1h);
}
