//! From a configuration to a server that answers: opens what lasts, finds the local models, joins the crates.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use outcrop_access::{Gate, Mode, StoredKeys};
use outcrop_engine::embed::{DIMENSIONS, EmbedService, MAX_TOKENS, Settings as EmbedSettings};
use outcrop_engine::weights::gguf::{self, GgufHeader};
use outcrop_engine::weights::{Catalog, EMBEDDING_MODEL, ModelDir, RecordedFile, TEXT_MODEL};
use outcrop_engine::{Engine, EngineConfig, LocalModel, ModelKind};
use outcrop_gateway::{Gateway, Sharing, StandIns};
use outcrop_models::{Catalogue, LocalKind, LocalModel as Listed, Models, Settings};
use outcrop_providers::local::Local;
use outcrop_resources::Resources;
use outcrop_store::{Options, Sqlite, Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, LocalKind as ConfiguredKind, PrefixSharing};
use crate::listen;
use crate::operations::{App, table};
use crate::pipeline::Pipeline;

/// Why a server did not start, as the person at the terminal reads it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

fn told(error: impl std::fmt::Display) -> StartError {
    StartError(error.to_string())
}

/// How long before its connections are cut an answer that is still being made is told why it ends.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A server that is ready to answer.
pub struct Server {
    listener: TcpListener,
    pipeline: Arc<Pipeline>,
    engine: Engine,
    limits: listen::Limits,
    stop: CancellationToken,
    /// The start-up table: local models and stand-ins.
    pub lines: Vec<(&'static str, String)>,
}

/// The folder for everything that must last: `data`, or `outcrop` in the user's data directory.
pub fn data_folder(data: Option<&Path>) -> Result<PathBuf, StartError> {
    if let Some(data) = data {
        return Ok(data.to_owned());
    }
    let home = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    home("XDG_DATA_HOME")
        .or_else(|| home("HOME").map(|h| h.join(".local/share")))
        .map(|folder| folder.join("outcrop"))
        .ok_or_else(|| StartError("no data folder: set --data, OUTCROP_DATA or HOME".into()))
}

impl Server {
    /// Opens everything. Models are loaded by the first call that needs them.
    pub async fn open(dev: bool, config: Config) -> Result<Self, StartError> {
        listen::check_bind(config.listen, dev).map_err(told)?;
        let listener = listen::bind(config.listen).await.map_err(told)?;
        let folder = data_folder(config.data.as_deref())?;
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder, &Options::default()).map_err(told)?);
        let resources = Resources::open(Arc::clone(&store)).await.map_err(told)?;

        let weights = ModelDir::locate().map_err(told)?;
        let found = local_models(&config, &weights)?;
        let models = Arc::new(Models::new(catalogue(&config, &found)?, settings(&config), &resources));
        let stand_ins = config.stand_ins.mode.is_on(dev).then(|| stand_ins(&config, &found));
        let lines = describe(&found, stand_ins.as_ref());

        let engine_config = engine_config(&config, &found);
        let (chunk, threads) = (engine_config.prefill_chunk, engine_config.compute_threads());
        let engine = Engine::new(engine_config);
        let embedder = EmbedService::start(weights, EMBEDDING_MODEL, EmbedSettings::default()).map_err(told)?;
        let local = Local::new(engine.clone(), embedder, chunk).embedding(embedders(&found, threads)?);
        let local = Arc::new(local);
        let gateway = Arc::new(Gateway::new(Arc::clone(&models), local, stand_ins).sharing(sharing(&config)));

        let mode = if dev { Mode::Dev } else { Mode::Serve(Arc::new(StoredKeys::new(store))) };
        let stop = CancellationToken::new();
        let pipeline = Pipeline {
            gate: Gate::new(mode, config.dev.region.clone()).with_account(config.dev.account.clone()),
            table: table(&App { models, gateway }),
            body_bytes: config.limits.body_bytes.get(),
            body_timeout: config.limits.body_timeout(),
            deadline: config.limits.request_timeout(),
            stop: stop.clone(),
        };
        let limits = config.limits.of_listener();
        Ok(Self { listener, pipeline: Arc::new(pipeline), engine, limits, stop, lines })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<std::net::SocketAddr, StartError> {
        self.listener.local_addr().map_err(told)
    }

