//! From a configuration to a server that answers: opens what lasts, finds the local models, joins the crates.

mod certificates;
mod examine;
mod guardrails;
mod knowledge;
mod local;
mod observe;
mod offers;
mod provisioned;
mod quotas;
mod records;
pub(crate) mod sources;
pub mod telemetry;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use outcrop_access::keys::Usage;
use outcrop_access::oidc::Verifier;
use outcrop_access::{Acting, Gate, Keys, Mode, StoredKeys, Sts, sts};
use outcrop_admission::loops::Loops;
use outcrop_admission::quotas::Quotas;
use outcrop_admission::quotas::slice::ServiceQuotas;
use outcrop_admission::text_units;
use outcrop_admission::{Admission, Budgets};
use outcrop_buckets::Buckets;
use outcrop_engine::embed::{EmbedService, Settings as EmbedSettings};
use outcrop_engine::weights::{EMBEDDING_MODEL, ModelDir};
use outcrop_engine::{Engine, EngineConfig, ModelKind};
use outcrop_gateway::guard::judge;
use outcrop_gateway::meter::Recorded;
use outcrop_gateway::routing::{Registry, Routes, Setup};
use outcrop_gateway::{Answers, Capacity, Gateway, Papers, Sharing};
use outcrop_knowledge::State;
use outcrop_models::{Catalogue, LocalKind, LocalModel as Listed, Memory, Models, Settings};
use outcrop_outbound::Outbound;
use outcrop_providers::Provider;
use outcrop_providers::local::Local;
use outcrop_queue::Runner;
use outcrop_resources::{Policies, Resources};
use outcrop_store::{Sqlite, Store};
use outcrop_telemetry::audit::Audit;
use outcrop_telemetry::invocation_log::InvocationLogs;
use tokio_util::sync::CancellationToken;

use crate::compat::aws::Slices;
use crate::compat::s3::S3;
use crate::compat::{Doors, Stored};
use crate::config::{Config, PrefixSharing};
use crate::control;
use crate::cost::Desk;
use crate::discover::{self, Discovered};
use crate::fetch::HttpFetch;
use crate::listen::{self, Tls, tls};
use crate::operations::{App, table};
use crate::pipeline::Pipeline;
use crate::reload::{Live, Load};

use certificates::{authority_folder, renew, watch_tls};
pub use examine::{examine, examine_keys, examine_start};
use guardrails::Judging;
pub use knowledge::EXTRACT_CHILD;
use local::{Found, describe, embedders, engine_config, local_models, rankers, stand_ins};
use observe::Observers;
use offers::Offers;
use telemetry::Sight;
use watch::Watch;

/// Why a server did not start, as the person at the terminal reads it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub(crate) String);

pub(crate) fn told(error: impl std::fmt::Display) -> StartError {
    StartError(error.to_string())
}

/// How long before its connections are cut an answer that is still being made is told why it ends.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How to start.
pub struct Start {
    /// Any credentials are believed, and stand-ins answer.
    pub dev: bool,
    /// TLS by the local authority of the data folder, whatever the configuration says of TLS.
    pub local_tls: bool,
    /// Reads the configuration, at the start and at every reload.
    pub load: Load,
}

