//! `outcrop.toml`: one typed struct.
//!
//! The documented default file, [`DEFAULT_FILE`], is the default: a test holds the two together. A key that does not
//! exist is refused with its line and the key that was probably meant. The environment overrides the file for the
//! keys that people set per machine; the command line, which is not read here, overrides both.
//! Start at [`Config::load`]; each section has a file of its own.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::listen::{Address, TlsFiles, TrustedProxy};

mod access;
mod audit;
mod buckets;
mod budgets;
mod catalogue;
mod changes;
mod cloudwatch;
mod cost;
mod dev;
mod encryption;
mod engine;
mod error;
mod functions;
mod guardrails;
mod invocation_logs;
mod knowledge;
mod limits;
mod local_models;
mod metrics;
mod otlp;
mod outbound;
mod providers;
mod provisioned;
mod quotas;
mod routes;
mod routing;
mod secret;
mod secrets;
mod stand_ins;
mod stores;
#[cfg(test)]
mod tests;

pub use access::{Access, Oidc, PolicySource, Role, User};
pub use audit::{Audit, OnFailure};
pub use buckets::{Bucket, BucketKind, S3};
pub use budgets::{Budget, BudgetMatch};
pub use catalogue::{Catalogue, ModelAccess};
pub use changes::Change;
pub use cloudwatch::{AlarmAction, CloudWatch};
pub use cost::{Cost, Price};
pub use dev::Dev;
pub use encryption::Encryption;
pub use engine::{Engine, PrefixSharing};
pub use error::ConfigError;
pub use functions::Function;
pub(crate) use functions::functions;
pub use guardrails::{GuardrailFailure, GuardrailInput, GuardrailJudge, Guardrails, UnmeasuredLanguages};
pub use invocation_logs::InvocationLogs;
pub use knowledge::{Crawler, Knowledge, KnowledgeAnswers};
pub use limits::ClientLimits;
pub use local_models::{LocalKind, LocalModel};
pub use metrics::Metrics;
pub use otlp::Otlp;
pub use outbound::Outbound;
pub use outcrop_models::data_retention::Retention;
pub use outcrop_providers::Kind as ProviderKind;
pub use providers::Provider;
pub use provisioned::{Provisioned, ProvisionedModel};
pub use quotas::{GuardrailQuotas, Loops, ModelQuotas, QuotaRule, Quotas};
pub use routes::{Route, RouteChoice, RouteHedge, RouteLatency, RouteTarget};
pub use routing::{Breaker, Routing};
pub use secret::SecretRef;
pub use secrets::StoredSecret;
pub use stand_ins::{StandInMode, StandIns};
pub use stores::{Speaks, Store};

/// The documented defaults, as a file to start from.
pub const DEFAULT_FILE: &str = include_str!("../outcrop.default.toml");

