//! How policies are named: by themselves, or by ARN.

use crate::account::is_account;

/// What a policy's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named<'a> {
    /// A declared policy or AWS's own.
    Either(&'a str),
    /// `arn:aws:iam::aws:policy/NAME`.
    Aws(&'a str),
    /// `arn:aws:iam::ACCOUNT:policy/NAME`: declared ones belong to every account.
    Declared { account: &'a str, name: &'a str },
}

/// Reads a name or an ARN; none where it is an ARN of another kind.
pub(super) fn parse(text: &str) -> Option<Named<'_>> {
    let Some(rest) = text.strip_prefix("arn:") else {
        return Some(Named::Either(text));
    };
    let mut parts = rest.splitn(5, ':');
    let (_partition, service, region) = (parts.next()?, parts.next()?, parts.next()?);
    let (account, resource) = (parts.next()?, parts.next()?);
    // A path before the name means nothing here: names are unique.
    let name = resource.strip_prefix("policy/")?.rsplit('/').next()?;
    match account {
        _ if service != "iam" || !region.is_empty() || name.is_empty() => None,
        "aws" => Some(Named::Aws(name)),
        account if is_account(account) => Some(Named::Declared { account, name }),
        _ => None,
    }
}
