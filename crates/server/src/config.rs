//! `outcrop.toml`: one typed struct.
//!
//! The documented default file, [`DEFAULT_FILE`], is the default: a test holds the two together. A key that does not
//! exist is refused with its line and the key that was probably meant. The environment overrides the file for the
//! keys that people set per machine; the command line, which is not read here, overrides both.
//! Start at [`Config::load`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::listen::Limits;

mod error;
#[cfg(test)]
mod tests;

pub use error::ConfigError;

/// The documented defaults, as a file to start from.
pub const DEFAULT_FILE: &str = include_str!("../outcrop.default.toml");

/// Everything that can be set. The keys are explained in [`DEFAULT_FILE`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What lasts; without it, a folder in the user's data directory.
    pub data: Option<PathBuf>,
    /// What clients may hold.
    pub limits: ClientLimits,
    /// Who asks, where credentials say nothing.
    pub dev: Dev,
    /// Local models for catalogue models.
    pub stand_ins: StandIns,
    /// What of the catalogue is enforced.
    pub catalogue: Catalogue,
    /// Local inference.
    pub engine: Engine,
    /// Local models beyond the default ones.
    pub local_models: Vec<LocalModel>,
    /// Catalogue entries, read by the catalogue itself.
    pub models: Vec<toml::Table>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7711)),
            data: None,
            limits: ClientLimits::default(),
            dev: Dev::default(),
            stand_ins: StandIns::default(),
            catalogue: Catalogue::default(),
            engine: Engine::default(),
            local_models: Vec::new(),
            models: Vec::new(),
        }
    }
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct ClientLimits {
    pub body_bytes: NonZeroUsize,
    pub body_memory_bytes: NonZeroUsize,
    pub header_bytes: NonZeroUsize,
    pub connections: NonZeroUsize,
    pub requests: NonZeroUsize,
    pub streams_per_connection: NonZeroU32,
    pub header_timeout_seconds: NonZeroU32,
    pub body_timeout_seconds: NonZeroU32,
    pub idle_timeout_seconds: NonZeroU32,
    pub stall_timeout_seconds: NonZeroU32,
    pub request_timeout_seconds: NonZeroU32,
    pub grace_seconds: u32,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            body_bytes: const { NonZeroUsize::new(25_000_000).unwrap() },
            body_memory_bytes: const { NonZeroUsize::new(512 * 1024 * 1024).unwrap() },
            header_bytes: const { NonZeroUsize::new(64 * 1024).unwrap() },
            connections: const { NonZeroUsize::new(4096).unwrap() },
            requests: const { NonZeroUsize::new(1024).unwrap() },
            streams_per_connection: const { NonZeroU32::new(128).unwrap() },
            header_timeout_seconds: const { NonZeroU32::new(10).unwrap() },
            body_timeout_seconds: const { NonZeroU32::new(30).unwrap() },
            idle_timeout_seconds: const { NonZeroU32::new(75).unwrap() },
            stall_timeout_seconds: const { NonZeroU32::new(60).unwrap() },
            request_timeout_seconds: const { NonZeroU32::new(3600).unwrap() },
            grace_seconds: 30,
        }
    }
}

impl ClientLimits {
    /// The part of them that the listener keeps.
    pub fn of_listener(&self) -> Limits {
        Limits {
            connections: self.connections.get(),
            requests: self.requests.get(),
            header_timeout: seconds(self.header_timeout_seconds.get()),
            idle_timeout: seconds(self.idle_timeout_seconds.get()),
            stall_timeout: seconds(self.stall_timeout_seconds.get()),
            header_bytes: self.header_bytes.get(),
            body_memory: self.body_memory_bytes.get(),
            streams: self.streams_per_connection.get(),
            grace: seconds(self.grace_seconds),
            ..Limits::default()
        }
    }

    /// The `body_timeout` of [`crate::listen::collect`].
    pub fn body_timeout(&self) -> Duration {
        seconds(self.body_timeout_seconds.get())
    }

    /// The deadline of one request.
    pub fn request_timeout(&self) -> Duration {
        seconds(self.request_timeout_seconds.get())
    }
}

fn seconds(n: u32) -> Duration {
    Duration::from_secs(n.into())
}

/// `[dev]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dev {
    /// The Region of a request that names none.
    pub region: String,
    /// The account of credentials that name none.
    pub account: String,
}

impl Default for Dev {
    fn default() -> Self {
        Self { region: "us-east-1".into(), account: "000000000000".into() }
    }
}