    /// Answers until `shutdown`; then finishes what is under way, for as long as the configuration grants.
    pub async fn run(self, shutdown: CancellationToken) {
        let pipeline = self.pipeline;
        let answer = move |request| Arc::clone(&pipeline).answer(request);
        let patience = self.limits.grace.saturating_sub(LAST_WORDS);
        let last_words = async {
            shutdown.cancelled().await;
            tokio::time::sleep(patience).await;
            self.stop.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = listen::serve(self.listener, answer, self.limits, shutdown.clone()) => {}
            () = last_words => {}
        }
        self.engine.shutdown().await;
    }
}

/// A local model and whether its weights are here.
struct Found {
    model: LocalModel,
    present: bool,
    /// Numbers in an embedding model's vectors, and the tokens it reads.
    embedding: Option<(u32, u32)>,
}

fn local_models(config: &Config, weights: &ModelDir) -> Result<Vec<Found>, StartError> {
    let mut found = Vec::new();
    for status in weights.list().map_err(told)? {
        let kind = match status.kind {
            outcrop_engine::weights::ModelKind::Text => ModelKind::Text,
            outcrop_engine::weights::ModelKind::Embedding => ModelKind::Embedding,
        };
        // Weights that are not whole now may be by the time of the first call: their place is known all the same.
        let verified = weights.weights(&status.name);
        let first = Catalog::default().get(&status.name).and_then(|m| m.files.first()).map(|f| f.name);
        let place = || status.path.join(first.or(status.files.first().map(|f| f.name.as_str())).unwrap_or_default());
        let present = verified.is_ok();
        let path = verified.unwrap_or_else(|_| place());
        let embedding = match (kind, &status.gguf) {
            (ModelKind::Text, _) => None,
            (ModelKind::Embedding, Some(header)) => Some(sizes(header)),
            (ModelKind::Embedding, None) => Some((DIMENSIONS as u32, MAX_TOKENS as u32)),
        };
        found.push(Found { model: LocalModel { name: status.name, kind, path, sha256: None }, present, embedding });
    }
    for local in &config.local_models {
        let kind = match local.kind {
            ConfiguredKind::Text => ModelKind::Text,
            ConfiguredKind::Embedding => ModelKind::Embedding,
        };
        if let Some(expected) = &local.sha256 {
            verify(&local.file, expected)?;
        }
        found.retain(|f| f.model.name != local.name);
        let sha256 = local.sha256.clone();
        let model = LocalModel { name: local.name.clone(), kind, path: local.file.clone(), sha256 };
        let embedding = match kind {
            ModelKind::Text => None,
            ModelKind::Embedding => Some(sizes(&header_of(&local.file)?)),
        };
        found.push(Found { present: model.path.exists(), model, embedding });
    }
    Ok(found)
}

/// How long an embedding model's vectors are is part of its catalogue entry, so its file must be there.
fn header_of(file: &Path) -> Result<GgufHeader, StartError> {
    let wrong = |why: &dyn std::fmt::Display| StartError(format!("the embedding model {}: {why}", file.display()));
    let open = std::fs::File::open(file).map_err(|e| wrong(&e))?;
    let length = open.metadata().map_err(|e| wrong(&e))?.len();
    gguf::read(std::io::BufReader::new(open), length).map_err(|e| wrong(&e))
}

fn sizes(header: &GgufHeader) -> (u32, u32) {
    let number = |n: Option<u64>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
    (number(header.width), number(header.context_length).min(512))
}

/// A service for each embedding model beside the default one. Its threads wait; nothing is loaded.
fn embedders(found: &[Found], threads: usize) -> Result<HashMap<String, EmbedService>, StartError> {
    let mut embedders = HashMap::new();
    for f in found.iter().filter(|f| f.model.kind == ModelKind::Embedding && f.model.name != EMBEDDING_MODEL) {
        let service = EmbedService::of_gguf(f.model.path.clone(), threads, EmbedSettings::default()).map_err(told)?;
        embedders.insert(f.model.name.clone(), service);
    }
    Ok(embedders)
}

