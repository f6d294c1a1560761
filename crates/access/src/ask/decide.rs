//! What several policies say together: "Policy evaluation logic" of the IAM user guide.

use crate::error::Denial;
use crate::policy::Said;
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

/// What they say, and which of them was decisive.
pub(super) struct Verdict<'a> {
    pub result: Result<(), Denial>,
    /// `identity`, `resource` or `session`.
    pub kind: &'static str,
    pub said: Said<'a>,
}

/// An explicit deny anywhere is final. Within an account either the identity's or the resource's policy may allow,
/// across accounts both must. A session may no more than its own policies say, whoever allows the rest.
pub(super) fn decide<'a>(sides: &Sides<'a>, request: &Request<'_>) -> Verdict<'a> {
    let identity = match sides.identity {
        None => Said { decision: Decision::Allow, ..Said::SILENT },
        Some(policies) => Said::of(policies, request).unwrap_or(Said::SILENT),
    };
    let resource = sides.resource.map_or(Said::SILENT, |policy| policy.said(request));
    // No session policy at all is not one that is silent.
    let session = Said::of(sides.session, request);
    let narrowing = session.map_or(Decision::Allow, |session| session.decision);
    let verdict = |result, kind, said| Verdict { result, kind, said };
    for (said, kind, why) in [
        (Some(identity), "identity", Denial::IdentityDenies),
        (Some(resource), "resource", Denial::ResourceDenies),
        (session, "session", Denial::SessionDenies),
    ] {
        if let Some(said) = said.filter(|said| said.decision == Decision::Deny) {
            return verdict(Err(why), kind, said);
        }
    }
    let allows = |said: &Said<'_>| said.decision == Decision::Allow;
    let granted = match sides.foreign {
        true if resource.decision == Decision::Silent => {
            return verdict(Err(Denial::ResourceSilent), "resource", resource);
        }
        true => allows(&identity),
        // A grant to the account is its identities' to receive; one to the principal itself is enough.
        false => allows(&identity) || allows(&resource),
    };
    match (granted, narrowing == Decision::Allow) {
        (false, _) => verdict(Err(Denial::IdentitySilent), "identity", Said::SILENT),
        (true, false) => verdict(Err(Denial::SessionSilent), "session", Said::SILENT),
        (true, true) if allows(&identity) => verdict(Ok(()), "identity", identity),
        (true, true) => verdict(Ok(()), "resource", resource),
    }
}