/// `[stand_ins]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StandIns {
    /// Whether there are any.
    pub mode: StandInMode,
    /// For text models.
    pub text: Option<String>,
    /// For embedding models.
    pub embedding: Option<String>,
    /// By model id.
    pub models: BTreeMap<String, String>,
}

/// Whether local models answer for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StandInMode {
    /// In `outcrop dev`, not in `outcrop serve`.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl StandInMode {
    /// The mode, decided.
    pub fn is_on(self, dev: bool) -> bool {
        match self {
            Self::Auto => dev,
            Self::On => true,
            Self::Off => false,
        }
    }
}

/// `[catalogue]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Catalogue {
    /// Retired models are refused.
    pub enforce_lifecycle: bool,
    /// Models are refused where AWS does not offer them.
    pub enforce_regions: bool,
    /// Models that AWS serves through profiles only are refused by their base id.
    pub enforce_on_demand: bool,
    /// Lists show the models of every Region in each.
    pub list_every_region: bool,
}

/// `[engine]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Engine {
    pub threads: Option<NonZeroUsize>,
    pub max_sequences: NonZeroUsize,
    pub max_waiting: usize,
    pub context_length: Option<NonZeroU32>,
    pub idle_unload_seconds: NonZeroU32,
    pub load_wait_seconds: u32,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            threads: None,
            max_sequences: const { NonZeroUsize::new(16).unwrap() },
            max_waiting: 256,
            context_length: None,
            idle_unload_seconds: const { NonZeroU32::new(900).unwrap() },
            load_wait_seconds: 60,
        }
    }
}

/// `[[local_models]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalModel {
    /// `outcrop.<name>` in the catalogue.
    pub name: String,
    /// The weights.
    pub file: PathBuf,
    /// What it is for.
    #[serde(default)]
    pub kind: LocalKind,
    /// What the file must hash to.
    pub sha256: Option<String>,
}

/// What a local model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LocalKind {
    /// Text generation.
    #[default]
    Text,
    /// Embeddings.
    Embedding,
}

impl Config {
    /// The configuration from `file`, if there is one, and what `environment` overrides of it.
    pub fn load(file: Option<&Path>, environment: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut config = match file {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
                Self::parse(&text, &path.display().to_string())?
            }
        };
        config.override_from(environment)?;
        config.check()?;
        Ok(config)
    }

    fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::in_file(name, text, &error))
    }

    fn override_from(&mut self, environment: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        // A variable set to nothing is not set: that is how shells and compose files clear one.
        let get = |name: &'static str| environment(name).filter(|value| !value.is_empty()).map(|value| (name, value));
        if let Some((name, value)) = get("OUTCROP_LISTEN") {
            self.listen =
                value.parse().map_err(|_| ConfigError::variable(name, &value, "an address such as 127.0.0.1:7711"))?;
        }
        if let Some((_, value)) = get("OUTCROP_DATA") {
            self.data = Some(value.into());
        }
        if let Some((_, value)) = get("OUTCROP_REGION") {
            self.dev.region = value;
        }
        if let Some((_, value)) = get("OUTCROP_ACCOUNT") {
            self.dev.account = value;
        }
        if let Some((name, value)) = get("OUTCROP_STAND_INS") {
            self.stand_ins.mode = match value.as_str() {
                "auto" => StandInMode::Auto,
                "on" => StandInMode::On,
                "off" => StandInMode::Off,
                _ => return Err(ConfigError::variable(name, &value, "one of on, off, auto")),
            };
        }
        if let Some((name, value)) = get("OUTCROP_THREADS") {
            let threads = value.parse().map_err(|_| ConfigError::variable(name, &value, "a number above 0"))?;
            self.engine.threads = Some(threads);
        }
        Ok(())
    }

    /// What no type says.
    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, value: &str, expected: &str| {
            Err(ConfigError::Value { key: key.into(), value: value.into(), expected: expected.into() })
        };
        let account = &self.dev.account;
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return wrong("dev.account", account, "12 digits");
        }
        let region = &self.dev.region;
        if region.is_empty() || !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return wrong("dev.region", region, "a Region such as us-east-1");
        }
        for model in &self.local_models {
            if let Some(hash) = &model.sha256
                && (hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()))
            {
                return wrong("local_models.sha256", hash, "64 hexadecimal digits");
            }
            if self.local_models.iter().filter(|other| other.name == model.name).count() > 1 {
                return wrong("local_models.name", &model.name, "a name that no other local model has");
            }
        }
        Ok(())
    }
}
