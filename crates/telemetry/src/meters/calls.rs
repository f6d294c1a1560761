//! What calls of models took, as histograms and counters, from the entries of the hub.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Family, Histogram, Kind, Point, Source, Unit, Value};
use crate::hub::Consumer;
use crate::{Entry, Outcome};

/// Distinct sets of labels that are kept. At a kilobyte each they take 10 MB; what comes later is counted as `other`.
const SERIES: usize = 10_000;
/// What stands where there would be too many values.
const OTHER: &str = "other";

/// The bounds that the semantic conventions give for tokens, durations, first tokens and tokens' times.
const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const DURATIONS: &[f64] = &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const FIRST: &[f64] = &[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const EACH: &[f64] = &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];

/// A label that is not there unless somebody asks for it: it may have very many values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// Whose call it was.
    Account,
    /// The Region that was called.
    Region,
    /// A tag of the profile or the caller.
    Tag(String),
    /// A key of the call's own metadata.
    Metadata(String),
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "account" => Ok(Self::Account),
            None if text == "region" => Ok(Self::Region),
            Some(("tag", key)) if !key.is_empty() => Ok(Self::Tag(key.to_owned())),
            Some(("metadata", key)) if !key.is_empty() => Ok(Self::Metadata(key.to_owned())),
            _ => Err(format!("`{text}` is no label; account, region, tag:KEY and metadata:KEY are")),
        }
    }
}

impl Label {
    fn name(&self) -> String {
        match self {
            Self::Account => "outcrop.account".into(),
            Self::Region => "outcrop.region".into(),
            Self::Tag(key) => format!("outcrop.tag.{key}"),
            Self::Metadata(key) => format!("outcrop.metadata.{key}"),
        }
    }

    fn of<'e>(&self, entry: &'e Entry) -> &'e str {
        match self {
            Self::Account => &entry.account,
            Self::Region => &entry.region,
            Self::Tag(key) => entry.tags.get(key).map_or("", String::as_str),
            Self::Metadata(key) => entry.metadata.get(key).map_or("", String::as_str),
        }
    }
}

/// The labels that were asked for.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Which.
    pub labels: Vec<Label>,
    /// How many values each of them may have before further ones are `other`.
    pub values: usize,
}

/// Counts calls; cheap to clone, and one of the clones is the [`Consumer`].
#[derive(Debug, Clone)]
pub struct Calls(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    labels: Labels,
    /// The values of each label that was asked for.
    seen: Vec<HashSet<String>>,
    series: HashMap<Series, Sums>,
    /// Calls that were counted as `other`.
    overflowed: u64,
}

/// What tells calls apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Series {
    operation: &'static str,
    model: String,
    provider: String,
    outcome: Outcome,
    error: Option<String>,
    own: Vec<String>,
}

/// What the calls of one series took.
#[derive(Debug)]
struct Sums {
    calls: u64,
    input: Histogram,
    output: Histogram,
    duration: Histogram,
    first: Histogram,
    each: Histogram,
    tokens: [u64; 4],
    images: u64,
    text_units: u64,
    cost: Decimal,
    unpriced: u64,
    cached: u64,
    attempts: u64,
    fallbacks: u64,
}

