//! Local models: which there are, with what they are served, and what the start-up table says of them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use outcrop_engine::embed::{DIMENSIONS, EmbedService, MAX_TOKENS, Settings as EmbedSettings};
use outcrop_engine::rank::{RankService, Settings as RankSettings};
use outcrop_engine::weights::gguf::{self, GgufHeader};
use outcrop_engine::weights::{Catalog, EMBEDDING_MODEL, ModelDir, RecordedFile, TEXT_MODEL};
use outcrop_engine::{EngineConfig, LocalModel, ModelKind};
use outcrop_gateway::StandIns;

use super::{StartError, told};
use crate::config::{Config, LocalKind as ConfiguredKind, PrefixSharing};

/// A local model and whether its weights are here.
pub(super) struct Found {
    pub(super) model: LocalModel,
    pub(super) present: bool,
    /// Numbers in an embedding model's vectors, and the tokens it reads.
    pub(super) embedding: Option<(u32, u32)>,
}

pub(super) fn local_models(config: &Config, weights: &ModelDir) -> Result<Vec<Found>, StartError> {
    let mut found = Vec::new();
    for status in weights.list().map_err(told)? {
        let kind = match status.kind {
            outcrop_engine::weights::ModelKind::Text => ModelKind::Text,
            outcrop_engine::weights::ModelKind::Embedding => ModelKind::Embedding,
            outcrop_engine::weights::ModelKind::Rerank => ModelKind::Rerank,
        };
        // Weights that are not whole now may be by the time of the first call: their place is known all the same.
        let verified = weights.weights(&status.name);
        let first = Catalog::default().get(&status.name).and_then(|m| m.files.first()).map(|f| f.name);
        let place = || status.path.join(first.or(status.files.first().map(|f| f.name.as_str())).unwrap_or_default());
        let present = verified.is_ok();
        let path = verified.unwrap_or_else(|_| place());
        let embedding = match (kind, &status.gguf) {
            (ModelKind::Text | ModelKind::Rerank, _) => None,
            (ModelKind::Embedding, Some(header)) => Some(sizes(header)),
            (ModelKind::Embedding, None) => Some((DIMENSIONS as u32, MAX_TOKENS as u32)),
        };
        found.push(Found { model: LocalModel { name: status.name, kind, path, sha256: None }, present, embedding });
    }
    for local in &config.local_models {
        let kind = match local.kind {
            ConfiguredKind::Text => ModelKind::Text,
            ConfiguredKind::Embedding => ModelKind::Embedding,
            ConfiguredKind::Rerank => ModelKind::Rerank,
        };
        if let Some(expected) = &local.sha256 {
            verify(&local.file, expected)?;
        }
        found.retain(|f| f.model.name != local.name);
        let sha256 = local.sha256.clone();
        let model = LocalModel { name: local.name.clone(), kind, path: local.file.clone(), sha256 };
        let embedding = match kind {
            ModelKind::Text | ModelKind::Rerank => None,
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
pub(super) fn embedders(found: &[Found], threads: usize) -> Result<HashMap<String, EmbedService>, StartError> {
    let mut embedders = HashMap::new();
    for f in found.iter().filter(|f| f.model.kind == ModelKind::Embedding && f.model.name != EMBEDDING_MODEL) {
        let service = EmbedService::of_gguf(f.model.path.clone(), threads, EmbedSettings::default()).map_err(told)?;
        embedders.insert(f.model.name.clone(), service);
    }
    Ok(embedders)
}

/// A service for each model that ranks. Nothing is loaded.
pub(super) fn rankers(found: &[Found], threads: usize) -> HashMap<String, RankService> {
    let rankers = found.iter().filter(|f| f.model.kind == ModelKind::Rerank);
    let service =
        |f: &Found| RankService::of_gguf(&f.model.name, f.model.path.clone(), threads, RankSettings::default());
    rankers.map(|f| (f.model.name.clone(), service(f))).collect()
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

pub(super) fn stand_ins(config: &Config, found: &[Found]) -> Result<StandIns, StartError> {
    let names = |kind: ModelKind| found.iter().filter(move |f| f.model.kind == kind).map(|f| f.model.name.as_str());
    let known = |key: &str, name: &String, kinds: &[ModelKind]| {
        if kinds.iter().any(|kind| names(*kind).any(|known| known == name)) {
            return Ok(name.clone());
        }
        let known: Vec<&str> = kinds.iter().flat_map(|kind| names(*kind)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(StartError(format!(
            "stand_ins.{key} names `{name}`, which is no local model of that kind; there are: {known}"
        )))
    };
    let default = |kind: ModelKind, name: &str| names(kind).any(|known| known == name).then(|| name.to_owned());
    let (text, embedding, rerank) = (ModelKind::Text, ModelKind::Embedding, ModelKind::Rerank);
    let chosen = &config.stand_ins;
    let mut by_model = BTreeMap::new();
    for (model, name) in &chosen.models {
        by_model.insert(model.clone(), known(&format!("models.\"{model}\""), name, &[text, embedding, rerank])?);
    }
    Ok(StandIns {
        text: match &chosen.text {
            Some(name) => Some(known("text", name, &[text])?),
            None => default(text, TEXT_MODEL),
        },
        embedding: match &chosen.embedding {
            Some(name) => Some(known("embedding", name, &[embedding])?),
            None => default(embedding, EMBEDDING_MODEL),
        },
        rerank: match &chosen.rerank {
            Some(name) => Some(known("rerank", name, &[rerank])?),
            // None comes with the server: the one there is was put there for this.
            None => Some(names(rerank))
                .filter(|names| names.clone().count() == 1)
                .and_then(|mut one| one.next())
                .map(str::to_owned),
        },
        by_model,
    })
}

pub(super) fn engine_config(config: &Config, found: &[Found]) -> EngineConfig {
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
pub(super) fn describe(found: &[Found], stand_ins: Option<&StandIns>) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for f in found {
        let missing = if f.present { "" } else { "  weights missing: run `outcrop models pull`" };
        lines.push(("local model", format!("outcrop.{}{missing}", f.model.name)));
    }
    let Some(stand_ins) = stand_ins else {
        lines.push(("stand-ins", "off: catalogue models without a provider are refused".into()));
        return lines;
    };
    let by_kind = [("text", &stand_ins.text), ("embedding", &stand_ins.embedding), ("rerank", &stand_ins.rerank)];
    for (kind, name) in by_kind.into_iter().filter(|(kind, name)| *kind != "rerank" || name.is_some()) {
        let who = name.as_ref().map_or("nobody".into(), |name| format!("outcrop.{name}"));
        lines.push(("stand-in", format!("{who} answers for the catalogue's {kind} models")));
    }
    for (model, name) in &stand_ins.by_model {
        lines.push(("stand-in", format!("outcrop.{name} answers for {model}")));
    }
    lines
}
