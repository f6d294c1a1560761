//! Which of a model's targets may answer one call, and in which order they are asked.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use outcrop_access::Context;
use outcrop_api::{Fault, Kind};
use outcrop_models::Resolved;
use outcrop_models::data_retention::Retention;
use outcrop_providers::Priority;
use tokio::time::Instant;

use super::asked::Attempts;
use super::choose::{Choice, Lot};
use super::routes::{NO_ACCESS, Route};
use super::settings::Policy;
use super::target::Target;

/// What a call is like, as far as routing is concerned.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// What it works on, estimated; asked only where targets are chosen by it.
    pub tokens: &'a dyn Fn() -> u64,
    /// It reads its answer as it is made.
    pub stream: bool,
    /// Its place where calls wait.
    pub priority: Priority,
    /// The most that whoever answers may keep of it.
    pub retention: Retention,
    /// The value of the request's metadata by a key.
    pub metadata: &'a dyn Fn(&str) -> Option<&'a str>,
}

impl Ask<'_> {
    /// A call without metadata or known size, whose answer comes whole.
    pub fn whole(retention: Retention) -> Self {
        Self { tokens: &|| 0, stream: false, priority: Priority::Normal, retention, metadata: &|_| None }
    }
}

/// The targets that may answer one call, in order.
pub struct Plan {
    pub(super) route: Arc<Route>,
    pub(super) candidates: Vec<Arc<Target>>,
    /// Those that were made, for as long as anybody wants to know.
    pub(crate) attempts: Arc<Attempts>,
    pub(super) tokens: u64,
    pub(super) stream: bool,
    pub(super) priority: Priority,
    /// When an answer that has not begun is given up.
    pub(super) deadline: Instant,
    /// When one that has is.
    pub(super) end: Instant,
}

impl Plan {
    /// Filters and orders the targets of `route` for a call of `resolved`.
    pub fn new(cx: &Context, route: &Arc<Route>, resolved: &Resolved, ask: &Ask<'_>) -> Result<Self, Fault> {
        let kept = |target: &&Arc<Target>| target.retention() <= ask.retention;
        let placed = |target: &&Arc<Target>| {
            target.regions.is_empty() || target.regions.iter().any(|region| resolved.destinations.contains(region))
        };
        let mut candidates: Vec<Arc<Target>> = route.targets.iter().filter(kept).filter(placed).cloned().collect();
        if candidates.is_empty() {
            return Err(match route.targets.iter().any(|target| kept(&target)) {
                true => elsewhere(resolved),
                false => keeps_too_much(resolved),
            });
        }
        if candidates.len() > 1 {
            sort(&mut candidates, cx, route, ask);
        }
        let tokens = if route.policy.choice == Choice::LeastLoaded { (ask.tokens)() } else { 0 };
        let end = Instant::now() + route.policy.total;
        let deadline = cx.deadline.map_or(end, |deadline| Instant::from_std(deadline).min(end));
        let (stream, priority) = (ask.stream, ask.priority);
        Ok(Self {
            route: Arc::clone(route),
            candidates,
            attempts: Arc::default(),
            tokens,
            stream,
            priority,
            deadline,
            end,
        })
    }

    /// How long the events of an answer by `target` may be apart, where that is bounded.
    pub fn between(&self, target: &Target) -> Option<Duration> {
        (!target.local()).then_some(self.route.policy.between_tokens)
    }

    /// When an answer is cut off, however well it goes.
    pub fn end(&self) -> Instant {
        self.end
    }

    /// How the route's targets are asked.
    pub fn policy(&self) -> &Policy {
        &self.route.policy
    }

    /// Whether `holds` of whoever may answer.
    pub fn all(&self, holds: impl Fn(&Target) -> bool) -> bool {
        self.candidates.iter().all(|target| holds(target))
    }

    /// The providers of the candidates, in order.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.candidates.iter().map(|target| target.provider_name())
    }

    /// The names of the candidates, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.candidates.iter().map(|target| &*target.name)
    }
}

/// By priority; then the caller's own Region before others of the profile, who did not ask to be left alone before who
/// did; then by lot.
fn sort(candidates: &mut Vec<Arc<Target>>, cx: &Context, route: &Route, ask: &Ask<'_>) {
    let policy = &route.policy;
    let value = policy.sticky.as_deref().and_then(|key| (ask.metadata)(key));
    let lot = match (value, policy.choice) {
        (Some(value), _) => Lot::Value { route: &route.model, value },
        (None, Choice::LeastLoaded) => Lot::Load,
        (None, Choice::Weighted) => Lot::Chance,
    };
    let key = |target: &Target| {
        let foreign = !target.regions.is_empty() && !target.regions.contains(&cx.region);
        let load = target.state.tokens.load(Relaxed);
        (target.priority, foreign, target.state.rests(), lot.key(&target.name, target.weight, load))
    };
    let mut keyed: Vec<_> = candidates.drain(..).map(|target| (key(&target), target)).collect();
    keyed.sort_by(|(a, _), (b, _)| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)).then(a.3.total_cmp(&b.3)));
    candidates.extend(keyed.into_iter().map(|(_, target)| target));
}

fn keeps_too_much(resolved: &Resolved) -> Fault {
    let text = format!(
        "{NO_ACCESS} Every provider of this server that serves {} keeps more of prompts and answers than the data \
         retention mode of this account allows (GetAccountDataRetention).",
        resolved.model.id
    );
    Fault::new(Kind::AccessDenied, text)
}

fn elsewhere(resolved: &Resolved) -> Fault {
    let text = format!(
        "{NO_ACCESS} No provider of this server serves {} in {}; an inference profile may reach further.",
        resolved.model.id,
        resolved.destinations.join(", ")
    );
    Fault::new(Kind::AccessDenied, text)
}
