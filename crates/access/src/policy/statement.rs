//! One statement, compiled.

use super::condition::Condition;
use super::pattern::{Lowered, Pattern};
use super::principal::Principals;
use super::{Decision, Request};
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// Every element of a statement that decides.
#[derive(Debug)]
pub(super) struct Statement {
    /// Its Sid, or its place in the document where it has none.
    pub name: Arc<str>,
    pub effect: Effect,
    /// None in policies of identities.
    pub principals: Option<Principals>,
    /// In lower case.
    pub actions: Vec<Pattern>,
    /// `NotAction`.
    pub not_action: bool,
    /// None in trust policies.
    pub resources: Option<Vec<Pattern>>,
    /// `NotResource`.
    pub not_resource: bool,
    pub conditions: Vec<Condition>,
}

/// Where a statement stands in the index.
pub(super) enum Named<'a> {
    Exact(&'a str),
    Service(&'a str),
    Any,
}

impl Statement {
    /// Under which names requests find the statement.
    pub(super) fn actions_by_name(&self) -> impl Iterator<Item = Named<'_>> {
        let not = self.not_action.then_some(Named::Any);
        let names = self.actions.iter().filter(|_| !self.not_action).map(|action| {
            match (action.fixed(), action.start().split_once(':')) {
                (Some(name), _) => Named::Exact(name),
                (None, Some((service, _))) => Named::Service(service),
                (None, None) => Named::Any,
            }
        });
        not.into_iter().chain(names)
    }

    /// Whether a condition or variable asks for a key that starts so.
    pub(super) fn mentions(&self, start: &str) -> bool {
        self.conditions.iter().any(|condition| condition.mentions(start))
            || self.resources.iter().flatten().any(|pattern| pattern.mentions(start))
    }

    /// Whether the statement speaks of the request, and how far it then allows it.
    pub(super) fn applies(&self, action: &Lowered, request: &Request<'_>) -> Option<Decision> {
        let keys = request.keys;
        if self.actions.iter().any(|pattern| pattern.matches(action.as_str(), keys)) == self.not_action {
            return None;
        }
        let reach = match &self.principals {
            None => Decision::Allow,
            Some(principals) => principals.reach(&request.principal)?,
        };
        if let Some(resources) = &self.resources
            && !self.on(resources, request)
        {
            return None;
        }
        self.conditions.iter().all(|condition| condition.holds(keys)).then_some(reach)
    }

    fn on(&self, resources: &[Pattern], request: &Request<'_>) -> bool {
        let keys = request.keys;
        let named = resources.iter().any(|pattern| pattern.matches(request.resource, keys));
        // A variable without a value names nothing; an Allow of all but nothing would then be one of everything.
        let unknown = self.not_resource
            && self.effect == Effect::Allow
            && resources.iter().any(|pattern| !pattern.resolves(keys));
        named != self.not_resource && !unknown
    }
}