/// A server that is ready to answer.
pub struct Server {
    listener: listen::Listener,
    live: Arc<Live>,
    policies: Arc<Policies>,
    memory: Memory,
    judging: Judging,
    logs: Arc<InvocationLogs>,
    audit: Audit,
    quotas: Quotas,
    budgets: Budgets,
    engine: Engine,
    keys: Arc<dyn Keys>,
    usage: Arc<Usage>,
    sight: Arc<Sight>,
    stop: CancellationToken,
    observers: Arc<Observers>,
    watch: Arc<Watch>,
    folder: PathBuf,
    knowledge: Runner,
    local_tls: bool,
    /// The start-up table: TLS, local models and stand-ins.
    pub lines: Vec<(&'static str, String)>,
}

/// The folder for everything that must last: `data`, or `outcrop` in the user's data directory. Its path is whole, for
/// the store records where keys were read.
pub fn data_folder(data: Option<&Path>) -> Result<PathBuf, StartError> {
    let home = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let folder = data
        .map(Path::to_owned)
        .or_else(|| home("XDG_DATA_HOME").map(|share| share.join("outcrop")))
        .or_else(|| home("HOME").map(|home| home.join(".local/share/outcrop")))
        .ok_or_else(|| StartError("no data folder: set --data, OUTCROP_DATA or HOME".into()))?;
    let folder = std::path::absolute(folder).map_err(|error| StartError(format!("no data folder: {error}")))?;
    if folder.is_file() {
        return Err(StartError(format!("{} is a file; --data names a folder", folder.display())));
    }
    Ok(folder)
}

impl Server {
    /// Opens everything. Models are loaded by the first call that needs them.
    pub async fn open(start: Start) -> Result<Self, StartError> {
        let Start { dev, local_tls, mut load } = start;
        let mut config = load().map_err(told)?;
        listen::check_bind(&config.listen, dev, local_tls || config.tls.is_some()).map_err(told)?;
        let listener = listen::bind(&config.listen).await.map_err(told)?;
        let folder = data_folder(config.data.as_deref())?;
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder, &config.store()).map_err(told)?);
        let resources = Resources::open(Arc::clone(&store)).await.map_err(told)?;
        let resources = resources.with_kms(config.encryption.kms_keys());
        let mut lines = Vec::new();
        if local_tls {
            let local = tls::authority::prepare(&authority_folder(&folder)).map_err(told)?;
            // Whole: it is copied into other shells, in other folders.
            let bundle = std::path::absolute(&local.bundle).map_err(told)?;
            lines.push(("tls", format!("export AWS_CA_BUNDLE={}", bundle.display())));
            lines.push(("tls", format!("export AWS_ENDPOINT_URL=https://{}", listener.address().map_err(told)?)));
            let configured = load;
            load = Arc::new(move || configured().map(|config| Config { tls: Some(local.files.clone()), ..config }));
            config = load().map_err(told)?;
        }
        let tls = config.tls.clone().map(Tls::open).transpose().map_err(told)?;

        let weights = ModelDir::locate().map_err(told)?;
        let found = local_models(&config, &weights)?;
        let stand_ins = config.stand_ins.mode.is_on(dev).then(|| stand_ins(&config, &found)).transpose()?;
        lines.extend(describe(&found, stand_ins.as_ref()));
        lines.extend(knowledge::describe(&config));

        let engine_config = engine_config(&config, &found);
        let (chunk, threads) = (engine_config.prefill_chunk, engine_config.compute_threads());
        let engine = Engine::new(engine_config);
        let embedder = EmbedService::start(weights.clone(), EMBEDDING_MODEL, EmbedSettings::default()).map_err(told)?;
        let local =
            Local::new(engine.clone(), embedder, chunk).with(embedders(&found, threads)?, rankers(&found, threads));
        let local: Arc<dyn Provider> = Arc::new(local);

