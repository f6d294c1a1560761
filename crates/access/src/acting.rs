//! Acting for a role: what a resource does by itself, a knowledge base that reads its documents, it does with the
//! permissions of a role, long after the request that made it.
//!
//! Whoever gives a resource a role must be let pass it ([`Acting::pass_role`]); the role must let the service assume it
//! ([`Acting::role`]). Both are asked again each time, so that what is taken out of the configuration is gone at once.

#[cfg(test)]
mod tests;

use crate::account::is_account;
use crate::directory::Role;
use crate::policy::{Decision, Keys as ConditionKeys, Principal, Request};
use crate::{AccessError, Caller, CallerKind, Context, Decided, Directory, Mode, Permissions, ResourcePolicies, Trail};
use arc_swap::ArcSwap;
use outcrop_api::{AwsError, Kind};
use std::fmt;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The service that all resources of Bedrock act through.
pub const BEDROCK: &str = "bedrock.amazonaws.com";

/// Makes contexts of roles. Cheap to clone, and every clone follows every new configuration.
#[derive(Clone)]
pub struct Acting(Arc<Inner>);

struct Inner {
    dev: bool,
    directory: ArcSwap<Directory>,
    resource_policies: ResourcePolicies,
    stop: CancellationToken,
}

/// What acts, where, and with which role.
#[derive(Debug, Clone, Copy)]
pub struct As<'a> {
    /// The resource's account.
    pub account: &'a str,
    /// The resource's Region.
    pub region: &'a str,
    /// Its role.
    pub role_arn: &'a str,
    /// Who assumes it, as trust policies name it: [`BEDROCK`].
    pub service: &'a str,
    /// The resource's ARN, for trust policies that ask `aws:SourceArn`.
    pub source_arn: Option<&'a str>,
}

/// Why nobody can act with a role. What a caller reads of it is the resource's to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActingError {
    /// It is no role's ARN, or has a path, which roles here have not.
    #[error("{0} is not the ARN of a role without a path")]
    Malformed(String),
    /// It is another account's.
    #[error("the role {0} belongs to another account")]
    Foreign(String),
    /// It is not declared in the configuration.
    #[error("the role {0} is not declared: [[access.roles]] of the configuration declares roles")]
    Unknown(String),
    /// Its trust policy does not let the service assume it.
    #[error("the trust policy of {role} does not let {service} assume it")]
    Untrusted {
        /// The role.
        role: String,
        /// Who asked.
        service: String,
    },
}

impl AwsError for ActingError {
    fn kind(&self) -> Kind {
        Kind::Validation
    }

    fn message(&self) -> String {
        match self {
            Self::Malformed(arn) => format!("The provided role {arn} is not valid."),
            // Whether a role exists is nobody's to find out.
            Self::Foreign(arn) | Self::Unknown(arn) | Self::Untrusted { role: arn, .. } => format!(
                "The service was unable to assume the role {arn}. Provide the proper permissions and retry the request."
            ),
        }
    }
}

impl Acting {
    /// Roles of `directory` under `mode`; `stop` cancels what they do when the server ends.
    pub fn new(
        mode: &Mode,
        directory: Arc<Directory>,
        resource_policies: ResourcePolicies,
        stop: CancellationToken,
    ) -> Self {
        let dev = matches!(mode, Mode::Dev);
        Self(Arc::new(Inner { dev, directory: ArcSwap::new(directory), resource_policies, stop }))
    }

    /// Puts another directory in force, for all clones.
    pub fn follow(&self, directory: Arc<Directory>) {
        self.0.directory.store(directory);
    }

    /// Whether the caller may hand `role_arn` to `service`: `iam:PassRole`.
    pub fn pass_role(&self, cx: &Context, role_arn: &str, service: &str) -> Result<(), AccessError> {
        let here = match self.parse(role_arn) {
            Some((account, name)) if self.0.dev && account != &*cx.caller.account => {
                Some(format!("arn:aws:iam::{}:role/{name}", cx.caller.account))
            }
            _ => None,
        };
        cx.ask("iam:PassRole").on(here.as_deref().unwrap_or(role_arn)).with("iam:PassedToService", service).check()
    }

