//! Policy documents: IAM's language, compiled once and asked often.
//!
//! [`Policy::parse`] reads and checks a document, [`Policy::evaluate`] answers one [`Request`]. What several policies
//! mean together is decided in `decide`. Rules are those of the IAM user guide, "Grammar of the IAM JSON policy
//! language" and "Policy evaluation logic".

mod condition;
mod document;
mod error;
mod keys;
mod network;
mod operator;
mod parse;
mod pattern;
mod principal;
mod statement;
#[cfg(test)]
mod tests;

pub use error::PolicyError;
pub use keys::Keys;
pub use principal::Principal;

use pattern::Lowered;
use statement::{Effect, Statement};
use std::collections::HashMap;
use std::sync::Arc;

/// The longest document that is read. AWS's own limits are far below; a policy in a file may be larger.
pub const MAX_BYTES: usize = 8 << 20;

/// Where a policy is attached, which says what it must and must not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// To a user, a role or a session: it names no principal.
    Identity,
    /// To a resource: it names principals.
    Resource,
    /// To a role, to say who may take it: it names principals and no resource.
    Trust,
}

/// A policy document, parsed once and asked often.
#[derive(Debug, Default)]
pub struct Policy {
    name: Option<Arc<str>>,
    deny: Index,
    allow: Index,
    resource_tags: bool,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// As IAM writes it: `bedrock:InvokeModel`. Letter case does not matter.
    pub action: &'a str,
    /// An ARN, or `*` for an action that is on no one resource.
    pub resource: &'a str,
    /// Who asks; needed by policies that name principals.
    pub principal: Principal<'a>,
    /// The condition keys of the request.
    pub keys: &'a Keys,
}

/// What one policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// Nothing: no statement applies.
    Silent,
    /// A statement allows it to the account; of its users, to those whose own policies allow it too.
    AllowAccount,
    /// A statement allows it to the principal.
    Allow,
    /// A statement denies it, whatever others say.
    Deny,
}

impl Policy {
    /// Reads a document.
    pub fn parse(text: &str, kind: PolicyKind) -> Result<Self, PolicyError> {
        if text.len() > MAX_BYTES {
            let told = format!("The policy has {} bytes, more than the {MAX_BYTES} that it may have.", text.len());
            return Err(PolicyError::new("", told));
        }
        let mut policy = Self::default();
        for statement in parse::statements(text, kind)? {
            policy.resource_tags |= statement.mentions("aws:resourcetag/");
            let index = if statement.effect == Effect::Deny { &mut policy.deny } else { &mut policy.allow };
            index.add(statement);
        }
        Ok(policy)
    }

    /// The same under a name, by which the audit trail knows it.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Whether a condition or a variable asks for tags of the resource, which cost a look into the store.
    pub fn asks_resource_tags(&self) -> bool {
        self.resource_tags
    }

    /// Whether a statement that may speak of `action` has a condition or a variable: for the others nobody need put the
    /// keys of a request together.
    pub fn asks_keys(&self, action: &str) -> bool {
        let action = Lowered::new(action);
        self.deny.candidates(&action).chain(self.allow.candidates(&action)).any(|statement| statement.mentions(""))
    }

    /// What this policy says of a request. An explicit deny is final.
    pub fn evaluate(&self, request: &Request<'_>) -> Decision {
        self.said(request).decision
    }

    /// The same, with the statement that decided.
    pub(crate) fn said(&self, request: &Request<'_>) -> Said<'_> {
        let action = Lowered::new(request.action);
        let by = |decision, name| Said { decision, by: Some((self, name)) };
        if let Some(denied) = self.deny.candidates(&action).find(|one| one.applies(&action, request).is_some()) {
            return by(Decision::Deny, &denied.name);
        }
        let mut said = Said::SILENT;
        for statement in self.allow.candidates(&action) {
            if let Some(reach) = statement.applies(&action, request)
                && reach > said.decision
            {
                said = by(reach, &statement.name);
                if reach == Decision::Allow {
                    break;
                }
            }
        }
        said
    }
}

/// What one or several policies say, and which statement of which of them says it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub decision: Decision,
    pub by: Option<(&'a Policy, &'a Arc<str>)>,
}

impl<'a> Said<'a> {
    /// Nothing.
    pub const SILENT: Self = Self { decision: Decision::Silent, by: None };

    /// What counts of what several policies say; none where there are none.
    pub fn of(policies: &'a [Arc<Policy>], request: &Request<'_>) -> Option<Self> {
        let said = policies.iter().map(|policy| policy.said(request));
        said.reduce(|best, next| if next.decision > best.decision { next } else { best })
    }

    /// The policy's name, where it has one.
    pub fn policy(&self) -> Option<Arc<str>> {
        self.by.and_then(|(policy, _)| policy.name.clone())
    }

    /// The statement's.
    pub fn statement(&self) -> Option<Arc<str>> {
        self.by.map(|(_, statement)| statement.clone())
    }
}

/// Statements by what their actions begin with, so that a request meets only those that may speak of it.
#[derive(Debug, Default)]
struct Index {
    statements: Vec<Statement>,
    /// By a whole action: `bedrock:invokemodel`.
    exact: HashMap<Box<str>, Vec<usize>>,
    /// By the service of an action with a wildcard: `bedrock`.
    service: HashMap<Box<str>, Vec<usize>>,
    /// `*`, a wildcard in the service, or `NotAction`.
    any: Vec<usize>,
}

impl Index {
    fn add(&mut self, statement: Statement) {
        let at = self.statements.len();
        let list = |map: &mut HashMap<Box<str>, Vec<usize>>, key: &str| {
            let list = map.entry(key.into()).or_default();
            if list.last() != Some(&at) {
                list.push(at);
            }
        };
        for action in statement.actions_by_name() {
            match action {
                statement::Named::Exact(name) => list(&mut self.exact, name),
                statement::Named::Service(name) => list(&mut self.service, name),
                statement::Named::Any if self.any.last() == Some(&at) => {}
                statement::Named::Any => self.any.push(at),
            }
        }
        self.statements.push(statement);
    }

    fn candidates<'a>(&'a self, action: &Lowered) -> impl Iterator<Item = &'a Statement> {
        let service = action.as_str().split_once(':').map_or("", |(service, _)| service);
        let exact = self.exact.get(action.as_str()).into_iter().flatten();
        let service = self.service.get(service).into_iter().flatten();
        exact.chain(service).chain(&self.any).filter_map(|at| self.statements.get(*at))
    }
}
