//! Declaring a directory, with every mistake told.

use super::names::{self, Named};
use super::{Directory, DirectoryError, Role, address, managed};
use crate::Permissions;
use crate::account::is_account;
use crate::keys::{ROOT, check_name};
use crate::oidc::Issuer;
use crate::policy::{Policy, PolicyKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What users that are not declared may, where nothing else is said.
const DEFAULT_POLICY: &str = "AmazonBedrockFullAccess";
/// The longest session of a role that IAM admits, and the least that it admits as the longest.
const SESSION_SECONDS: std::ops::RangeInclusive<u32> = 3600..=43_200;
/// The most tags of a user, a role or a session.
const MAX_TAGS: usize = 50;

/// A directory that is being declared. The order does not matter.
#[derive(Debug, Default)]
pub struct Builder {
    defaults: Option<Vec<String>>,
    policies: Vec<(String, String)>,
    users: Vec<NewUser>,
    roles: Vec<NewRole>,
    issuers: Vec<Issuer>,
}

/// A user to be declared.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// Twelve digits.
    pub account: String,
    /// Unique in the account.
    pub name: String,
    /// By name or ARN.
    pub policies: Vec<String>,
    /// `aws:PrincipalTag/…`.
    pub tags: BTreeMap<String, String>,
}

/// A role to be declared.
#[derive(Debug, Clone, Default)]
pub struct NewRole {
    /// Twelve digits.
    pub account: String,
    /// Unique in the account.
    pub name: String,
    /// The trust policy's document.
    pub trust: String,
    /// By name or ARN.
    pub policies: Vec<String>,
    /// `aws:PrincipalTag/…`.
    pub tags: BTreeMap<String, String>,
    /// The longest session.
    pub max_session_seconds: u32,
}

impl Builder {
    /// What users that are not declared may: these policies.
    pub fn default_policies(mut self, names: Vec<String>) -> Self {
        self.defaults = Some(names);
        self
    }

    /// Declares a policy by its document.
    pub fn policy(mut self, name: impl Into<String>, document: impl Into<String>) -> Self {
        self.policies.push((name.into(), document.into()));
        self
    }

    /// Declares a user.
    pub fn user(mut self, user: NewUser) -> Self {
        self.users.push(user);
        self
    }

    /// Declares a role.
    pub fn role(mut self, role: NewRole) -> Self {
        self.roles.push(role);
        self
    }

    /// Declares an issuer of web identities.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// The directory, or the first mistake.
    pub fn build(self) -> Result<Directory, DirectoryError> {
        let known = Known::new(self.policies)?;
        let defaults = self.defaults.unwrap_or_else(|| vec![DEFAULT_POLICY.to_owned()]);
        let undeclared = known.permissions("default_policies", &defaults, BTreeMap::new())?;
        let mut users = BTreeMap::new();
        for user in self.users {
            check_principal(&user.account, &user.name)?;
            if user.name == ROOT {
                return Err(DirectoryError::Root);
            }
            let permissions = known.permissions(&format!("user `{}`", user.name), &user.policies, user.tags)?;
            if users.insert(address(&user.account, &user.name), permissions).is_some() {
                return Err(DirectoryError::Twice { what: "user", name: user.name, account: user.account });
            }
        }
        let mut roles = BTreeMap::new();
        for role in self.roles {
            let role = known.role(role)?;
            let (account, name) = (role.account.clone(), role.name.clone());
            if roles.insert((account.clone(), name.clone()), Arc::new(role)).is_some() {
                return Err(DirectoryError::Twice { what: "role", name, account });
            }
        }
        let mut issuers: Vec<Arc<Issuer>> = Vec::new();
        for issuer in self.issuers {
            issuer.check()?;
            if issuers.iter().any(|other| other.issuer == issuer.issuer) {
                return Err(DirectoryError::TwoIssuers(issuer.issuer));
            }
            issuers.push(Arc::new(issuer));
        }
        let Known { policies, managed } = known;
        Ok(Directory { policies, managed, users, roles, issuers, undeclared, root: Arc::default() })
    }
}