        let budgets =
            Budgets::open(Arc::clone(&store), config.budgets().map_err(told)?, Arc::new(jiff::Timestamp::now));
        let budgets = budgets.await.map_err(told)?;
        let keys: Arc<dyn Keys> = Arc::new(StoredKeys::new(store));
        let usage = Arc::new(Usage::default());
        let fetch = Arc::new(HttpFetch::new(config.outbound.open().map_err(told)?));
        let verifier = Arc::new(Verifier::new(fetch.clone(), Arc::new(jiff::Timestamp::now)));
        let stop = CancellationToken::new();
        let policies = Policies::open(resources.clone(), guardrails::WITH_POLICIES).await.map_err(told)?;
        let policies = Arc::new(policies);
        let memory = Memory::new(&resources);
        memory.catch_up().await.map_err(told)?;
        let judging = Judging::open(&resources, weights.clone()).await?;
        let audit = records::audit(&config, &folder)?;
        let buckets =
            Buckets::open(&folder, config.buckets(dev, &config.outbound.open().map_err(told)?).map_err(told)?);
        let logs = records::invocation_logs(&config, &folder, &resources, &buckets).await?;
        let quotas = Quotas::kept_in(Default::default(), &resources);
        quotas.catch_up().await.map_err(told)?;
        let own_port = listener.address().map_err(told)?.port();
        let discovered =
            if dev { discover::in_environment(&config, own_port, |name| std::env::var(name).ok()) } else { Vec::new() };
        let observers = Arc::new(Observers::open(&config)?);
        let (watch, watched) = Watch::open(&config, &folder, &resources).await?;
        let watch = Arc::new(watch);
        let consumers: Vec<Box<dyn outcrop_telemetry::Consumer>> = vec![Box::new(observers.calls()), Box::new(watched)];
        let sight = Arc::new(Sight::open(&config, &folder, consumers)?);
        observers.recorder(sight.recorder.clone());
        let mode = if dev { Mode::Dev } else { Mode::Serve(Arc::clone(&keys)) };
        let directory = Arc::new(config.access.directory().map_err(told)?);
        let acting = Acting::new(&mode, directory, policies.in_memory(), stop.clone());
        // A wall of their own: a conversation waits behind no ingestion.
        let papers = Papers { buckets: buckets.clone(), wall: Arc::new(knowledge::wall()?) };
        let means = knowledge::Means { buckets: buckets.clone(), acting: acting.clone(), encoder: judging.encoder() };
        let knowledge = knowledge::open(&config, &folder, &resources, means)?;
        let parts = Parts {
            dev,
            folder: folder.clone(),
            sight: Arc::clone(&sight),
            observers: Arc::clone(&observers),
            own_port,
            offers: Offers::default(),
            discovered: Mutex::new(discovered),
            resources,
            memory: memory.clone(),
            judging: judging.clone(),
            capacity: Capacity::default(),
            quotas: quotas.clone(),
            budgets: budgets.clone(),
            loops: Loops::default(),
            text_units: text_units::Quotas::default(),
            policies: Arc::clone(&policies),
            audit: audit.clone(),
            logs: Arc::clone(&logs),
            found,
            local,
            registry: Registry::default(),
            answers: Mutex::new((config.routing.cache_bytes, Arc::new(Answers::new(config.routing.cache_bytes)))),
            keys: Arc::clone(&keys),
            usage: Arc::clone(&usage),
            fetch,
            verifier,
            stop: stop.clone(),
            slices: watch::slices(&folder, &watch),
            buckets,
            acting,
            watch: Arc::clone(&watch),
            knowledge: knowledge.clone(),
            papers,
        };
        if config.audit.enabled {
            audit.record(records::started(dev)).await;
        }
        let live = Arc::new(Live::new(parts, config, tls, load)?);
        live.look_nearby().await;
        lines.extend(live.discovered().await);
        observers.server(Arc::downgrade(&live), engine.clone());
        Ok(Self {
            listener,
            live,
            policies,
            memory,
            judging,
            logs,
            audit,
            quotas,
            budgets,
            engine,
            keys,
            usage,
            sight,
            stop,
            observers,
            watch,
            folder,
            knowledge: knowledge.runner,
            local_tls,
            lines,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<listen::Address, StartError> {
        self.listener.address().map_err(told)
    }

    /// The same as clients are told it: `http://…`, `https://…`, `unix:…`.
    pub fn url(&self) -> Result<String, StartError> {
        Ok(match (self.address()?, self.live.tls()) {
            (address @ listen::Address::Unix(_), _) => address.to_string(),
            (address, None) => format!("http://{address}"),
            (address, Some(_)) => format!("https://{address}"),
        })
    }

    /// What can change while it runs.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live)
    }

    /// Answers until `shutdown`; then finishes what is under way, for as long as the configuration grants.
    pub async fn run(self, shutdown: CancellationToken) {
        let live = Arc::clone(&self.live);
        let answer = move |request| live.pipeline().answer(request);
        let last_words = async {
            shutdown.cancelled().await;
            let patience = self.live.limits().now().grace.saturating_sub(LAST_WORDS);
            tokio::time::sleep(patience).await;
            self.stop.cancel();
            std::future::pending::<()>().await;
        };
        let fresh = async {
            let guardrails = self.judging.memory();
            tokio::join!(self.policies.follow(), self.memory.follow(), self.logs.follow(), guardrails.follow());
            std::future::pending::<()>().await;
        };
        let work = knowledge::work(self.knowledge, Arc::clone(&self.live), shutdown.clone());
        let work = tokio::spawn(work);
        let (limits, tls) = (self.live.limits(), self.live.tls());
        tokio::select! {
            () = listen::serve(self.listener, answer, limits, tls, shutdown.clone()) => {}
            () = last_words => {}
            () = fresh => {}
            () = self.live.keep_looking() => {}
            () = control::serve(&self.folder, Arc::clone(&self.live)) => {}
            () = watch_tls(self.live.tls()) => {}
            () = renew(authority_folder(&self.folder), self.local_tls) => {}
            () = self.usage.run(&*self.keys) => {}
            () = self.quotas.run() => {}
            () = self.watch.run() => {}
            () = sts::sweep(&*self.keys) => {}
            () = self.sight.follow(|| Some(Arc::clone(&self.live.pipeline().doors.as_ref()?.models))) => {}
        }
        if let Err(error) = work.await {
            tracing::error!(%error, "the work of knowledge bases ended abruptly");
        }
        if let Err(error) = self.usage.flush(&*self.keys).await {
            tracing::warn!(%error, "the last use of keys could not be written");
        }
        if let Err(error) = self.quotas.flush().await {
            tracing::warn!(%error, "the day's tokens could not be written");
        }
        self.budgets.close().await;
        // Those who send what was counted have to have counted everything.
        self.sight.close().await;
        self.observers.finish().await;
        self.engine.shutdown().await;
        records::close(&self.live.pipeline(), self.audit, self.logs).await;
    }
}

/// What was opened at the start and stays, whatever the configuration becomes.
pub(crate) struct Parts {
    pub(crate) dev: bool,
    observers: Arc<Observers>,
    /// Where this server itself listens.
    pub(crate) own_port: Option<u16>,
    /// What providers say they have, whatever the configuration becomes.
    pub(crate) offers: Offers,
    /// Providers that nobody configured.
    pub(crate) discovered: Mutex<Vec<Discovered>>,
    folder: PathBuf,
    /// What sees every call.
    pub(crate) sight: Arc<Sight>,
    resources: Resources,
    policies: Arc<Policies>,
    memory: Memory,
    judging: Judging,
    audit: Audit,
    logs: Arc<InvocationLogs>,
    /// What calls under way have taken, whatever the configuration becomes.
    capacity: Capacity,
    /// What callers have taken, and who repeats what, likewise.
    quotas: Quotas,
    text_units: text_units::Quotas,
    budgets: Budgets,
    loops: Loops,
    found: Vec<Found>,
    local: Arc<dyn Provider>,
    /// What is known of targets' health, whatever the configuration becomes.
    registry: Registry,
    /// The response cache, and the size that it has.
    answers: Mutex<(u64, Arc<Answers>)>,
    keys: Arc<dyn Keys>,
    usage: Arc<Usage>,
    fetch: Arc<HttpFetch>,
    verifier: Arc<Verifier>,
    stop: CancellationToken,
    /// Parts of other AWS services.
    slices: Slices,
    /// What `s3://` names.
    pub(crate) buckets: Buckets,
    /// What resources do by themselves.
    pub(crate) acting: Acting,
    watch: Arc<Watch>,
    knowledge: State,
    /// What conversations show: files, and objects of buckets.
    papers: Papers,
}

impl Parts {
    /// Puts another way out in force for what stays.
    pub(crate) fn follow(&self, outbound: Outbound) {
        self.observers.follow(&outbound);
        self.fetch.set(outbound);
    }