/// Everything that can be set. The keys are explained in [`DEFAULT_FILE`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub listen: Address,
    /// Whose word about a request's origin counts.
    pub trusted_proxies: Vec<TrustedProxy>,
    /// What lasts; without it, a folder in the user's data directory.
    pub data: Option<PathBuf>,
    /// Certificates.
    pub tls: Option<TlsFiles>,
    /// What clients may hold.
    pub limits: ClientLimits,
    /// Who asks, where credentials say nothing.
    pub dev: Dev,
    /// Users, roles and what they may.
    pub access: Access,
    /// Which keys seal what is kept.
    pub encryption: Encryption,
    /// Connections that the server opens.
    pub outbound: Outbound,
    /// What is counted, and who may read it.
    pub metrics: Metrics,
    /// Metrics as CloudWatch shows them, and what is watched of spend.
    pub cloudwatch: CloudWatch,
    /// What alarms may do.
    pub alarm_actions: Vec<AlarmAction>,
    /// Traces and metrics for a collector.
    pub otlp: Otlp,
    /// Local models for catalogue models.
    pub stand_ins: StandIns,
    /// What of the catalogue is enforced.
    pub catalogue: Catalogue,
    /// Throughput that callers may reserve.
    pub provisioned: Provisioned,
    /// Tokens, requests and calls at a time.
    pub quotas: Quotas,
    /// Callers that repeat themselves.
    pub loops: Loops,
    /// What may be spent.
    pub budgets: Vec<Budget>,
    /// How guardrails judge.
    pub guardrails: Guardrails,
    /// Knowledge bases.
    pub knowledge: Knowledge,
    /// What stands for functions of AWS Lambda.
    pub functions: BTreeMap<String, Function>,
    /// Local inference.
    pub engine: Engine,
    /// Local models beyond the default ones.
    pub local_models: Vec<LocalModel>,
    /// What is recorded of calls and changes.
    pub audit: Audit,
    /// Where accounts may have their calls logged.
    pub invocation_logs: InvocationLogs,
    /// S3 on the same port.
    pub s3: S3,
    /// What `s3://NAME` is.
    pub buckets: BTreeMap<String, Bucket>,
    /// What data sources log in with.
    pub secrets: BTreeMap<String, StoredSecret>,
    /// Who answers beside the local models.
    pub providers: Vec<Provider>,
    /// How those who may answer are asked.
    pub routing: Routing,
    /// Who answers for which model.
    pub routes: Vec<Route>,
    /// How long what calls cost is kept, and what tiers cost.
    pub cost: Cost,
    /// What things cost, where that is not the list price.
    pub prices: Vec<Price>,
    /// Catalogue entries, read by the catalogue itself.
    pub models: Vec<toml::Table>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Address::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 7711))),
            trusted_proxies: Vec::new(),
            data: None,
            tls: None,
            limits: ClientLimits::default(),
            dev: Dev::default(),
            access: Access::default(),
            encryption: Encryption::default(),
            outbound: Outbound::default(),
            metrics: Metrics::default(),
            cloudwatch: CloudWatch::default(),
            alarm_actions: Vec::new(),
            otlp: Otlp::default(),
            stand_ins: StandIns::default(),
            catalogue: Catalogue::default(),
            provisioned: Provisioned::default(),
            quotas: Quotas::default(),
            loops: Loops::default(),
            budgets: Vec::new(),
            guardrails: Guardrails::default(),
            knowledge: Knowledge::default(),
            functions: BTreeMap::new(),
            engine: Engine::default(),
            local_models: Vec::new(),
            audit: Audit::default(),
            invocation_logs: InvocationLogs::default(),
            s3: S3::default(),
            buckets: BTreeMap::new(),
            secrets: BTreeMap::new(),
            providers: Vec::new(),
            routing: Routing::default(),
            routes: Vec::new(),
            cost: Cost::default(),
            prices: Vec::new(),
            models: Vec::new(),
        }
    }
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
            self.listen = value.parse().map_err(|_| {
                ConfigError::variable(name, &value, "an address such as 127.0.0.1:7711 or unix:/run/outcrop.sock")
            })?;
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
        if let Some((_, value)) = get("OUTCROP_OFFLINE") {
            // As every tool that knows such a variable reads it.
            self.outbound.offline = !matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no");
        }
        if let Some((name, value)) = get("OUTCROP_DISCOVER") {
            self.dev.discover = match value.as_str() {
                "on" => true,
                "off" => false,
                _ => return Err(ConfigError::variable(name, &value, "on or off")),
            };
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
        self.otlp.override_from(get)
    }

    /// What no type says. One line for each section that has something to say.
    fn check(&self) -> Result<(), ConfigError> {
        self.dev.check()?;
        if let Some(tls) = &self.tls
            && tls.client_auth.is_some()
            && tls.client_ca.is_none()
        {
            return Err(impossible("tls.client_auth", "set", "left out where tls.client_ca is"));
        }
        self.access.directory()?;
        self.encryption.check()?;
        buckets::check(&self.buckets)?;
        secrets::check(&self.secrets)?;
        stores::check(&self.knowledge.stores)?;
        self.catalogue.check()?;
        self.quotas.check()?;
        self.guardrails.check()?;
        self.budgets()?;
        self.metrics.of_calls()?;
        cloudwatch::check(&self.alarm_actions)?;
        self.otlp.check()?;
        self.knowledge.check()?;
        functions::check(&self.functions)?;
        local_models::check(&self.local_models)?;
        cost::check(&self.cost, &self.prices)?;
        providers::check(&self.providers)?;
        routes::check(&self.routes, &self.providers, &self.routing)
    }
}

/// A value of the right type that still cannot be.
fn impossible(key: &str, value: &str, expected: &str) -> ConfigError {
    ConfigError::Value { key: key.into(), value: value.into(), expected: expected.into() }
}
