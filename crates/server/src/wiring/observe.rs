//! Joins those who count with those who show it.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use outcrop_engine::{Engine, LoadState};
use outcrop_outbound::{Outbound, OutboundError};
use outcrop_telemetry::Recorder;
use outcrop_telemetry::meters::{Calls, Family, Meters, Process, Unit};
use outcrop_telemetry::otlp::Otlp;
use outcrop_telemetry::trace::Tracer;

use super::{StartError, told};
use crate::config::Config;
use crate::observe::Observe;
use crate::reload::Live;

/// How long the last traces and metrics may take on their way.
const LAST: Duration = Duration::from_secs(5);

/// What is counted, and where it is sent. Opened at the start, whatever the configuration becomes.
pub(crate) struct Observers {
    pub(crate) meters: Arc<Meters>,
    calls: Calls,
    tracer: Option<Arc<Tracer>>,
    otlp: Mutex<Option<Otlp>>,
}

impl Observers {
    pub(crate) fn open(config: &Config) -> Result<Self, StartError> {
        let meters = Arc::new(Meters::default());
        let calls = Calls::new(config.metrics.of_calls().map_err(told)?);
        meters.add(calls.clone());
        meters.add(Process::default());
        let mut otlp = None;
        if let Some(settings) = config.otlp.settings().map_err(told)? {
            let outbound = config.outbound.open().map_err(told)?;
            let opened = Otlp::open(settings, &outbound, &meters);
            otlp = Some(opened.map_err(|error| StartError(format!("otlp.endpoint: {error}")))?);
        }
        let tracer = otlp.as_ref().and_then(Otlp::tracer);
        Ok(Self { meters, calls, tracer, otlp: Mutex::new(otlp) })
    }

    /// Who counts calls; a consumer of the hub's.
    pub(crate) fn calls(&self) -> Calls {
        self.calls.clone()
    }

    /// What the pipeline of `config` shows.
    pub(crate) fn observe(&self, config: &Config) -> Observe {
        Observe::new(Arc::clone(&self.meters), &config.metrics, self.tracer.clone())
    }

    /// Sends by another way from now on.
    pub(crate) fn follow(&self, outbound: &Outbound) {
        if let Some(otlp) = &*self.otlp.lock().unwrap_or_else(PoisonError::into_inner) {
            otlp.follow(outbound);
        }
    }

    /// Entries that were lost are counted, too.
    pub(crate) fn recorder(&self, recorder: Recorder) {
        self.meters.add(move || {
            let help = "Usage records that were lost: calls ended faster than they could be written down.";
            let dropped = Family::counter("outcrop.usage.dropped_records", Unit::Of("{record}"), help);
            vec![dropped.of(recorder.dropped() as f64)]
        });
    }

    /// The server's own numbers.
    pub(crate) fn server(&self, live: Weak<Live>, engine: Engine) {
        self.meters.add(move || live.upgrade().map(|live| of_server(&live)).unwrap_or_default());
        self.meters.add(move || of_engine(&engine));
    }

    /// Sends what there is.
    pub(crate) async fn finish(&self) {
        let otlp = self.otlp.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(otlp) = otlp {
            otlp.finish(LAST).await;
        }
    }
}

/// What is wrong with the collector's place.
pub(super) fn examine(config: &Config) -> Option<String> {
    let (endpoint, outbound) = (config.otlp.endpoint.as_ref()?, config.outbound.open().ok()?);
    let error = outbound.endpoint(endpoint).err()?;
    // Offline it is kept for later, as providers are.
    (!matches!(error, OutboundError::Offline { .. })).then(|| format!("otlp.endpoint: {error}"))
}

fn of_server(live: &Live) -> Vec<Family> {
    let (connections, requests) = live.limits().held();
    let count = Unit::Of("{request}");
    let mut families = vec![
        Family::gauge("outcrop.connections", Unit::Of("{connection}"), "Open connections.").of(connections as f64),
        Family::gauge("outcrop.requests.in_flight", count, "Requests under way.").of(requests as f64),
    ];
    let attempt = Unit::Of("{attempt}");
    let mut healthy = Family::gauge(
        "outcrop.target.healthy",
        Unit::Of("{target}"),
        "1 where a target is asked, 0 where it is left alone.",
    );
    let mut under_way = Family::gauge("outcrop.target.in_flight", attempt, "Attempts under way at a target.");
    let mut attempts = Family::counter("outcrop.target.attempts", attempt, "Attempts at a target.");
    let mut failures = Family::counter("outcrop.target.failures", attempt, "Those of them that failed.");
    for route in live.pipeline().routes() {
        for target in &route.targets {
            let labels = || {
                let model = ("gen_ai.request.model", &*route.model);
                [model, ("outcrop.target", &*target.name), ("outcrop.provider", &*target.provider)]
            };
            healthy.push(labels(), f64::from(u8::from(target.health == "ok")));
            under_way.push(labels(), target.in_flight as f64);
            attempts.push(labels(), target.attempts as f64);
            failures.push(labels(), target.failures as f64);
        }
    }
    families.extend([healthy, under_way, attempts, failures]);
    families
}

fn of_engine(engine: &Engine) -> Vec<Family> {
    let call = Unit::Of("{call}");
    let mut loaded = Family::gauge("outcrop.engine.loaded", Unit::Of("{model}"), "1 where a local model is in memory.");
    let mut weights = Family::gauge("outcrop.engine.weights", Unit::Bytes, "Memory of a local model's weights.");
    let mut running = Family::gauge("outcrop.engine.running", call, "Answers that a local model is making.");
    let mut waiting = Family::gauge("outcrop.engine.waiting", call, "Calls that wait for a local model.");
    let mut computed = Family::counter("outcrop.engine.computed_tokens", Unit::Of("{token}"), "Tokens computed here.");
    for model in engine.status() {
        let labels = || [("outcrop.engine.model", &*model.name)];
        loaded.push(labels(), f64::from(u8::from(model.state == LoadState::Ready)));
        weights.push(labels(), model.weights_bytes as f64);
        running.push(labels(), model.running as f64);
        waiting.push(labels(), model.waiting as f64);
        computed.push(labels(), model.computed_tokens as f64);
    }
    vec![loaded, weights, running, waiting, computed]
}
