//! What a kind of resource is called, and whose it is.

use outcrop_store::Key;

use crate::Ids;

/// Whose resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope<'a> {
    /// The twelve digits of an AWS account.
    pub account: &'a str,
    /// An AWS region's name.
    pub region: &'a str,
}

impl Scope<'_> {
    /// The same, in the store's words.
    pub fn owned(self) -> outcrop_store::Scope {
        outcrop_store::Scope::new(self.account, self.region)
    }
}

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its name in the store; never changed once there is data.
    pub name: &'static str,
    /// Its name in messages, as a sentence begins with it: `Inference profile`.
    pub noun: &'static str,
    /// Its resource type in ARNs.
    pub arn: &'static str,
    /// What its ids look like.
    pub ids: Ids,
}

impl Kind {
    /// The ARN of `id`.
    pub fn arn(&self, scope: Scope<'_>, id: &str) -> String {
        format!("arn:aws:bedrock:{}:{}:{}/{id}", scope.region, scope.account, self.arn)
    }

    /// The id in an ARN of this kind in this scope.
    pub fn id_in<'a>(&self, scope: Scope<'_>, arn: &'a str) -> Option<&'a str> {
        arn.strip_prefix(self.arn(scope, "").as_str()).filter(|id| !id.is_empty())
    }

    /// The id that an operation's identifier, an id or an ARN, means in this scope; an ARN of another account,
    /// region or kind means nothing here.
    pub fn id<'a>(&self, scope: Scope<'_>, identifier: &'a str) -> Option<&'a str> {
        if identifier.starts_with("arn:") { self.id_in(scope, identifier) } else { Some(identifier) }
    }

    pub(crate) fn key(&self, scope: Scope<'_>, id: &str) -> Key {
        scope.owned().key(self.name, id)
    }
}
