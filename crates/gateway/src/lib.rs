//! An invocation's path: resolve the model, check the conversation, plan who answers, let the call in, dispatch, tell
//! what it took.
//!
//! Never: a model's own request format (`dialects` has those), HTTP, a resource of its own, a limit of its own but for
//! provisioned throughput (`admission` has those).
//!
//! Start at [`Gateway::converse`] in `converse.rs`; `invoke.rs` is the same path for InvokeModel with a dialect on
//! either side, and `pass.rs` for bodies that nobody reads. All of them come to `begin.rs`, where [`rules`] say what a
//! conversation must look like and [`routing`] who is asked for an answer, and through `admit.rs`, where [`capacity`]
//! says whether there is room and admission whether the caller may; `answer.rs` is the way back. [`guard`] judges what
//! goes to a model and what comes from it; `documents` fetches what lies in buckets, and makes text of files. The tally
//! of [`meter`] goes along, settles what was reserved, and tells a [`Meter`] what the call took.

mod admit;
mod answer;
mod begin;
pub mod cache;
pub mod capacity;
mod converse;
mod count;
mod documents;
mod embed;
mod embeddings;
mod fields;
pub mod guard;
mod images;
mod invoke;
pub mod meter;
mod options;
mod pass;
mod prompt_router;
mod rerank;
pub mod routing;
pub mod rules;
mod sharing;
#[cfg(test)]
mod tests;
mod timed;
mod traced;

use std::sync::Arc;

use outcrop_access::Context;
use outcrop_admission::Admission;
use outcrop_guardrails::Guardrails;
use outcrop_models::Models;
use outcrop_models::data_retention::Retention;
use outcrop_telemetry::Prices;

pub use begin::SERVED_BY;
pub use cache::Answers;
pub use capacity::Capacity;
pub use documents::Papers;
pub use meter::Meter;
pub use outcrop_providers::Counter;
pub use routing::{Registry, Routes, StandIns};
pub use sharing::Sharing;
pub use timed::Timed;

/// The way into every model.
pub struct Gateway {
    models: Arc<Models>,
    routes: Routes,
    sharing: Sharing,
    meter: Arc<dyn Meter>,
    prices: Arc<Prices>,
    capacity: Arc<Capacity>,
    admission: Arc<Admission>,
    cache: Arc<Answers>,
    guardrails: Option<Guardrails>,
    guarding: guard::Settings,
    papers: Option<Papers>,
}

impl Gateway {
    /// Models by `models`, answered as `routes` say.
    pub fn new(models: Arc<Models>, routes: Routes) -> Self {
        let (sharing, meter) = (Sharing::default(), Arc::new(meter::Logged));
        Self {
            models,
            routes,
            sharing,
            meter,
            prices: Arc::default(),
            capacity: Arc::default(),
            admission: Arc::default(),
            cache: Arc::default(),
            guardrails: None,
            guarding: guard::Settings::default(),
            papers: None,
        }
    }

    /// Computed prompts are shared within `sharing` and not beyond.
    #[must_use]
    pub fn sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = sharing;
        self
    }

    /// `meter` hears what calls took.
    #[must_use]
    pub fn meter(mut self, meter: Arc<dyn Meter>) -> Self {
        self.meter = meter;
        self
    }

    /// Calls cost what `prices` say.
    #[must_use]
    pub fn prices(mut self, prices: Arc<Prices>) -> Self {
        self.prices = prices;
        self
    }

    /// Answers are kept in `cache`, where routes or callers ask for it.
    #[must_use]
    pub fn cache(mut self, cache: Arc<Answers>) -> Self {
        self.cache = cache;
        self
    }

    /// Calls may have `guardrails`.
    #[must_use]
    pub fn guardrails(mut self, guardrails: Guardrails, settings: guard::Settings) -> Self {
        (self.guardrails, self.guarding) = (Some(guardrails), settings);
        self
    }

    /// What lies in buckets is read, and files for those who cannot read them.
    #[must_use]
    pub fn papers(mut self, papers: Papers) -> Self {
        self.papers = Some(papers);
        self
    }

    /// Waits until the meter has written what calls took that are over.
    pub async fn settle(&self) {
        self.meter.settle().await;
    }

    /// What a modelId can name.
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// Who answers for which model.
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The most that whoever answers this caller may keep.
    pub(crate) fn retention(&self, cx: &Context) -> Retention {
        self.models.retention(&cx.caller.account, &cx.region).reaches()
    }

    /// Calls are admitted by `admission`.
    #[must_use]
    pub fn admission(mut self, admission: Arc<Admission>) -> Self {
        self.admission = admission;
        self
    }

    /// Calls are admitted by `capacity`.
    #[must_use]
    pub fn capacity(mut self, capacity: Arc<Capacity>) -> Self {
        self.capacity = capacity;
        self
    }
}
