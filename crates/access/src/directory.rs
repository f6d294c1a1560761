//! Users, roles, policies and token issuers, as the configuration declares them.
//!
//! A [`Directory`] never changes: a new configuration makes a new one, which counts for the requests that begin after
//! it. Start at [`Directory::builder`] and [`Directory::permissions`].

mod build;
mod error;
mod managed;
mod names;
#[cfg(test)]
mod tests;

pub(crate) use build::check_tags;
pub use build::{Builder, NewRole, NewUser};
pub use error::DirectoryError;

use crate::account::is_account;
use crate::keys::{AccessKey, ROOT, Session, SessionOf};
use crate::oidc::Issuer;
use crate::policy::{Policy, PolicyKind};
use crate::{AccessError, Caller, CallerKind, Permissions};
use names::Named;
use outcrop_wire::arn::Arn;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Account and name of a user or role.
type Address = (String, String);

/// Who there is and what each may.
#[derive(Debug)]
pub struct Directory {
    policies: BTreeMap<String, Arc<Policy>>,
    managed: BTreeMap<&'static str, Arc<Policy>>,
    users: BTreeMap<Address, Arc<Permissions>>,
    roles: BTreeMap<Address, Arc<Role>>,
    issuers: Vec<Arc<Issuer>>,
    /// Of users that are not declared.
    undeclared: Arc<Permissions>,
    root: Arc<Permissions>,
}

/// A declared role.
#[derive(Debug)]
pub struct Role {
    /// Twelve digits.
    pub account: String,
    /// Unique in the account.
    pub name: String,
    /// Who may assume it.
    pub trust: Policy,
    /// What it may.
    pub permissions: Arc<Permissions>,
    /// The longest session, in seconds.
    pub max_session_seconds: u32,
}

impl Role {
    /// `arn:aws:iam::ACCOUNT:role/NAME`.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{}", self.account, self.name)
    }
}

impl Directory {
    /// An empty directory to declare things in.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What the user, session or owner behind an access key may. A session whose role or policies are not declared
    /// any more is refused: what was taken out of the configuration is gone at once.
    pub fn permissions(&self, key: &AccessKey) -> Result<Arc<Permissions>, AccessError> {
        let Some(session) = &key.session else { return Ok(self.user(&key.account, &key.user)) };
        let base = match &session.of {
            SessionOf::User { user } => self.user(&key.account, user),
            SessionOf::Role { role, .. } => {
                let role = self.role(&key.account, role);
                role.ok_or(AccessError::Unknown("the session's role is not declared any more"))?.permissions.clone()
            }
        };
        if session.policies.is_empty() && session.policy_names.is_empty() && session.tags.is_empty() {
            return Ok(base);
        }
        let mut tags = base.tags.clone();
        for (key, value) in &session.tags {
            // A session's tag replaces the principal's; keys are the same in any letter case.
            tags.retain(|known, _| !known.eq_ignore_ascii_case(key));
            tags.insert(key.clone(), value.clone());
        }
        Ok(Arc::new(Permissions { identity: base.identity.clone(), session: self.narrowing(session)?, tags }))
    }

    fn narrowing(&self, session: &Session) -> Result<Vec<Arc<Policy>>, AccessError> {
        let gone = AccessError::Unknown("a policy of the session is not declared any more");
        let mut policies = Vec::new();
        for name in &session.policy_names {
            policies.push(self.policy(name).ok_or(gone.clone())?);
        }
        for text in &session.policies {
            // It was parsed when the session was made.
            let policy = Policy::parse(text, PolicyKind::Identity);
            policies.push(Arc::new(policy.map_err(|error| AccessError::Unavailable(error.to_string()))?));
        }
        Ok(policies)
    }

    /// What a user may: everything for the owner, exactly its policies for a declared one, the default policies for
    /// any other.
    pub fn user(&self, account: &str, name: &str) -> Arc<Permissions> {
        if name == ROOT {
            return self.root.clone();
        }
        self.users.get(&address(account, name)).unwrap_or(&self.undeclared).clone()
    }

    /// A role by account and name.
    pub fn role(&self, account: &str, name: &str) -> Option<Arc<Role>> {
        self.roles.get(&address(account, name)).cloned()
    }

    /// A role by `arn:aws:iam::ACCOUNT:role/NAME`, its name behind any path.
    pub fn role_by_arn(&self, arn: &str) -> Option<Arc<Role>> {
        let rest = arn.strip_prefix("arn:aws:iam::")?;
        let (account, path) = rest.split_once(":role/")?;
        is_account(account).then(|| self.role(account, path))?
    }

    /// Who an ARN names, as it would call: an owner, a user, or a role, which calls by a session. None for a role that
    /// is not declared, and for what is no principal.
    pub fn principal(&self, arn: &str) -> Option<(Caller, Arc<Permissions>)> {
        let parts = Arn::parse(arn).filter(|arn| arn.service == "iam" && is_account(arn.account))?;
        let root = Caller::root(parts.account, None, CallerKind::User);
        if parts.resource == "root" {
            return Some((root, self.root.clone()));
        }
        if let Some(user) = parts.resource.strip_prefix("user/") {
            let name = user.rsplit_once('/').map_or(user, |(_, name)| name);
            return Some((Caller { arn: arn.to_owned(), ..root }, self.user(parts.account, name)));
        }
        let role = self.role_by_arn(arn)?;
        let arn = format!("arn:aws:sts::{}:assumed-role/{}/check", role.account, role.name);
        Some((Caller { arn, kind: CallerKind::Session, ..root }, role.permissions.clone()))
    }

    /// A policy by name or ARN, declared or AWS's own.
    pub fn policy(&self, name: &str) -> Option<Arc<Policy>> {
        match names::parse(name)? {
            Named::Aws(name) => self.managed.get(name).cloned(),
            Named::Declared { name, .. } => self.policies.get(name).cloned(),
            Named::Either(name) => self.policies.get(name).or_else(|| self.managed.get(name)).cloned(),
        }
    }

    /// Whether a policy's ARN is one that a session in `account` may name.
    pub fn policy_in(&self, arn: &str, account: &str) -> bool {
        match names::parse(arn) {
            Some(Named::Aws(_)) => self.policy(arn).is_some(),
            Some(Named::Declared { account: of, .. }) => of == account && self.policy(arn).is_some(),
            _ => false,
        }
    }

    /// The issuer whose tokens say `iss` of themselves.
    pub fn issuer(&self, iss: &str) -> Option<Arc<Issuer>> {
        self.issuers.iter().find(|issuer| issuer.issuer == iss).cloned()
    }
}

impl Default for Directory {
    /// Nobody declared: users have AWS's policy for all of Bedrock.
    fn default() -> Self {
        let nothing = || Self {
            policies: BTreeMap::new(),
            managed: BTreeMap::new(),
            users: BTreeMap::new(),
            roles: BTreeMap::new(),
            issuers: Vec::new(),
            undeclared: Arc::new(Permissions { identity: Some(Vec::new()), ..Permissions::default() }),
            root: Arc::default(),
        };
        // It cannot fail, since its policies are part of the program and tested; failing would let nobody in.
        Self::builder().build().unwrap_or_else(|_| nothing())
    }
}

fn address(account: &str, name: &str) -> Address {
    (account.to_owned(), name.to_owned())
}