impl Calls {
    /// Nothing counted yet.
    pub fn new(labels: Labels) -> Self {
        let seen = vec![HashSet::new(); labels.labels.len()];
        Self(Arc::new(Mutex::new(State { labels, seen, series: HashMap::new(), overflowed: 0 })))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Consumer for Calls {
    fn take(&mut self, entries: &[Entry]) {
        let mut state = self.state();
        for entry in entries {
            state.count(entry);
        }
    }
}

impl State {
    fn count(&mut self, entry: &Entry) {
        let mut own = Vec::with_capacity(self.labels.labels.len());
        for (label, seen) in self.labels.labels.iter().zip(&mut self.seen) {
            let value = label.of(entry);
            if value.is_empty() || seen.contains(value) {
                own.push(value.to_owned());
            } else if seen.len() < self.labels.values {
                seen.insert(value.to_owned());
                own.push(value.to_owned());
            } else {
                own.push(OTHER.to_owned());
            }
        }
        let series = Series {
            operation: entry.kind.operation_name(),
            model: entry.model.clone(),
            provider: entry.provider.clone().unwrap_or_default(),
            outcome: entry.outcome,
            error: entry.error.clone(),
            own,
        };
        let series = if self.series.len() < SERIES || self.series.contains_key(&series) {
            series
        } else {
            self.overflowed += 1;
            let own = vec![OTHER.to_owned(); self.labels.labels.len()];
            Series { model: OTHER.into(), provider: OTHER.into(), own, ..series }
        };
        self.series.entry(series).or_insert_with(Sums::new).count(entry);
    }
}

impl Sums {
    fn new() -> Self {
        Self {
            calls: 0,
            input: Histogram::new(TOKENS),
            output: Histogram::new(TOKENS),
            duration: Histogram::new(DURATIONS),
            first: Histogram::new(FIRST),
            each: Histogram::new(EACH),
            tokens: [0; 4],
            images: 0,
            text_units: 0,
            cost: Decimal::ZERO,
            unpriced: 0,
            cached: 0,
            attempts: 0,
            fallbacks: 0,
        }
    }

    fn count(&mut self, entry: &Entry) {
        let tokens = &entry.tokens;
        let total = entry.total_ms / 1e3;
        self.calls += 1;
        self.duration.record(total);
        // The conventions count what is billed, prompts from a cache among it.
        let read = tokens.input + tokens.cache_read + tokens.cache_write;
        if read > 0 {
            self.input.record(read as f64);
        }
        if tokens.output > 0 {
            self.output.record(tokens.output as f64);
        }
        if entry.outcome == Outcome::Answered
            && entry.streamed
            && !entry.cached
            && let Some(first) = entry.first_event_ms.map(|ms| ms / 1e3)
        {
            self.first.record(first);
            if tokens.output > 1 {
                self.each.record((total - first).max(0.0) / (tokens.output - 1) as f64);
            }
        }
        let counted = [tokens.input, tokens.output, tokens.cache_read, tokens.cache_write];
        for (sum, count) in self.tokens.iter_mut().zip(counted) {
            *sum = sum.saturating_add(count);
        }
        self.images += entry.images;
        self.text_units += entry.text_units.counted();
        match entry.dollars() {
            Some(cost) => self.cost = self.cost.saturating_add(cost),
            None if entry.outcome == Outcome::Answered => self.unpriced += 1,
            None => {}
        }
        self.cached += u64::from(entry.cached);
        self.attempts += u64::from(entry.attempts);
        self.fallbacks += u64::from(entry.attempts > 1);
    }
}

impl Source for Calls {
    fn families(&self) -> Vec<Family> {
        let state = self.state();
        let names: Vec<String> = state.labels.labels.iter().map(Label::name).collect();
        let mut families = Families::new();
        for (series, sums) in &state.series {
            families.add(&series.labels(&names), series, sums);
        }
        let mut all: Vec<Family> = families.0.into_iter().map(|(family, _)| family).collect();
        let help = "Calls that were counted as `other`: there are too many models or values of labels.";
        all.push(Family::counter("outcrop.metrics.overflowed", CALL, help).of(state.overflowed as f64));
        all
    }
}

impl Series {
    /// The labels that all families have.
    fn labels(&self, names: &[String]) -> Own {
        let mut labels: Own = vec![
            ("gen_ai.operation.name".into(), self.operation.to_owned()),
            ("gen_ai.provider.name".into(), self.provider.clone()),
            ("gen_ai.request.model".into(), self.model.clone()),
        ];
        let own = names.iter().zip(&self.own).map(|(name, value)| (Cow::Owned(name.clone()), value.clone()));
        labels.extend(own);
        labels
    }
}

const CALL: Unit = Unit::Of("{call}");
const TOKEN: Unit = Unit::Of("{token}");

/// The families under way, each with the places of its series: those that differ in a label that the family does not
/// have are one.
struct Families(Vec<(Family, HashMap<Own, usize>)>);

type Own = Vec<(Cow<'static, str>, String)>;

impl Families {
    fn new() -> Self {
        let histogram = |name, unit, help| Family::new(name, Kind::Histogram, unit, help);
        let seconds = Unit::Seconds;
        let families = [
            histogram("gen_ai.client.token.usage", TOKEN, "Tokens of a call, read and written."),
            histogram("gen_ai.client.operation.duration", seconds, "From a call to the end of its answer."),
            histogram("gen_ai.server.request.duration", seconds, "From a call to the end of its answer."),
            histogram("gen_ai.server.time_to_first_token", seconds, "From a call to the first event of its stream."),
            histogram("gen_ai.server.time_per_output_token", seconds, "Between two tokens of a stream."),
            Family::counter("outcrop.calls", CALL, "Calls of models that are over."),
            Family::counter("outcrop.tokens", TOKEN, "Tokens of calls, by what they were."),
            Family::counter("outcrop.images", Unit::Of("{image}"), "Images that were made."),
            Family::counter("outcrop.text_units", Unit::Of("{unit}"), "Text units of guardrails."),
            Family::counter("outcrop.cost", Unit::Dollars, "What calls cost by the price table."),
            Family::counter("outcrop.unpriced", CALL, "Answered calls of models that have no price."),
            Family::counter("outcrop.throttles", CALL, "Calls that were refused because there were too many."),
            Family::counter("outcrop.cache_hits", CALL, "Calls that the response cache answered."),
            Family::counter("outcrop.attempts", Unit::Of("{attempt}"), "Attempts at providers."),
            Family::counter("outcrop.fallbacks", CALL, "Calls that took more than one attempt."),
        ];
        Self(families.into_iter().map(|family| (family, HashMap::new())).collect())
    }

    fn add(&mut self, labels: &[(Cow<'static, str>, String)], series: &Series, sums: &Sums) {
        let with = |extra: Option<(&'static str, &str)>| {
            let extra = extra.map(|(name, value)| (Cow::Borrowed(name), value.to_owned()));
            labels.iter().cloned().chain(extra).collect::<Own>()
        };
        let error = || {
            let gone = (series.outcome == Outcome::Gone).then_some("cancelled");
            with(series.error.as_deref().or(gone).map(|error| ("error.type", error)))
        };
        let outcome = || with(Some(("outcome", outcome(series.outcome))));
        let token = |kind| with(Some(("gen_ai.token.type", kind)));
        self.histogram("gen_ai.client.token.usage", || token("input"), &sums.input);
        self.histogram("gen_ai.client.token.usage", || token("output"), &sums.output);
        self.histogram("gen_ai.client.operation.duration", error, &sums.duration);
        self.histogram("gen_ai.server.request.duration", error, &sums.duration);
        self.histogram("gen_ai.server.time_to_first_token", || with(None), &sums.first);
        self.histogram("gen_ai.server.time_per_output_token", || with(None), &sums.each);
        self.number("outcrop.calls", outcome, sums.calls as f64);
        for (kind, count) in ["input", "output", "cache_read", "cache_write"].into_iter().zip(sums.tokens) {
            self.number("outcrop.tokens", || token(kind), count as f64);
        }
        self.number("outcrop.images", || with(None), sums.images as f64);
        self.number("outcrop.text_units", || with(None), sums.text_units as f64);
        self.number("outcrop.cost", || with(None), sums.cost.to_f64().unwrap_or(f64::NAN));
        self.number("outcrop.unpriced", || with(None), sums.unpriced as f64);
        let throttles = if series.outcome == Outcome::Throttled { sums.calls } else { 0 };
        self.number("outcrop.throttles", || with(None), throttles as f64);
        self.number("outcrop.cache_hits", || with(None), sums.cached as f64);
        self.number("outcrop.attempts", || with(None), sums.attempts as f64);
        self.number("outcrop.fallbacks", || with(None), sums.fallbacks as f64);
    }

    /// The series of `labels`, which begins as `empty`.
    fn series(&mut self, name: &str, labels: Own, empty: Value) -> Option<&mut Value> {
        let (family, places) = self.0.iter_mut().find(|(family, _)| family.name == name)?;
        let at = *places.entry(labels).or_insert_with_key(|labels| {
            family.points.push(Point { labels: labels.clone(), value: empty });
            family.points.len() - 1
        });
        family.points.get_mut(at).map(|point| &mut point.value)
    }

    fn number(&mut self, name: &str, labels: impl Fn() -> Own, value: f64) {
        if let Some(Value::Number(sum)) = self.series(name, labels(), Value::Number(0.0)) {
            *sum += value;
        }
    }

    fn histogram(&mut self, name: &str, labels: impl Fn() -> Own, histogram: &Histogram) {
        let empty = Value::Histogram(Histogram::new(histogram.bounds));
        if histogram.count() > 0
            && let Some(Value::Histogram(known)) = self.series(name, labels(), empty)
        {
            known.counts.iter_mut().zip(&histogram.counts).for_each(|(sum, count)| *sum += count);
            known.sum += histogram.sum;
        }
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::ClientError => "client_error",
        Outcome::ServerError => "server_error",
        Outcome::Throttled => "throttled",
        Outcome::Gone => "gone",
    }
}
