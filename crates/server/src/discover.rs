//! Providers that nobody configured, for `outcrop dev` alone: model servers on their usual ports of this machine, and
//! those for which the environment holds a key.
//!
//! Never: what the configuration already has, or this server itself (whoever tries it out points OPENAI_BASE_URL at
//! it); a key in a line, a log or `Debug`.

#[cfg(test)]
mod tests;

use http::Uri;
use outcrop_providers::Kind;

use crate::config::{Config, Provider, SecretRef};

/// How to be rid of what was found.
const OFF: &str = "off: [dev] discover = false, OUTCROP_DISCOVER=off";

/// Model servers by the ports that they listen on unless told otherwise.
pub(crate) const USUAL: [(&str, u16); 4] =
    [("ollama", 11434), ("llama-cpp", 8080), ("vllm", 8000), ("lm-studio", 1234)];

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Discovered {
    /// As a configuration would say it.
    pub provider: Provider,
    /// Where it was found, for people.
    pub place: String,
}

impl Discovered {
    /// Its line of the start-up table.
    pub(crate) fn line(&self, models: usize) -> String {
        let serves = self.provider.serves.len();
        let what = match (models, serves) {
            (0, 0) => String::new(),
            (0, 1) => format!(", answers for {}", self.provider.serves[0]),
            (0, _) => ", answers for the catalogue's models".to_owned(),
            (1, _) => format!(", 1 model as {}.*", self.provider.name),
            (n, _) => format!(", {n} models as {}.*", self.provider.name),
        };
        format!("{} found {}{what} ({OFF})", self.provider.name, self.place)
    }
}

/// The candidates on this machine: whether they are there is yet to be asked.
pub(crate) fn on_this_machine(config: &Config, own_port: Option<u16>, usual: &[(&str, u16)]) -> Vec<Discovered> {
    let free = |port: &u16| {
        let taken = |provider: &Provider| provider.url.as_deref().and_then(loopback_port) == Some(*port);
        Some(*port) != own_port && !config.providers.iter().any(taken)
    };
    let candidate = |(name, port): &(&str, u16)| Discovered {
        provider: Provider {
            name: (*name).to_owned(),
            kind: Kind::OpenAi,
            url: Some(format!("http://127.0.0.1:{port}/v1")),
            ..Provider::default()
        },
        place: format!("at 127.0.0.1:{port}"),
    };
    let named = |found: &Discovered| config.providers.iter().any(|p| p.name == found.provider.name);
    let candidates = usual.iter().filter(|(_, port)| free(port)).map(candidate);
    candidates.filter(|found| !named(found)).collect()
}

/// The providers for which the environment holds a key.
pub(crate) fn in_environment(
    config: &Config,
    own_port: Option<u16>,
    environment: impl Fn(&str) -> Option<String>,
) -> Vec<Discovered> {
    let get = |name: &str| environment(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let mut found = Vec::new();
    // Keys of Bedrock clients that are pointed at another endpoint, most likely this one, are not AWS's.
    let elsewhere = get("AWS_ENDPOINT_URL").or_else(|| get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")).is_some();
    let region = get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION"));
    if let (Some(key), Some(region), false) = (get("AWS_BEARER_TOKEN_BEDROCK"), region, elsewhere) {
        let provider = Provider { name: "bedrock".into(), region: Some(region), ..Provider::default() };
        let serves = MAKERS.iter().map(|maker| format!("{maker}.*")).collect();
        found.push(keyed(Provider { kind: Kind::Bedrock, serves, ..provider }, "AWS_BEARER_TOKEN_BEDROCK", key));
    }
    for (name, kind, variables, url, serves) in KEYED {
        let key = variables.iter().find_map(|variable| Some((*variable, get(variable)?)));
        let Some((variable, key)) = key else { continue };
        let serves = serves.iter().map(ToString::to_string).collect();
        let provider = Provider { name: name.into(), kind, url: url.and_then(get), serves, ..Provider::default() };
        found.push(keyed(provider, variable, key));
    }
    let Ok(outbound) = config.outbound.open() else { return Vec::new() };
    found.retain(|found| {
        let provider = &found.provider;
        let itself = |url: &str| own_port.is_some() && loopback_port(url) == own_port;
        let url = provider.url.as_deref();
        let reachable = match url {
            Some(url) => outbound.endpoint(url).is_ok(),
            None => !outbound.offline(),
        };
        // A kind that is not built, or a base URL that is none.
        let opens = || outcrop_providers::open(&provider.settings(), &outbound).is_ok();
        !url.is_some_and(itself) && !config.providers.iter().any(|p| p.name == provider.name) && reachable && opens()
    });
    found
}

type Keyed = (&'static str, Kind, &'static [&'static str], Option<&'static str>, &'static [&'static str]);

/// Name, kind, variables of its key and of its base URL, models that it serves. OpenAI's own service has none of the
/// catalogue's, whose `openai.*` models are those with open weights.
const KEYED: [Keyed; 4] = [
    ("openai", Kind::OpenAi, &["OPENAI_API_KEY"], Some("OPENAI_BASE_URL"), &[]),
    ("anthropic", Kind::Anthropic, &["ANTHROPIC_API_KEY"], Some("ANTHROPIC_BASE_URL"), &["anthropic.*"]),
    ("mistral", Kind::Mistral, &["MISTRAL_API_KEY"], None, &["mistral.*"]),
    ("cohere", Kind::Cohere, &["COHERE_API_KEY", "CO_API_KEY"], None, &["cohere.*"]),
];

/// Whose models Bedrock has: the first parts of the catalogue's ids, which are not those of this server's own models.
const MAKERS: [&str; 20] = [
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "luma",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "stability",
    "twelvelabs",
    "writer",
    "xai",
    "zai",
];

fn keyed(provider: Provider, variable: &str, key: String) -> Discovered {
    let api_key = Some(SecretRef::of_environment(variable, key));
    Discovered { provider: Provider { api_key, ..provider }, place: format!("by {variable}") }
}

/// `config` and what was found, less what it has itself.
pub(crate) fn joined(config: &Config, found: &[Discovered]) -> Config {
    let mut config = config.clone();
    if config.dev.discover {
        for one in found {
            let port = one.provider.url.as_deref().and_then(loopback_port);
            let same = |other: &Provider| {
                let place = other.url.as_deref().and_then(loopback_port);
                other.name == one.provider.name || (port.is_some() && place == port)
            };
            if !config.providers.iter().any(same) {
                config.providers.push(one.provider.clone());
            }
        }
    }
    config
}

/// The port of a URL on this machine.
pub(crate) fn loopback_port(url: &str) -> Option<u16> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let port = uri.port_u16().or(if uri.scheme_str() == Some("https") { Some(443) } else { Some(80) });
    port.filter(|_| here)
}
