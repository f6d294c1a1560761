//! Traces and metrics over OTLP/HTTP in protobuf, through the one gate for outgoing connections.
//!
//! Spans wait in a bounded queue; those for which there is no room are lost and counted, and no call ever waits.
//! What the receiver does not take is sent again, with growing pauses, for two minutes.
//!
//! Start at [`Otlp::open`].

mod encode;
mod send;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::HeaderMap;
use outcrop_outbound::{Outbound, OutboundError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::meters::{Family, Meters, Source, Unit};
use crate::trace::{Ended, Sampler, Tracer};
use send::Sender;

/// Spans that are sent together.
const TOGETHER: usize = 512;

/// Where to, and what of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The receiver's base URL: `/v1/traces` and `/v1/metrics` are put behind it.
    pub endpoint: String,
    /// What is sent with each request.
    pub headers: HeaderMap,
    /// Send traces.
    pub traces: bool,
    /// Send metrics.
    pub metrics: bool,
    /// Which traces.
    pub sampler: Sampler,
    /// Tell providers of the span of their call.
    pub propagate: bool,
    /// What this service is; `service.name` among it.
    pub resource: Vec<(String, String)>,
    /// How long a request may take.
    pub timeout: Duration,
    /// From one sending of metrics to the next.
    pub interval: Duration,
    /// How long a span waits for others that are sent with it.
    pub delay: Duration,
    /// Spans that may wait.
    pub queue: usize,
}

/// The exporter, under way.
pub struct Otlp {
    sender: Arc<Sender>,
    tracer: Option<Arc<Tracer>>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Otlp {
    /// Begins to send, on the runtime that this is called on. `meters` are what is sent as metrics, and get the
    /// exporter's own numbers.
    pub fn open(settings: Settings, outbound: &Outbound, meters: &Arc<Meters>) -> Result<Self, OutboundError> {
        let sender = Sender::new(&settings.endpoint, outbound, settings.headers, settings.timeout)?;
        let sender = Arc::new(sender);
        let stop = CancellationToken::new();
        let resource = Arc::<encode::Resource>::from(settings.resource);
        let mut tasks = Vec::new();
        let tracer = settings.traces.then(|| {
            let (tracer, spans) = Tracer::new(settings.sampler, settings.propagate, settings.queue.max(1));
            let (to, resource, stop) = (Arc::clone(&sender), Arc::clone(&resource), stop.clone());
            let task = spans_of(spans, Arc::clone(&tracer), to, resource, settings.delay, stop);
            tasks.push(tokio::spawn(task));
            tracer
        });
        if settings.metrics {
            let (meters, sender, stop) = (Arc::clone(meters), Arc::clone(&sender), stop.clone());
            tasks.push(tokio::spawn(numbers(meters, settings.interval, sender, resource, stop)));
        }
        meters.add(Own { sender: Arc::clone(&sender), tracer: tracer.clone() });
        Ok(Self { sender, tracer, stop, tasks })
    }

    /// Where spans begin.
    pub fn tracer(&self) -> Option<Arc<Tracer>> {
        self.tracer.clone()
    }

    /// Goes out by another way from now on.
    pub fn follow(&self, outbound: &Outbound) {
        self.sender.follow(outbound);
    }

    /// Sends what there is, once, and ends.
    pub async fn finish(self, patience: Duration) {
        self.stop.cancel();
        let all = async {
            for task in self.tasks {
                task.await.ok();
            }
        };
        if timeout(patience, all).await.is_err() {
            tracing::warn!("the last traces and metrics could not be delivered in time");
        }
    }
}

impl std::fmt::Debug for Otlp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Otlp").finish_non_exhaustive()
    }
}

async fn spans_of(
    mut spans: mpsc::Receiver<Ended>,
    tracer: Arc<Tracer>,
    sender: Arc<Sender>,
    resource: Arc<encode::Resource>,
    delay: Duration,
    stop: CancellationToken,
) {
    let mut batch = Vec::with_capacity(TOGETHER);
    loop {
        let gather = async {
            spans.recv_many(&mut batch, TOGETHER).await;
            let rest = async { while batch.len() < TOGETHER && spans.recv_many(&mut batch, TOGETHER).await > 0 {} };
            timeout(delay, rest).await.ok();
        };
        tokio::select! {
            () = gather => {}
            () = stop.cancelled() => {
                // Whoever still holds a span ends it too late.
                while spans.try_recv().map(|span| batch.push(span)).is_ok() {}
            }
        }
        if !batch.is_empty() {
            let count = batch.len() as u64;
            let request = encode::traces(&resource, batch.drain(..));
            if !sender.deliver("/v1/traces", request, &stop).await {
                tracer.lost(count);
            }
        } else if stop.is_cancelled() {
            return;
        }
    }
}

async fn numbers(
    meters: Arc<Meters>,
    every: Duration,
    sender: Arc<Sender>,
    resource: Arc<encode::Resource>,
    stop: CancellationToken,
) {
    let mut ticks = interval(every.max(Duration::from_millis(10)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first is due at once, and has nothing to tell.
    ticks.tick().await;
    loop {
        let last = tokio::select! {
            _ = ticks.tick() => false,
            () = stop.cancelled() => true,
        };
        let request = encode::metrics(&resource, &meters.gather(), meters.began, SystemTime::now());
        // What is not delivered is in the next: counters count from the start.
        sender.deliver("/v1/metrics", request, &stop).await;
        if last {
            return;
        }
    }
}

/// The exporter's own numbers.
struct Own {
    sender: Arc<Sender>,
    tracer: Option<Arc<Tracer>>,
}

impl Source for Own {
    fn families(&self) -> Vec<Family> {
        let help = "Requests to the OTLP receiver that were given up.";
        let failed = Family::counter("outcrop.otlp.failed_exports", Unit::Of("{request}"), help);
        let mut families = vec![failed.of(self.sender.failed() as f64)];
        if let Some(tracer) = &self.tracer {
            let help = "Spans that were lost for want of room, or because nobody took them.";
            let dropped = Family::counter("outcrop.otlp.dropped_spans", Unit::Of("{span}"), help);
            families.push(dropped.of(tracer.dropped() as f64));
        }
        families
    }
}
