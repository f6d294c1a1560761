//! `outcrop access`: who may do what.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use outcrop_access::keys::ROOT;
use outcrop_access::{Context, Policy, PolicyKind};
use outcrop_api::AwsError;
use outcrop_server::config::Config;

use crate::args;
use crate::text::say;

/// Runs one of the commands.
pub fn run(command: args::Access) -> Result<(), String> {
    let args::Access::Check { principal, action, resource, region, keys, resource_policy, config } = command;
    let config = Config::load(config.as_deref(), |name| std::env::var(name).ok()).map_err(|e| e.to_string())?;
    let directory = config.access.directory().map_err(|e| e.to_string())?;
    let unknown = || format!("{principal} is neither an owner nor a user, nor a role of this configuration");
    let (caller, permissions) = directory.principal(&principal).ok_or_else(unknown)?;
    let mut cx = Context::new(caller, &region, "bedrock");
    cx.permissions = permissions;
    let mut ask = cx.ask(&action);
    if let Some(arn) = &resource {
        if let Some(file) = &resource_policy {
            cx.resource_policies.replace(HashMap::from([(arn.clone(), Arc::new(read(file)?))]));
        }
        ask = ask.on(arn);
    }
    for (key, value) in keys {
        ask = ask.with(&key, value);
    }
    let note = undeclared(&config, &principal);
    ask.check().map_err(|error| error.message() + &note)?;
    say(&format!("allowed{note}\n"))
}

/// Said of a user that is not declared: a mistyped name looks like one.
fn undeclared(config: &Config, principal: &str) -> String {
    let Some((account, path)) = principal.strip_prefix("arn:aws:iam::").and_then(|arn| arn.split_once(":user/")) else {
        return String::new();
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    if name == ROOT || config.access.users.iter().any(|user| user.account == account && user.name == name) {
        return String::new();
    }
    format!("\n({name} is not declared under [[access.users]]: default_policies apply)")
}

fn read(file: &Path) -> Result<Policy, String> {
    let told = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let text = std::fs::read_to_string(file).map_err(|e| told(&e))?;
    Policy::parse(&text, PolicyKind::Resource).map_err(|e| told(&e))
}
