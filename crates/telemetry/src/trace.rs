//! Spans: one for a call, and one below it for each attempt at a provider. Never content.
//!
//! A [`Span`] ends when the last who holds it lets go, so that a streamed answer's lasts as long as its stream. Where
//! no exporter was opened [`current`] is one look at a flag, and there are no spans.

mod parent;
mod sampler;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use tokio::sync::mpsc;

pub use parent::Parent;
pub use sampler::Sampler;

/// Attributes of one span; what comes later is dropped, as the SDKs of OpenTelemetry do.
const ATTRIBUTES: usize = 128;

/// Set by the first tracer, for good.
static ON: AtomicBool = AtomicBool::new(false);

tokio::task_local! {
    static CURRENT: Span;
}

/// The span within which this task runs.
pub fn current() -> Option<Span> {
    if !ON.load(Relaxed) {
        return None;
    }
    CURRENT.try_with(Clone::clone).ok()
}

/// Runs `future` within `span`.
pub async fn within<F: Future>(span: Option<Span>, future: F) -> F::Output {
    match span {
        Some(span) => CURRENT.scope(span, future).await,
        None => future.await,
    }
}

/// What an attribute says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(Cow<'static, str>),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Texts.
    Texts(Vec<String>),
}

macro_rules! values {
    ($($from:ty => |$it:ident| $value:expr),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from($it: $from) -> Self {
                $value
            }
        }
    )*};
}

values! {
    &'static str => |it| Self::Text(Cow::Borrowed(it)),
    String => |it| Self::Text(Cow::Owned(it)),
    Vec<String> => |it| Self::Texts(it),
    bool => |it| Self::Bool(it),
    f64 => |it| Self::Float(it),
    i64 => |it| Self::Int(it),
    i32 => |it| Self::Int(it.into()),
    u32 => |it| Self::Int(it.into()),
    u64 => |it| Self::Int(i64::try_from(it).unwrap_or(i64::MAX)),
}

/// On which side of a call a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It was called.
    Server,
    /// It calls.
    Client,
}

/// A span under way. Clones are the same span.
#[derive(Clone)]
pub struct Span(Arc<Open>);

struct Open {
    tracer: Arc<Tracer>,
    ids: Ids,
    side: Side,
    began: (SystemTime, Instant),
    /// None where the sampler left it out: then it only carries its ids on.
    told: Option<Mutex<Told>>,
}

/// Which span it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ids {
    pub trace: [u8; 16],
    pub span: [u8; 8],
    pub parent: Option<[u8; 8]>,
    pub state: Option<String>,
}

#[derive(Debug, Default)]
struct Told {
    name: String,
    attributes: Vec<(&'static str, Value)>,
    error: bool,
}

/// A span that is over.
#[derive(Debug)]
pub(crate) struct Ended {
    pub ids: Ids,
    pub side: Side,
    pub name: String,
    pub began: SystemTime,
    pub ended: SystemTime,
    pub attributes: Vec<(&'static str, Value)>,
    pub error: bool,
}

impl Span {
    fn open(tracer: &Arc<Tracer>, ids: Ids, side: Side, name: Option<String>) -> Self {
        let told = name.map(|name| Mutex::new(Told { name, ..Told::default() }));
        let began = (SystemTime::now(), Instant::now());
        Self(Arc::new(Open { tracer: Arc::clone(tracer), ids, side, began, told }))
    }

    /// A span below this one, on the calling side.
    pub fn child(&self, name: impl FnOnce() -> String) -> Self {
        let Ids { trace, span, state, .. } = self.0.ids.clone();
        let ids = Ids { trace, span: parent::span_id(), parent: Some(span), state };
        let name = self.recorded().then(name);
        Self::open(&self.0.tracer, ids, Side::Client, name)
    }

    /// Whether anybody will see it: what costs something to find out need not be otherwise.
    pub fn recorded(&self) -> bool {
        self.0.told.is_some()
    }

    /// Calls it something else.
    pub fn rename(&self, name: String) {
        self.tell(|told| told.name = name);
    }

    /// Says something about it; what was said before under this name is replaced.
    pub fn set(&self, name: &'static str, value: impl Into<Value>) {
        self.tell(|told| match told.attributes.iter().position(|(known, _)| *known == name) {
            Some(at) => told.attributes[at].1 = value.into(),
            None if told.attributes.len() < ATTRIBUTES => told.attributes.push((name, value.into())),
            None => {}
        });
    }

    /// The text that was said under this name.
    pub fn text(&self, name: &str) -> Option<String> {
        let told = self.0.told.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        told.attributes.iter().find_map(|(known, value)| match value {
            Value::Text(text) if *known == name => Some(text.clone().into_owned()),
            _ => None,
        })
    }

    /// It failed, with an error of this name.
    pub fn fail(&self, error: impl Into<Cow<'static, str>>) {
        self.set("error.type", Value::Text(error.into()));
        self.tell(|told| told.error = true);
    }

    /// What a provider is told of it, if it is to be told: the headers `traceparent` and `tracestate`.
    pub fn carried(&self) -> Option<(String, Option<&str>)> {
        let ids = &self.0.ids;
        self.0.tracer.propagate.then(|| (parent::written(&ids.trace, &ids.span, self.recorded()), ids.state.as_deref()))
    }

    fn tell(&self, tell: impl FnOnce(&mut Told)) {
        if let Some(told) = &self.0.told {
            tell(&mut told.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(told) = self.told.take() else { return };
        let Told { name, attributes, error } = told.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (began, since) = self.began;
        let ids = self.ids.clone();
        // By the monotonic clock: a span does not get longer because the other clock was set.
        let ended = began + since.elapsed();
        self.tracer.over(Ended { ids, side: self.side, name, began, ended, attributes, error });
    }
}

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Span").field(&self.0.ids).finish()
    }
}

/// Where spans begin, and where they go when they are over.
#[derive(Debug)]
pub struct Tracer {
    sampler: Sampler,
    /// Whether providers are told of spans.
    propagate: bool,
    sender: mpsc::Sender<Ended>,
    dropped: AtomicU64,
}

impl Tracer {
    pub(crate) fn new(sampler: Sampler, propagate: bool, room: usize) -> (Arc<Self>, mpsc::Receiver<Ended>) {
        ON.store(true, Relaxed);
        let (sender, receiver) = mpsc::channel(room);
        (Arc::new(Self { sampler, propagate, sender, dropped: AtomicU64::new(0) }), receiver)
    }

    /// The span of a call that came in, below the caller's where it names one.
    pub fn server(self: &Arc<Self>, name: &str, parent: Option<Parent>) -> Span {
        let (trace, above, state) = match &parent {
            Some(parent) => (parent.trace, Some(parent.span), parent.state.clone()),
            None => (parent::trace_id(), None, None),
        };
        let sampled = self.sampler.samples(&trace, parent.as_ref().map(|parent| parent.sampled));
        let ids = Ids { trace, span: parent::span_id(), parent: above, state };
        Span::open(self, ids, Side::Server, sampled.then(|| name.to_owned()))
    }

    /// Spans that were lost for want of room, or because nobody took them.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    pub(crate) fn lost(&self, spans: u64) {
        self.dropped.fetch_add(spans, Relaxed);
    }

    fn over(&self, span: Ended) {
        if self.sender.try_send(span).is_err() {
            self.lost(1);
        }
    }
}
