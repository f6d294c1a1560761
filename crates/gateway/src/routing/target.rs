//! Who may answer for a model.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use outcrop_models::Resolved;
use outcrop_providers::Provider;
use outcrop_telemetry::Entry;

use super::name::OwnName;
use super::settings::Source;
use super::state::State;
use super::variant::Variant;

/// One provider's model, as one route names it.
pub struct Target {
    /// Its name in reports, logs and the header that says who answered.
    pub name: Arc<str>,
    pub(super) source: Arc<Source>,
    pub(super) own: OwnName,
    pub(super) weight: f64,
    pub(super) priority: u32,
    pub(super) regions: Vec<String>,
    pub(super) max_concurrent: Option<u32>,
    /// It is the fast one.
    pub optimized: bool,
    /// Whether the caller is told that this target answered: not where it named it itself.
    pub(super) tells: bool,
    pub(super) state: Arc<State>,
    pub(super) variant: Arc<Variant>,
}

impl Target {
    /// Who is to be called.
    pub fn provider(&self) -> &dyn Provider {
        &*self.source.provider
    }

    /// As the configuration names it.
    pub fn provider_name(&self) -> &str {
        &self.source.name
    }

    /// By which name of the model.
    pub fn model(&self, resolved: &Resolved) -> Arc<str> {
        match &self.own {
            OwnName::Fixed(name) => Arc::clone(name),
            OwnName::AsCalled => resolved.called_id.as_str().into(),
        }
    }

    /// Who the caller is told has answered.
    pub fn served_by(&self) -> Option<&str> {
        self.tells.then_some(&*self.name)
    }

    /// A call that it got is over.
    pub(crate) fn note(&self, entry: &Entry, first_event: Option<Duration>, total: Duration) {
        self.variant.note(entry, first_event, total);
    }

    /// It has all the calls that it may have.
    pub(super) fn full(&self) -> bool {
        self.max_concurrent.is_some_and(|most| self.state.in_flight.load(Relaxed) >= u64::from(most))
    }

    /// It is the engine of this process.
    pub fn local(&self) -> bool {
        self.source.local
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("name", &self.name).field("own", &self.own).finish_non_exhaustive()
    }
}
