//! What of a running server can change, and how it does: whole, or not at all.
//!
//! [`Live::reload`] reads the configuration anew and builds everything that follows from it beside what runs. Only
//! when nothing of it failed does it take its place. Requests that are under way finish with what they began with.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use outcrop_providers::{Cause, Kind};
use tokio::sync::{Mutex, Notify};

use crate::config::{Config, ConfigError, Provider};
use crate::discover;
use crate::listen::{LiveLimits, Tls};
use crate::pipeline::Pipeline;
use crate::wiring::sources::one as source;
use crate::wiring::{Parts, StartError, examine, told};

/// For model servers of this machine, while a start waits for them: who is there answers at once.
const NEARBY: Duration = Duration::from_millis(300);
/// For any provider, while nobody waits.
const PATIENCE: Duration = Duration::from_secs(10);
/// Until providers are asked again for their models, and where one did not say.
const AGAIN: Duration = Duration::from_secs(300);
const SOON: Duration = Duration::from_secs(30);

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
    /// Providers are to be asked for their models now.
    look: Notify,
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
            look: Notify::new(),
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
        let buckets = next.buckets(self.parts.dev, &outbound).map_err(told)?;
        let pipeline = self.parts.pipeline(&next)?;
        let files = next.tls.clone().filter(|_| self.tls.is_some());
        let loaded = files.map(Tls::load).transpose().map_err(told)?;
        if dry_run {
            return Ok(done);
        }
        // From here on nothing can fail.
        self.parts.follow(outbound);
        self.parts.act_by(buckets, &pipeline);
        self.pipeline.store(Arc::new(pipeline));
        self.limits.set(next.limits.of_listener());
        if let (Some(tls), Some(loaded)) = (&self.tls, loaded) {
            tls.set(loaded);
        }
        self.parts.keep_records(&next);
        self.parts.record_reload(&running, &next);
        *running = next;
        self.look.notify_one();
        Ok(done)
    }

    /// Asks the providers of this machine for their models. Takes [`NEARBY`] at the most.
    pub(crate) async fn look_nearby(&self) {
        let near = |provider: &Provider| provider.url.as_deref().and_then(discover::loopback_port).is_some();
        self.look(near, NEARBY).await;
    }

    /// Asks all providers for their models, again and again.
    pub(crate) async fn keep_looking(&self) {
        loop {
            let pause = if self.look(|_| true, PATIENCE).await { AGAIN } else { SOON };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.look.notified() => {}
            }
        }
    }

    /// Asks those of the providers that are `of` interest for their models, and takes what is new into the catalogue.
    /// Whether everybody who was configured had an answer.
    async fn look(&self, of: impl Fn(&Provider) -> bool, patience: Duration) -> bool {
        let config = self.parts.joined(&*self.running.lock().await);
        let candidates = match self.parts.dev && config.dev.discover {
            true => discover::on_this_machine(&config, self.parts.own_port, &discover::USUAL),
            false => Vec::new(),
        };
        let Ok(outbound) = config.outbound.open() else { return false };
        let found = candidates.iter().map(|one| (&one.provider, Some(one)));
        let asked = config.providers.iter().map(|provider| (provider, None)).chain(found);
        // A Bedrock's models stand in the catalogue under their own ids; recordings have no list.
        let lists = |p: &Provider| p.kind != Kind::Bedrock && (p.recordings.is_none() || p.record);
        let asked = asked.filter(|(provider, _)| lists(provider) && of(provider));
        let answers = asked.filter_map(|(provider, found)| {
            let source = source(provider, &outbound).ok()?;
            Some(async move {
                let offers = tokio::time::timeout(patience, source.provider.models()).await;
                (source.identity, source.name, found, offers)
            })
        });
        let (mut all, mut news) = (true, false);
        for (identity, name, found, offers) in join_all(answers).await {
            match offers {
                Ok(Ok(offers)) => {
                    if let Some(found) = found {
                        let mut discovered = self.parts.discovered.lock().unwrap_or_else(PoisonError::into_inner);
                        tracing::info!(provider = %name, place = found.place, "found a provider");
                        discovered.push(found.clone());
                    }
                    if self.parts.offers.heard(&identity, offers) || found.is_some() {
                        tracing::info!(provider = %name, "took over the provider's list of models");
                        news = true;
                    }
                }
                Ok(Err(failure)) if failure.cause == Cause::Unmappable => {}
                failed if found.is_none() => {
                    let why = failed.map_or_else(
                        |_| "no answer in time".to_owned(),
                        |f| f.map_or_else(|f| f.fault.message, |_| String::new()),
                    );
                    tracing::debug!(provider = %name, why, "a provider does not list its models");
                    all = false;
                }
                _ => {}
            }
        }
        if news {
            let running = self.running.lock().await;
            match self.parts.pipeline(&running) {
                Ok(pipeline) => self.pipeline.store(Arc::new(pipeline)),
                Err(error) => tracing::error!(%error, "the providers' models cannot be taken into the catalogue"),
            }
        }
        all
    }

    /// What was found without configuration, for the start-up table.
    pub(crate) async fn discovered(&self) -> Vec<(&'static str, String)> {
        let config = self.running.lock().await.clone();
        let joined = self.parts.joined(&config);
        let doors = self.pipeline().doors.clone();
        let catalogue = doors.as_ref().map(|doors| doors.models.catalogue());
        let found = self.parts.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        let used = found.iter().filter(|one| joined.providers.contains(&one.provider));
        let line = |one: &discover::Discovered| {
            let models = catalogue.into_iter().flat_map(|c| c.iter());
            let models = models.filter(|model| model.local && model.provider == one.provider.name).count();
            ("found", one.line(models))
        };
        used.map(line).collect()
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
