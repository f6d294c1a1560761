//! The global condition keys of a call.

use crate::{ClientInfo, ConditionKeys, Context};
use jiff::Timestamp;

/// All that is known of the call, and what the operation adds: it knows better in which Region a call may run.
pub(crate) fn of(cx: &Context, resource_account: &str, own: &[(String, Vec<String>)]) -> ConditionKeys {
    let mut keys = ConditionKeys::new();
    let caller = &cx.caller;
    of_client(&mut keys, &cx.client);
    keys.set("aws:RequestedRegion", cx.region.clone());
    keys.set("aws:PrincipalAccount", caller.account.clone());
    // A session's principal is its role.
    keys.set("aws:PrincipalArn", caller.role_arn().unwrap_or_else(|| caller.arn.clone()));
    keys.set("aws:PrincipalType", caller.principal_type());
    keys.set("aws:userid", caller.user_id.clone());
    if let Some(name) = caller.user_name() {
        keys.set("aws:username", name);
    }
    if !matches!(resource_account, "" | "aws") {
        keys.set("aws:ResourceAccount", resource_account);
    }
    for (key, value) in &cx.permissions.tags {
        keys.set(&format!("aws:PrincipalTag/{key}"), value.clone());
    }
    for (key, values) in own {
        keys.set_all(key, values.iter().cloned());
    }
    keys
}

/// What is known of a call before anybody is proven.
pub(crate) fn of_client(keys: &mut ConditionKeys, client: &ClientInfo) {
    let now = Timestamp::now();
    keys.set("aws:CurrentTime", now.to_string());
    keys.set("aws:EpochTime", now.as_second().to_string());
    keys.set("aws:SecureTransport", client.secure.to_string());
    if let Some(ip) = client.ip {
        keys.set("aws:SourceIp", ip.to_canonical().to_string());
    }
}
