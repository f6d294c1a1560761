//! Asking whether the caller may do a thing: the condition keys of the request, and what all policies say together.

mod decide;
pub(crate) mod keys;
#[cfg(test)]
mod tests;

use crate::error::Denial;
use crate::policy::Principal;
use crate::policy::Said;
use crate::{AccessError, CallerKind, ConditionKeys, Context, Decided, Request};
use decide::{Sides, Verdict, decide};
use outcrop_wire::arn::Arn;

/// What every call by API key needs besides its own action.
const BEARER: &str = "bedrock:CallWithBearerToken";

/// A question that is being put together: `cx.ask(action).on(arn).with(key, value).check()?`.
#[derive(Debug, Clone)]
#[must_use = "nothing is asked until `check`"]
pub struct Ask<'a> {
    cx: &'a Context,
    action: &'a str,
    resource: Option<&'a str>,
    keys: Vec<(String, Vec<String>)>,
}

impl Context {
    /// Whether the caller may do `action` (as IAM writes it, `bedrock:InvokeModel`) to `resource` (an ARN, or `*` for
    /// an action that is on no one resource).
    pub fn allow(&self, action: &str, resource: &str) -> Result<(), AccessError> {
        let ask = self.ask(action);
        if resource == "*" { ask.check() } else { ask.on(resource).check() }
    }

    /// The same question with condition keys of its own.
    pub fn ask<'a>(&'a self, action: &'a str) -> Ask<'a> {
        Ask { cx: self, action, resource: None, keys: Vec::new() }
    }

    /// Whether a policy that has a say about `resource` asks for its tags: who asks reads them from the store first,
    /// which is spared otherwise.
    pub fn asks_resource_tags(&self, resource: &str) -> bool {
        let identity = self.permissions.identity.iter().flatten();
        identity.chain(&self.permissions.session).any(|policy| policy.asks_resource_tags())
            || self.resource_policies.get(resource).is_some_and(|policy| policy.asks_resource_tags())
    }
}

impl<'a> Ask<'a> {
    /// On a resource: an ARN.
    pub fn on(mut self, resource: &'a str) -> Self {
        self.resource = Some(resource);
        self
    }

    /// With a condition key of the request.
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.keys.push((key.to_owned(), vec![value.into()]));
        self
    }

    /// With a condition key where the request has a value for it.
    pub fn maybe(self, key: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// With the tags that the resource has: `aws:ResourceTag/…`.
    pub fn resource_tags<'t>(mut self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        for (key, value) in tags {
            self = self.with(&format!("aws:ResourceTag/{key}"), value);
        }
        self
    }

    /// With the tags that the request gives: `aws:RequestTag/…` and `aws:TagKeys`.
    pub fn request_tags<'t>(mut self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let mut names = Vec::new();
        for (key, value) in tags {
            self = self.with(&format!("aws:RequestTag/{key}"), value);
            names.push(key);
        }
        self.tag_keys(names)
    }

    /// With the names of the tags that the request touches: `aws:TagKeys`.
    pub fn tag_keys<'t>(mut self, names: impl IntoIterator<Item = &'t str>) -> Self {
        self.keys.push(("aws:TagKeys".to_owned(), names.into_iter().map(str::to_owned).collect()));
        self
    }

    /// The answer.
    pub fn check(self) -> Result<(), AccessError> {
        let cx = self.cx;
        if cx.caller.kind == CallerKind::ApiKey {
            // AWS opens the two agent services to signatures only.
            if matches!(cx.service, "bedrock-agent" | "bedrock-agent-runtime") {
                return Err(self.denied(Denial::ClosedToKeys, "identity", Said::SILENT));
            }
            // A key by which some access key was presigned is short-term; a long-term one has none behind it.
            let kind = if cx.caller.access_key_id.is_some() { "SHORT_TERM" } else { "LONG_TERM" };
            cx.ask(BEARER).on("*").with("bedrock:BearerTokenType", kind).decide()?;
        }
        self.decide()
    }

    /// Whether two tags differ in the letter case of their keys only. Conditions do not tell them apart, so whatever a
    /// policy says of one could be meant for the other: nobody but the owner is let through.
    fn ambiguous(&self) -> bool {
        let mut names: Vec<String> = self.keys.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }

    fn decide(self) -> Result<(), AccessError> {
        let cx = self.cx;
        let resource = self.resource.unwrap_or("*");
        let account = Arn::parse(resource).map_or("", |arn| arn.account);
        let foreign = !matches!(account, "" | "aws") && account != cx.caller.account;
        let attached = self.resource.and_then(|arn| cx.resource_policies.get(arn));
        let owner = cx.permissions.identity.is_none();
        // The owner cannot shut itself out: it may always put its own resource's policy right.
        let attached = attached.filter(|_| foreign || !owner || !self.action.ends_with("ResourcePolicy"));
        if owner && !foreign && attached.is_none() && cx.permissions.session.is_empty() {
            return Ok(());
        }
        if self.ambiguous() {
            return Err(self.denied(Denial::IdentitySilent, "identity", Said::SILENT));
        }
        let identity = cx.permissions.identity.iter().flatten().chain(&cx.permissions.session);
        let mut policies = identity.map(|policy| &**policy).chain(attached.as_deref());
        // Most policies have none, and most calls meet no other.
        let asked = policies.any(|policy| policy.asks_keys(self.action));
        let keys = if asked { keys::of(cx, account, &self.keys) } else { ConditionKeys::new() };
        let sides = Sides {
            identity: cx.permissions.identity.as_deref(),
            session: &cx.permissions.session,
            resource: attached.as_deref(),
            foreign,
        };
        let role = cx.caller.role_arn();
        let (account, arn) = (&*cx.caller.account, &*cx.caller.arn);
        let principal = Principal { account, arn, role: role.as_deref(), ..Principal::default() };
        let request = Request { action: self.action, resource, principal, keys: &keys };
        let Verdict { result, kind, said } = decide(&sides, &request);
        match result {
            Ok(()) => {
                self.note(true, kind, said);
                Ok(())
            }
            Err(why) => Err(self.denied(why, kind, said)),
        }
    }

    fn note(&self, allowed: bool, kind: &'static str, said: Said<'_>) {
        self.cx.trail.decided(Decided {
            action: self.action.to_owned(),
            resource: self.resource.map(str::to_owned),
            allowed,
            kind,
            policy: said.policy(),
            statement: said.statement(),
        });
    }

    fn denied(&self, why: Denial, kind: &'static str, said: Said<'_>) -> AccessError {
        self.note(false, kind, said);
        AccessError::Denied {
            principal: self.cx.caller.arn.clone(),
            action: self.action.to_owned(),
            resource: self.resource.map(str::to_owned),
            why,
        }
    }
}