    /// Puts other buckets and roles in force for what stays.
    pub(crate) fn act_by(&self, buckets: outcrop_buckets::Settings, pipeline: &Pipeline) {
        self.buckets.configure(buckets);
        self.acting.follow(pipeline.gate.directory());
    }

    /// The configuration with the providers that were found beside it.
    pub(crate) fn joined(&self, config: &Config) -> Config {
        let found = self.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        if self.dev { discover::joined(config, &found) } else { config.clone() }
    }

    /// All that answers requests, as `config` wants it. Both the start and a reload come here, so that whatever
    /// the configuration decides can be decided anew; requests under way keep the pipeline that they began with.
    pub(crate) fn pipeline(&self, config: &Config) -> Result<Pipeline, StartError> {
        let config = &self.joined(config);
        let Routed { catalogue, capacity, setup } = routed(config, self.dev, &self.found, &self.local, &self.offers)?;
        let capacity = Arc::new(self.capacity.under(capacity));
        let budgets = self.budgets.under(config.budgets().map_err(told)?);
        let quotas = self.quotas.under(quotas::settings(config, &catalogue)?);
        let models = Models::new(catalogue, settings(config), &self.resources).remembering(self.memory.clone());
        let models = Arc::new(models);
        self.watch.follow(models.catalogue());
        let routes = Routes::new(models.catalogue(), &setup, &self.registry).map_err(told)?;
        guardrails::check_judges(config, models.catalogue(), &setup, &routes)?;
        let service_quotas = Arc::new(ServiceQuotas::new(quotas.clone(), quotas::Listed(Arc::clone(&models))));
        let admission = Admission::default()
            .quotas(quotas)
            .budgets(budgets.clone())
            .loops(self.loops.under(config.loops.settings()));
        let prices = Arc::new(telemetry::prices(config, models.catalogue()));
        let admission = Arc::new(admission);
        let gateway = |routes: Routes| {
            Gateway::new(Arc::clone(&models), routes)
                .meter(Arc::new(Recorded(self.sight.recorder.clone())))
                .prices(Arc::clone(&prices))
                .sharing(sharing(config))
                .papers(self.papers.clone())
                .capacity(Arc::clone(&capacity))
                .admission(Arc::clone(&admission))
        };
        let guardrails = self
            .judging
            .guardrails(config, &self.resources)?
            .measured(self.watch.metrics())
            .recorded(self.sight.recorder.clone(), Arc::clone(&prices))
            .limited(self.text_units.under(config.quotas.guardrails.settings()))
            .judged(Arc::new(judge::Models::new(gateway(routes.clone()))));
        let guardrails = Arc::new(guardrails);
        let gateway = Arc::new(
            gateway(routes)
                .cache(self.answers(config.routing.cache_bytes))
                .guardrails((*guardrails).clone(), guardrails::guarding(config)),
        );
        self.registry.sweep();
        let directory = Arc::new(config.access.directory().map_err(told)?);
        let knowledge = knowledge::knowledge(config, self.dev, &self.resources, Arc::clone(&gateway), &self.knowledge)?;
        let keys = || Arc::clone(&self.keys);
        let mode = if self.dev { Mode::Dev } else { Mode::Serve(keys()) };
        let gate = Gate::new(mode, config.dev.region.clone())
            .with_account(config.dev.account.clone())
            .with_directory(Arc::clone(&directory))
            .with_sessions(keys())
            .with_usage(Arc::clone(&self.usage));
        Ok(Pipeline {
            dev: self.dev,
            gate,
            sts: Sts::new(keys(), directory, Arc::clone(&self.verifier)),
            resource_policies: self.policies.in_memory(),
            doors: Some(Arc::new(Doors {
                gateway: Arc::clone(&gateway),
                models: Arc::clone(&models),
                responses: Stored::new(&self.resources),
                cost: Desk {
                    data: self.folder.clone(),
                    prices,
                    facts: Arc::new(telemetry::facts(models.catalogue())),
                    outcomes: Arc::clone(&self.sight.outcomes),
                    reports: Arc::clone(&self.sight.reports),
                },
                guardrails: Arc::clone(&guardrails),
                knowledge: knowledge.clone(),
            })),
            budgets: Some(budgets),
            slices: self.slices.and(service_quotas),
            s3: (self.dev || config.s3.enabled).then(|| S3::new(self.buckets.clone())),
            table: table(&App {
                models,
                gateway,
                guardrails,
                knowledge: Arc::new(knowledge),
                tagger: Arc::new(self.resources.tagger(guardrails::TAGGED)),
                policies: Arc::clone(&self.policies),
                logs: Arc::clone(&self.logs),
            }),
            audit: config.audit.enabled.then(|| self.audit.clone()),
            logs: Some(Arc::clone(&self.logs)),
            observe: self.observers.observe(config),
            trusted_proxies: config.trusted_proxies.clone(),
            body_bytes: config.limits.body_bytes.get(),
            body_timeout: config.limits.body_timeout(),
            deadline: config.limits.request_timeout(),
            stop: self.stop.clone(),
        })
    }
}

impl Parts {
    /// The response cache in `bytes`: what is kept survives every reload but one that changes its size.
    fn answers(&self, bytes: u64) -> Arc<Answers> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.0 != bytes {
            *answers = (bytes, Arc::new(Answers::new(bytes)));
        }
        Arc::clone(&answers.1)
    }
}

