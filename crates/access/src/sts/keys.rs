//! The condition keys of a call to STS.

use crate::policy::{Keys, Principal};
use crate::{CallerKind, ClientInfo, Context};
use jiff::Timestamp;

/// What is known of the connection and the time.
pub(super) fn of_client(keys: &mut Keys, client: &ClientInfo, now: Timestamp) {
    if let Some(ip) = client.ip {
        keys.set("aws:SourceIp", ip.to_string());
    }
    keys.set("aws:SecureTransport", client.secure.to_string());
    keys.set("aws:CurrentTime", now.to_string());
    keys.set("aws:EpochTime", now.as_second().to_string());
}

/// What is known of the caller besides.
pub(super) fn of_caller(cx: &Context, now: Timestamp) -> Keys {
    let mut keys = Keys::new();
    of_client(&mut keys, &cx.client, now);
    let role = role(cx);
    keys.set("aws:PrincipalArn", role.clone().unwrap_or_else(|| cx.caller.arn.clone()));
    keys.set("aws:PrincipalAccount", cx.caller.account.as_str());
    let kind = match role {
        _ if cx.caller.arn.ends_with(":root") => "Account",
        Some(_) => "AssumedRole",
        None => "User",
    };
    keys.set("aws:PrincipalType", kind);
    keys.set("aws:userid", cx.caller.user_id.as_str());
    if let Some((_, name)) = cx.caller.arn.split_once(":user/") {
        keys.set("aws:username", name);
    }
    keys.set("aws:RequestedRegion", cx.region.as_str());
    for (key, value) in &cx.permissions.tags {
        keys.set(&format!("aws:PrincipalTag/{key}"), value.as_str());
    }
    if cx.caller.kind == CallerKind::Session {
        // No session here was made with a second factor.
        keys.set("aws:MultiFactorAuthPresent", "false");
    }
    keys
}

/// The ARN of the role behind a session.
pub(super) fn role(cx: &Context) -> Option<String> {
    let (head, rest) = cx.caller.arn.split_once(":assumed-role/")?;
    let account = head.rsplit(':').next()?;
    Some(format!("arn:aws:iam::{account}:role/{}", rest.split('/').next()?))
}

/// The caller as a policy names it; `role` is [`role`]'s answer.
pub(super) fn principal<'a>(cx: &'a Context, role: Option<&'a str>) -> Principal<'a> {
    Principal { account: &cx.caller.account, arn: &cx.caller.arn, role, federated: None }
}
