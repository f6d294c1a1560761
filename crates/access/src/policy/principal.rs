//! Who asks, and whom a policy names.

use super::document::Node;
use super::{Decision, PolicyError};
use crate::account::is_account;
use outcrop_wire::arn::Arn;

/// Who asks, in every name that a policy may know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Principal<'a> {
    /// Twelve digits; empty for a federated principal, which belongs to none.
    pub account: &'a str,
    /// The caller's ARN: a user's, `…:root`, or an assumed role's session.
    pub arn: &'a str,
    /// The role's own ARN behind a session.
    pub role: Option<&'a str>,
    /// The provider that vouches, where the caller comes by web identity: its URL without scheme, or its ARN.
    pub federated: Option<&'a str>,
    /// The AWS service that asks in its own name: `bedrock.amazonaws.com`.
    pub service: Option<&'a str>,
}

#[derive(Debug)]
enum One {
    /// `"*"`, `{"AWS": "*"}`: whoever signs.
    Anyone,
    /// `{"Federated": "*"}`: whomever a provider vouches for.
    AnyFederated,
    Account(Box<str>),
    Arn(Box<str>),
    Federated(Box<str>),
    Service(Box<str>),
    /// `{"CanonicalUser": …}`: nobody who calls here.
    Nobody,
}

/// The principals of a statement.
#[derive(Debug)]
pub(super) struct Principals {
    list: Vec<One>,
    not: bool,
}

impl Principals {
    pub(super) fn parse(node: &Node, path: &str, not: bool) -> Result<Self, PolicyError> {
        let list = match node {
            Node::Text(text) if text == "*" => vec![One::Anyone],
            Node::Object(members) if !members.is_empty() => {
                let mut list = Vec::new();
                for (kind, values) in members {
                    let path = format!("{path}.{kind}");
                    for value in values.texts(&path, false)? {
                        list.push(one(kind, value).ok_or_else(|| {
                            PolicyError::new(&path, format!("Invalid principal in policy: \"{kind}\":\"{value}\""))
                        })?);
                    }
                }
                list
            }
            _ => return Err(PolicyError::syntax(path, "A principal is \"*\" or an object such as {\"AWS\": …}.")),
        };
        if list.is_empty() {
            return Err(PolicyError::new(path, "Policy statement must contain principals."));
        }
        Ok(Self { list, not })
    }

    /// How far the statement reaches the caller, if it does.
    pub(super) fn reach(&self, who: &Principal<'_>) -> Option<Decision> {
        match self.not {
            true => (!self.spares(who)).then_some(Decision::Allow),
            false => self.list.iter().filter_map(|one| one.reach(who)).max(),
        }
    }

    /// Whether `NotPrincipal` leaves the caller out. As AWS has it, a user is spared only where its account is named
    /// beside it, and a session only where account, role and session are; an account alone spares its owner.
    fn spares(&self, who: &Principal<'_>) -> bool {
        let names = |arn: &str| self.list.iter().any(|one| matches!(one, One::Arn(named) if **named == *arn));
        let account = self.list.iter().any(|one| matches!(one, One::Account(named) if **named == *who.account));
        let itself = || who.is_owner() || names(who.arn) && who.role.is_none_or(names);
        let otherwise = |one: &One| !matches!(one, One::Account(_) | One::Arn(_)) && one.reach(who).is_some();
        account && itself() || self.list.iter().any(otherwise)
    }
}

impl Principal<'_> {
    fn is_owner(&self) -> bool {
        self.arn.ends_with(":root")
    }
}

fn one(kind: &str, value: &str) -> Option<One> {
    match (kind, value) {
        ("AWS", "*") => Some(One::Anyone),
        ("Federated", "*") => Some(One::AnyFederated),
        ("AWS", account) if is_account(account) => Some(One::Account(account.into())),
        ("AWS", text) => {
            let arn = Arn::parse(text).filter(|arn| is_account(arn.account) && !text.contains(['*', '?']))?;
            match (arn.service, arn.resource) {
                ("iam", "root") => Some(One::Account(arn.account.into())),
                ("iam", resource) if resource.starts_with("user/") || resource.starts_with("role/") => {
                    Some(One::Arn(text.into()))
                }
                ("sts", resource)
                    if resource.starts_with("assumed-role/") || resource.starts_with("federated-user/") =>
                {
                    Some(One::Arn(text.into()))
                }
                _ => None,
            }
        }
        ("Federated", text) if !text.is_empty() => Some(One::Federated(provider(text).into())),
        ("Service", text) if text.contains('.') => Some(One::Service(text.into())),
        ("CanonicalUser", text) if !text.is_empty() => Some(One::Nobody),
        _ => None,
    }
}

/// An OpenID provider's name, whether it is written as a URL, as a name or as an ARN.
fn provider(text: &str) -> &str {
    let name = match text.split_once(":oidc-provider/") {
        Some((arn, name)) if arn.starts_with("arn:") => name,
        _ => text.strip_prefix("https://").unwrap_or(text),
    };
    name.strip_suffix('/').unwrap_or(name)
}

impl One {
    fn reach(&self, who: &Principal<'_>) -> Option<Decision> {
        match self {
            Self::Service(name) if who.service == Some(&**name) => Some(Decision::Allow),
            Self::Anyone if who.federated.is_none() => Some(Decision::Allow),
            Self::AnyFederated if who.federated.is_some() => Some(Decision::Allow),
            // The owner is the account; for others it is theirs to hand out.
            Self::Account(account) if **account == *who.account => {
                Some(if who.is_owner() { Decision::Allow } else { Decision::AllowAccount })
            }
            Self::Arn(arn) if **arn == *who.arn || who.role == Some(&**arn) => Some(Decision::Allow),
            Self::Federated(name) if who.federated.is_some_and(|by| *provider(by) == **name) => Some(Decision::Allow),
            _ => None,
        }
    }
}
