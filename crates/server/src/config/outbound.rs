//! Connections that the server opens.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use outcrop_outbound::{HostRule, OutboundError, ProxyUrl, Settings};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::SecretRef;

#[cfg(test)]
mod tests;

/// `[outbound]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Outbound {
    pub offline: bool,
    #[serde(deserialize_with = "rules", serialize_with = "written")]
    pub allow: Vec<HostRule>,
    #[serde(deserialize_with = "proxy", serialize_with = "shown")]
    pub proxy: Option<ProxyUrl>,
    pub proxy_credentials: Option<SecretRef>,
    pub no_proxy: Vec<String>,
    pub ca_file: Option<PathBuf>,
    pub connect_timeout_seconds: NonZeroU32,
    pub idle_timeout_seconds: NonZeroU32,
    pub idle_per_host: NonZeroUsize,
}

impl Default for Outbound {
    fn default() -> Self {
        Self {
            offline: false,
            allow: Vec::new(),
            proxy: None,
            proxy_credentials: None,
            no_proxy: Vec::new(),
            ca_file: None,
            connect_timeout_seconds: const { NonZeroU32::new(10).unwrap() },
            idle_timeout_seconds: const { NonZeroU32::new(50).unwrap() },
            idle_per_host: const { NonZeroUsize::new(64).unwrap() },
        }
    }
}

impl Outbound {
    /// What the way out is made from, with the proxies that `environment` names where none is set here.
    pub fn settings(&self, environment: impl Fn(&str) -> Option<String>) -> Result<Settings, OutboundError> {
        let proxy = match (&self.proxy, &self.proxy_credentials) {
            (Some(proxy), Some(credentials)) => Some(proxy.with_credentials(credentials.expose())?),
            (None, Some(_)) => {
                let why = "outbound.proxy_credentials is set, and outbound.proxy is not";
                return Err(OutboundError::Settings(why.into()));
            }
            (proxy, None) => proxy.clone(),
        };
        let seconds = |seconds: NonZeroU32| Duration::from_secs(seconds.get().into());
        let settings = Settings {
            offline: self.offline,
            allow: self.allow.clone(),
            http_proxy: proxy.clone(),
            proxy,
            no_proxy: self.no_proxy.clone(),
            ca_file: self.ca_file.clone(),
            connect_timeout: seconds(self.connect_timeout_seconds),
            idle_timeout: seconds(self.idle_timeout_seconds),
            idle_per_host: self.idle_per_host.get(),
        };
        settings.with_environment(environment)
    }

    /// The way out, with the process's environment.
    pub fn open(&self) -> Result<outcrop_outbound::Outbound, OutboundError> {
        outcrop_outbound::Outbound::new(self.settings(|name| std::env::var(name).ok())?)
    }
}

fn read<'de, T: FromStr<Err = OutboundError>, D: Deserializer<'de>>(text: &str) -> Result<T, D::Error> {
    text.parse().map_err(de::Error::custom)
}

pub(super) fn rules<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HostRule>, D::Error> {
    Vec::<String>::deserialize(deserializer)?.iter().map(|text| read::<_, D>(text)).collect()
}

fn proxy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ProxyUrl>, D::Error> {
    let text = String::deserialize(deserializer)?;
    // The configuration is shown to people: a secret stands there as a reference.
    if text.contains('@') {
        return Err(de::Error::custom("a user and a password belong into proxy_credentials"));
    }
    read::<_, D>(&text).map(Some)
}

pub(super) fn written<S: Serializer>(rules: &[HostRule], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rules.iter().map(ToString::to_string))
}

fn shown<S: Serializer>(proxy: &Option<ProxyUrl>, serializer: S) -> Result<S::Ok, S::Error> {
    proxy.as_ref().map(ToString::to_string).serialize(serializer)
}