/// Refuses weights that are not what the configuration says they are.
fn verify(file: &Path, expected: &str) -> Result<(), StartError> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let found = RecordedFile::hash(file, &name, &mut |_| ()).map_err(told)?.sha256;
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    let file = file.display();
    Err(StartError(format!("{file} has the SHA-256 {found}, and the configuration expects {expected}")))
}

fn catalogue(config: &Config, found: &[Found]) -> Result<Catalogue, StartError> {
    let mut catalogue = Catalogue::builtin().map_err(told)?;
    if !config.models.is_empty() {
        let mut extra = toml::Table::new();
        let entries = config.models.iter().cloned().map(toml::Value::Table).collect();
        extra.insert("models".into(), toml::Value::Array(entries));
        catalogue = catalogue.with_extra(&extra.to_string()).map_err(told)?;
    }
    let default = EngineConfig::default().context_length;
    let window = config.engine.context_length.map_or(default, std::num::NonZeroU32::get);
    let listed = found.iter().map(|f| Listed {
        name: f.model.name.clone(),
        kind: match f.model.kind {
            ModelKind::Text => LocalKind::Text,
            ModelKind::Embedding => LocalKind::Embedding { dimensions: f.embedding.unwrap_or_default().0 },
        },
        context: match f.model.kind {
            ModelKind::Text => window,
            ModelKind::Embedding => f.embedding.unwrap_or_default().1,
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
    }
}

fn stand_ins(config: &Config, found: &[Found]) -> StandIns {
    let default = |kind: ModelKind, name: &str| {
        found.iter().any(|f| f.model.kind == kind && f.model.name == name).then(|| name.to_owned())
    };
    let chosen = &config.stand_ins;
    StandIns {
        text: chosen.text.clone().or_else(|| default(ModelKind::Text, TEXT_MODEL)),
        embedding: chosen.embedding.clone().or_else(|| default(ModelKind::Embedding, EMBEDDING_MODEL)),
        by_model: chosen.models.clone(),
    }
}

/// Who may profit from whose computed prefixes.
fn sharing(config: &Config) -> Sharing {
    match config.engine.prefix_sharing {
        PrefixSharing::Account => Sharing::Account,
        PrefixSharing::Principal | PrefixSharing::None => Sharing::Principal,
    }
}

fn engine_config(config: &Config, found: &[Found]) -> EngineConfig {
    let defaults = EngineConfig::default();
    EngineConfig {
        models: found.iter().map(|f| f.model.clone()).collect(),
        memory: config.engine.memory_bytes.map(std::num::NonZeroU64::get),
        threads: config.engine.threads.map(std::num::NonZeroUsize::get),
        context_length: config.engine.context_length.map_or(defaults.context_length, std::num::NonZeroU32::get),
        max_sequences: config.engine.max_sequences.get(),
        max_waiting: config.engine.max_waiting,
        idle_unload: Duration::from_secs(config.engine.idle_unload_seconds.get().into()),
        load_wait: Duration::from_secs(config.engine.load_wait_seconds.into()),
        prefix_cache: match config.engine.prefix_sharing {
            PrefixSharing::None => 0,
            _ => config.engine.prefix_bytes,
        },
        ..defaults
    }
}

/// What a person wants to know at the start: which models are here, and who answers for whom.
fn describe(found: &[Found], stand_ins: Option<&StandIns>) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for f in found {
        let missing = if f.present { "" } else { "  weights missing: run `outcrop models pull`" };
        lines.push(("local model", format!("outcrop.{}{missing}", f.model.name)));
    }
    let Some(stand_ins) = stand_ins else {
        lines.push(("stand-ins", "off: catalogue models without a provider are refused".into()));
        return lines;
    };
    for (kind, name) in [("text", &stand_ins.text), ("embedding", &stand_ins.embedding)] {
        let who = name.as_ref().map_or("nobody".into(), |name| format!("outcrop.{name}"));
        lines.push(("stand-in", format!("{who} answers for the catalogue's {kind} models")));
    }
    for (model, name) in &stand_ins.by_model {
        lines.push(("stand-in", format!("outcrop.{name} answers for {model}")));
    }
    lines
}