    /// The role's context. In `outcrop dev` a role that is not declared may do everything in the
    /// resource's account; a declared one is itself there, too. Programs bring ARNs of accounts that are not here: there
    /// such a one stands for the role of its name in the resource's own.
    pub fn role(&self, asked: As<'_>) -> Result<Context, ActingError> {
        let arn = asked.role_arn;
        let (account, name) = self.parse(arn).ok_or_else(|| ActingError::Malformed(arn.to_owned()))?;
        if account != asked.account && !self.0.dev {
            return Err(ActingError::Foreign(arn.to_owned()));
        }
        let account = asked.account;
        let trail = Trail::default();
        let permissions = match self.0.directory.load().role(account, name) {
            Some(role) if !trusts(&role, &asked, &trail) => {
                return Err(ActingError::Untrusted { role: arn.to_owned(), service: asked.service.to_owned() });
            }
            Some(role) => Arc::clone(&role.permissions),
            None if self.0.dev => Arc::<Permissions>::default(),
            None => return Err(ActingError::Unknown(arn.to_owned())),
        };
        // As AWS names such sessions: by the service.
        let session = asked.service.split('.').next().unwrap_or_default();
        let caller = Caller {
            account: account.to_owned(),
            arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
            user_id: format!("{}:{session}", crate::keys::role_id(account, name)),
            access_key_id: None,
            api_key_id: None,
            kind: CallerKind::Session,
        };
        Ok(Context {
            permissions,
            resource_policies: self.0.resource_policies.clone(),
            request_id: uuid::Uuid::new_v4().to_string(),
            trail,
            cancel: self.0.stop.child_token(),
            ..Context::new(caller, asked.region, "bedrock")
        })
    }

    /// Account and name of `arn:aws:iam::ACCOUNT:role/NAME`. Declared roles have no path, so none leads to one: what a
    /// policy allows to pass by the ARN is the role that acts. `outcrop dev` passes paths over, which samples have.
    fn parse<'a>(&self, arn: &'a str) -> Option<(&'a str, &'a str)> {
        let (account, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
        let name = path.rsplit_once('/').filter(|_| self.0.dev).map_or(path, |(_, name)| name);
        (is_account(account) && crate::keys::check_name(name).is_ok()).then_some((account, name))
    }
}

impl Default for Acting {
    /// As in `outcrop dev`, with nobody declared.
    fn default() -> Self {
        Self::new(&Mode::Dev, Arc::default(), ResourcePolicies::default(), CancellationToken::new())
    }
}

impl fmt::Debug for Acting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acting").field("dev", &self.0.dev).finish_non_exhaustive()
    }
}

/// Whether the role's trust policy lets the service in, told whose resource it acts for.
fn trusts(role: &Role, asked: &As<'_>, trail: &Trail) -> bool {
    let mut keys = ConditionKeys::new();
    keys.set("aws:SourceAccount", asked.account);
    keys.set("aws:RequestedRegion", asked.region);
    keys.set("aws:PrincipalIsAWSService", "true");
    keys.set("aws:PrincipalServiceName", asked.service);
    if let Some(arn) = asked.source_arn {
        keys.set("aws:SourceArn", arn);
    }
    let arn = role.arn();
    let principal = Principal { service: Some(asked.service), ..Principal::default() };
    let request = Request { action: "sts:AssumeRole", resource: &arn, principal, keys: &keys };
    let said = role.trust.said(&request);
    let allowed = said.decision == Decision::Allow;
    trail.decided(Decided {
        action: request.action.to_owned(),
        resource: Some(arn.clone()),
        allowed,
        kind: "trust",
        policy: None,
        statement: said.statement(),
    });
    allowed
}
