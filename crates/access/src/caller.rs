//! The proven caller.

use outcrop_wire::arn::Arn;

/// Who a request comes from, proven or (in `outcrop dev`) believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// The principal, as `GetCallerIdentity` and every denial name it.
    pub arn: String,
    /// The principal's unique id.
    pub user_id: String,
    /// The key that signed; none behind a long-term API key.
    pub access_key_id: Option<String>,
    /// The long-term API key that was sent, by which it is listed; none behind a signature.
    pub api_key_id: Option<String>,
    /// By what it was proven.
    pub kind: CallerKind,
}

/// By what a caller was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// A long-term access key's signature.
    User,
    /// The signature of a session's temporary key.
    Session,
    /// A Bedrock API key, long-term or short-term, sent as a bearer token.
    ApiKey,
}

impl Caller {
    /// The owner of `account`, whom `outcrop dev` takes every key of the account for.
    pub fn root(account: &str, access_key_id: Option<&str>, kind: CallerKind) -> Self {
        Self {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:root"),
            user_id: account.to_owned(),
            access_key_id: access_key_id.map(str::to_owned),
            api_key_id: None,
            kind,
        }
    }

    /// The id of the key that the caller came with, an access key's or a long-term API key's; the user's where `outcrop
    /// dev` believes a key that it does not know.
    pub fn key(&self) -> &str {
        self.access_key_id.as_deref().or(self.api_key_id.as_deref()).unwrap_or(&self.user_id)
    }

    /// The role behind an assumed role's session.
    pub fn role_arn(&self) -> Option<String> {
        let arn = Arn::parse(&self.arn).filter(|arn| arn.service == "sts")?;
        let (role, _) = arn.resource.strip_prefix("assumed-role/")?.rsplit_once('/')?;
        Some(format!("arn:{}:iam::{}:role/{role}", arn.partition, arn.account))
    }

    /// `aws:username`: a user's name without its path; sessions and owners have none.
    pub(crate) fn user_name(&self) -> Option<&str> {
        let arn = Arn::parse(&self.arn).filter(|arn| arn.service == "iam")?;
        let user = arn.resource.strip_prefix("user/")?;
        Some(user.rsplit_once('/').map_or(user, |(_, name)| name))
    }

    /// `aws:PrincipalType`.
    pub(crate) fn principal_type(&self) -> &'static str {
        let resource = Arn::parse(&self.arn).map_or("", |arn| arn.resource);
        match resource.split_once('/').map_or(resource, |(kind, _)| kind) {
            "user" => "User",
            "assumed-role" => "AssumedRole",
            "federated-user" => "FederatedUser",
            _ => "Account",
        }
    }
}
