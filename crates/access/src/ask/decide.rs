//! What several policies say together: "Policy evaluation logic" of the IAM user guide.

use crate::error::Denial;
use crate::{Decision, Policy, Request};
use std::sync::Arc;

/// The policies that have a say.
pub(super) struct Sides<'a> {
    /// Of the user or role; `None` is the owner of the account.
    pub identity: Option<&'a [Arc<Policy>]>,
    /// Of the session; none narrow nothing.
    pub session: &'a [Arc<Policy>],
    /// Of the resource.
    pub resource: Option<&'a Policy>,
    /// Whether the resource is another account's.
    pub foreign: bool,
}

/// An explicit deny anywhere is final. Within an account either the identity's or the resource's policy may allow,
/// across accounts both must. A session may no more than its own policies say, whoever allows the rest.
pub(super) fn decide(sides: &Sides<'_>, request: &Request<'_>) -> Result<(), Denial> {
    let of = |policies: &[Arc<Policy>]| policies.iter().map(|policy| policy.evaluate(request)).max();
    let identity = match sides.identity {
        None => Decision::Allow,
        Some(policies) => of(policies).unwrap_or(Decision::Silent),
    };
    let resource = sides.resource.map_or(Decision::Silent, |policy| policy.evaluate(request));
    // No session policy at all is not one that is silent.
    let session = of(sides.session).unwrap_or(Decision::Allow);
    for (decision, why) in
        [(identity, Denial::IdentityDenies), (resource, Denial::ResourceDenies), (session, Denial::SessionDenies)]
    {
        if decision == Decision::Deny {
            return Err(why);
        }
    }
    let granted = match sides.foreign {
        true if resource == Decision::Silent => return Err(Denial::ResourceSilent),
        true => identity == Decision::Allow,
        // A grant to the account is its identities' to receive; one to the principal itself is enough.
        false => identity == Decision::Allow || resource == Decision::Allow,
    };
    match (granted, session == Decision::Allow) {
        (false, _) => Err(Denial::IdentitySilent),
        (true, false) => Err(Denial::SessionSilent),
        (true, true) => Ok(()),
    }
}