/// The policies that may be named.
struct Known {
    policies: BTreeMap<String, Arc<Policy>>,
    managed: BTreeMap<&'static str, Arc<Policy>>,
}

impl Known {
    fn new(declared: Vec<(String, String)>) -> Result<Self, DirectoryError> {
        let parse = |name: &str, document: &str| {
            let policy = Policy::parse(document, PolicyKind::Identity);
            let bad = |reason: String| DirectoryError::BadPolicy { name: name.to_owned(), reason };
            // As it was named: one's own by its name, AWS's by its ARN.
            let shown = match managed::document(name) {
                Some(_) => format!("arn:aws:iam::aws:policy/{name}"),
                None => name.to_owned(),
            };
            policy.map(|policy| Arc::new(policy.named(&shown))).map_err(|error| bad(error.to_string()))
        };
        let mut managed = BTreeMap::new();
        for name in managed::names() {
            managed.insert(name, parse(name, managed::document(name).unwrap_or_default())?);
        }
        let mut policies = BTreeMap::new();
        for (name, document) in declared {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
            if !(1..=128).contains(&name.len()) || !name.bytes().all(fits) {
                return Err(DirectoryError::BadName(name));
            }
            if managed.contains_key(name.as_str()) {
                return Err(DirectoryError::ReservedPolicy(name));
            }
            let policy = parse(&name, &document)?;
            policies.insert(name, policy);
        }
        Ok(Self { policies, managed })
    }

    fn permissions(
        &self,
        of: &str,
        names: &[String],
        tags: BTreeMap<String, String>,
    ) -> Result<Arc<Permissions>, DirectoryError> {
        check_tags(&tags)?;
        let find = |name: &String| self.find(name).ok_or_else(|| self.unknown(of, name));
        let identity = names.iter().map(find).collect::<Result<_, _>>()?;
        Ok(Arc::new(Permissions { identity: Some(identity), session: Vec::new(), tags }))
    }

    fn find(&self, name: &str) -> Option<Arc<Policy>> {
        match names::parse(name)? {
            Named::Aws(name) => self.managed.get(name).cloned(),
            Named::Declared { name, .. } => self.policies.get(name).cloned(),
            Named::Either(name) => self.policies.get(name).or_else(|| self.managed.get(name)).cloned(),
        }
    }

    fn unknown(&self, of: &str, name: &str) -> DirectoryError {
        let declared = self.policies.keys().cloned();
        let known: Vec<String> = declared.chain(managed::names().map(str::to_owned)).collect();
        DirectoryError::NoSuchPolicy { of: of.to_owned(), name: name.to_owned(), known: known.join(", ") }
    }

    fn role(&self, role: NewRole) -> Result<Role, DirectoryError> {
        let NewRole { account, name, trust, policies, tags, max_session_seconds } = role;
        check_principal(&account, &name)?;
        if !SESSION_SECONDS.contains(&max_session_seconds) {
            return Err(DirectoryError::BadDuration { role: name, seconds: max_session_seconds });
        }
        let trust = Policy::parse(&trust, PolicyKind::Trust)
            .map_err(|error| DirectoryError::BadTrust { role: name.clone(), reason: error.to_string() })?;
        let permissions = self.permissions(&format!("role `{name}`"), &policies, tags)?;
        Ok(Role { account, name, trust, permissions, max_session_seconds })
    }
}

fn check_principal(account: &str, name: &str) -> Result<(), DirectoryError> {
    if !is_account(account) {
        return Err(DirectoryError::BadAccount(account.to_owned()));
    }
    check_name(name).map_err(|_| DirectoryError::BadName(name.to_owned()))
}

/// IAM's rule for tags, of principals and of sessions.
pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), DirectoryError> {
    let fits = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
    for (key, value) in tags {
        let long = !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256;
        if long
            || !fits(key)
            || !fits(value)
            || key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
            || tags.len() > MAX_TAGS
        {
            return Err(DirectoryError::BadTag(key.clone()));
        }
    }
    Ok(())
}
