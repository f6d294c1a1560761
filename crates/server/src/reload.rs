//! What of a running server can change, and how it does: whole, or not at all.
//!
//! [`Live::reload`] reads the configuration anew and builds everything that follows from it beside what runs. Only
//! when nothing of it failed does it take its place. Requests that are under way finish with what they began with.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use crate::config::{Config, ConfigError};
use crate::listen::{LiveLimits, Tls};
use crate::pipeline::Pipeline;
use crate::wiring::{Parts, StartError, examine, told};

/// Reads the configuration as the server was told to at its start: file, environment and command line.
pub type Load = Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// The state that a reload replaces.
pub struct Live {
    parts: Parts,
    load: Load,
    pipeline: ArcSwap<Pipeline>,
    limits: Arc<LiveLimits>,
    tls: Option<Arc<Tls>>,
    /// Locked for the whole of a reload: two at a time could each take a half.
    running: Mutex<Config>,
}

/// What a reload did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reloaded {
    /// In force for new requests and connections.
    pub changed: Vec<String>,
    /// Different in the configuration, and only in force after a restart.
    pub restart: Vec<String>,
    /// Worth a look.
    pub warnings: Vec<String>,
}

impl Live {
    pub(crate) fn new(parts: Parts, config: Config, tls: Option<Arc<Tls>>, load: Load) -> Result<Self, StartError> {
        Ok(Self {
            pipeline: ArcSwap::from_pointee(parts.pipeline(&config)?),
            limits: LiveLimits::new(config.limits.of_listener()),
            tls,
            load,
            parts,
            running: Mutex::new(config),
        })
    }

    /// What answers a request that comes now.
    pub fn pipeline(&self) -> Arc<Pipeline> {
        self.pipeline.load_full()
    }

    /// The listener's limits.
    pub fn limits(&self) -> Arc<LiveLimits> {
        Arc::clone(&self.limits)
    }

    /// The listener's TLS.
    pub fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.clone()
    }

    /// Reads the configuration anew and puts it in force; with `dry_run`, only tells what would change. After an
    /// error everything is as it was.
    pub async fn reload(&self, dry_run: bool) -> Result<Reloaded, StartError> {
        let result = self.try_reload(dry_run).await;
        match &result {
            Ok(done) if !dry_run => {
                tracing::info!(changed = ?done.changed, "the configuration was read anew");
                if !done.restart.is_empty() {
                    tracing::warn!(keys = ?done.restart, "these settings need a restart");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the new configuration cannot be used; nothing was changed"),
        }
        result
    }

    async fn try_reload(&self, dry_run: bool) -> Result<Reloaded, StartError> {
        let mut running = self.running.lock().await;
        let load = Arc::clone(&self.load);
        // It reads files, and may run programs for secrets.
        let asked = tokio::task::spawn_blocking(move || load()).await.map_err(told)?.map_err(told)?;
        let problems = examine(&asked, self.parts.dev);
        if !problems.is_empty() {
            return Err(StartError(problems.join("\n")));
        }
        let next = asked.clone().with_fixed_of(&running);
        let done = Reloaded {
            changed: running.changes(&next).iter().map(ToString::to_string).collect(),
            restart: next.changes(&asked).iter().map(ToString::to_string).collect(),
            warnings: warnings(&asked),
        };

        let outbound = next.outbound.open().map_err(told)?;
        let pipeline = self.parts.pipeline(&next)?;
        let files = next.tls.clone().filter(|_| self.tls.is_some());
        let loaded = files.map(Tls::load).transpose().map_err(told)?;
        if dry_run {
            return Ok(done);
        }
        // From here on nothing can fail.
        self.parts.follow(outbound);
        self.pipeline.store(Arc::new(pipeline));
        self.limits.set(next.limits.of_listener());
        if let (Some(tls), Some(loaded)) = (&self.tls, loaded) {
            tls.set(loaded);
        }
        *running = next;
        Ok(done)
    }
}

/// What is allowed, and still not as it should be.
pub fn warnings(config: &Config) -> Vec<String> {
    let plain =
        |key| format!("{key} holds a secret in plain text: env:NAME, file:PATH or cmd:PROGRAM keep it elsewhere");
    let mut warnings: Vec<_> = config.plain_secrets().into_iter().map(plain).collect();
    // What is wrong with the way out itself is a problem, and told as one.
    if let Ok(outbound) = config.outbound.open() {
        let fetched = config.access.oidc.iter().filter(|oidc| oidc.jwks_file.is_none());
        let refused = fetched.filter_map(|oidc| outbound.endpoint(&oidc.issuer).err().map(|error| (oidc, error)));
        warnings.extend(refused.map(|(oidc, error)| format!("access.oidc `{}`: {error}", oidc.issuer)));
    }
    warnings
}
