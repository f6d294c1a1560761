//! `outcrop doctor --data`: where the text of prompts and answers can rest, and for how long.

#[cfg(test)]
mod tests;

use outcrop_server::config::{Config, PrefixSharing, Provider, ProviderKind, Retention};

/// Every place, a line each.
pub fn list(config: &Config) -> String {
    let mut rows = vec![("this server's log", "never: lines tell who, which model and how much, not what".to_owned())];
    rows.push(("computed prompts", prefixes(config)));
    rows.push(("response cache", cache(config)));
    rows.push((
        "kept responses",
        "of /v1/responses unless `store` is false, in the data folder until they are deleted; under the account's mode \
         `none` nothing is kept"
            .to_owned(),
    ));
    rows.push((
        "invocation logs",
        "of accounts that turned them on (PutModelInvocationLoggingConfiguration), in the buckets and log groups that \
         they name, until somebody deletes them there; of no other account"
            .to_owned(),
    ));
    rows.push(("audit trail", "never: records tell who, what and which policy decided, no content".to_owned()));
    rows.push(("local models", "nothing beyond the computed prompts above".to_owned()));
    let mut text = String::new();
    for (place, what) in rows {
        text += &format!("{place:<20}{what}\n");
    }
    for provider in &config.providers {
        text += &format!("{:<20}{}\n", format!("provider {}", provider.name), provider_line(provider));
    }
    text += "\nA call is never sent to a provider that keeps more than its account's data retention mode allows; an \
             account's mode is answered by GetAccountDataRetention (`aws bedrock get-account-data-retention`).\n";
    text
}

fn prefixes(config: &Config) -> String {
    match config.engine.prefix_sharing {
        PrefixSharing::None => "never".to_owned(),
        PrefixSharing::Account => within(config, "account"),
        PrefixSharing::Principal => within(config, "user, role session or API key"),
    }
}

fn within(config: &Config, whom: &str) -> String {
    format!(
        "of local models, in memory, for calls of the same {whom}: until {} bytes are full, the model is unloaded after \
         {} s without a call, or the server ends",
        config.engine.prefix_bytes, config.engine.idle_unload_seconds
    )
}

fn cache(config: &Config) -> String {
    let routes: Vec<String> = config
        .routes
        .iter()
        .filter_map(|route| Some(format!("{} for {} s", route.model, route.cache_ttl_seconds?)))
        .collect();
    let routes = if routes.is_empty() { "no route has one".to_owned() } else { routes.join(", ") };
    format!(
        "in memory, at most {} bytes, never under `none`: {routes}; calls that ask for it by the request metadata \
         `outcrop-cache`, for 300 s",
        config.routing.cache_bytes
    )
}

fn provider_line(provider: &Provider) -> String {
    let keeps = match provider.data_retention {
        Retention::None => "declared to keep nothing: calls of every account",
        Retention::Default => "declared to keep what its terms say: not under the mode `none`",
        Retention::ProviderDataShare => {
            "declared to share with the model's maker: only under the mode `provider_data_share`"
        }
    };
    let recordings = match (&provider.recordings, provider.record) {
        (Some(folder), true) => format!("; exchanges are recorded in {} until they are deleted", folder.display()),
        (Some(folder), false) => format!("; answers come from the recordings in {}", folder.display()),
        (None, _) => String::new(),
    };
    let script = if provider.kind == ProviderKind::Scripted { "; scripted, nothing leaves this process" } else { "" };
    format!("{keeps}{recordings}{script}")
}