/// Who answers for which model, as a configuration has it.
struct Routed {
    catalogue: Catalogue,
    capacity: outcrop_gateway::capacity::Settings,
    setup: Setup,
}

fn routed(
    config: &Config,
    dev: bool,
    found: &[Found],
    local: &Arc<dyn Provider>,
    offers: &Offers,
) -> Result<Routed, StartError> {
    let mut sources = sources::of(config, local)?;
    let catalogue = offers.listed(catalogue(config, found)?, &mut sources)?;
    let capacity = provisioned::capacity(config, &catalogue)?;
    let sources = sources.into_iter().map(Arc::new).collect();
    let stand_ins = config.stand_ins.mode.is_on(dev).then(|| stand_ins(config, found)).transpose()?;
    let policy = config.routing.policy();
    let routes = config.routes.iter().map(|route| route.settings(&policy)).collect();
    Ok(Routed { catalogue, capacity, setup: Setup { sources, routes, policy, stand_ins } })
}

fn catalogue(config: &Config, found: &[Found]) -> Result<Catalogue, StartError> {
    let catalogue = Catalogue::builtin().and_then(|known| known.with_extra(&config.models)).map_err(told)?;
    let default = EngineConfig::default().context_length;
    let window = config.engine.context_length.map_or(default, std::num::NonZeroU32::get);
    let listed = found.iter().map(|f| Listed {
        name: f.model.name.clone(),
        kind: match f.model.kind {
            ModelKind::Text => LocalKind::Text,
            ModelKind::Embedding => LocalKind::Embedding { dimensions: f.embedding.unwrap_or_default().0 },
            ModelKind::Rerank => LocalKind::Rerank,
        },
        context: match f.model.kind {
            ModelKind::Text => window,
            ModelKind::Embedding => f.embedding.unwrap_or_default().1,
            ModelKind::Rerank => outcrop_engine::rank::MAX_TOKENS,
        },
    });
    catalogue.with_local(listed).map_err(told)
}

fn settings(config: &Config) -> Settings {
    Settings {
        enforce_lifecycle: config.catalogue.enforce_lifecycle,
        enforce_regions: config.catalogue.enforce_regions,
        enforce_on_demand: config.catalogue.enforce_on_demand,
        list_every_region: config.catalogue.list_every_region,
        model_access: provisioned::model_access(config),
        units: provisioned::units(config),
    }
}

/// Who may profit from whose computed prefixes.
fn sharing(config: &Config) -> Sharing {
    match config.engine.prefix_sharing {
        PrefixSharing::Account => Sharing::Account,
        PrefixSharing::Principal | PrefixSharing::None => Sharing::Principal,
    }
}
