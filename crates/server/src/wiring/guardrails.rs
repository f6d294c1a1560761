//! Guardrails, from the configuration's words to theirs, and the encoder that they judge with.

use std::sync::{Arc, Mutex, PoisonError};

use outcrop_engine::embed::Embedder;
use outcrop_engine::weights::{EMBEDDING_MODEL, ModelDir};
use outcrop_gateway::guard::{InputTime, Settings as Guarding};
use outcrop_gateway::routing::{Routes, Setup};
use outcrop_guard::content::{Classifier, SHARED_LAYERS};
use outcrop_guard::stream::Pace;
use outcrop_guard::{EncodeError, Encoded, Encoder, Unmeasured};
use outcrop_guardrails::{Guardrails, Memory, OnFailure, Settings};
use outcrop_models::Catalogue;
use outcrop_models::identifier::Identifier;
use outcrop_models::inference_profiles::PROFILE;
use outcrop_models::prompt_routers::ROUTER;
use outcrop_models::provisioned::PROVISIONED;
use outcrop_resources::{Kind, Resources};
use outcrop_wire::arn::Arn;

use super::{StartError, told};
use crate::config::{Config, GuardrailFailure, GuardrailInput, UnmeasuredLanguages};

/// What can have a policy of its own by the operations of `bedrock`.
pub(super) const WITH_POLICIES: &[Kind] = &[PROFILE, outcrop_guardrails::GUARDRAIL];
/// What can have tags by the operations of `bedrock`.
pub(super) const TAGGED: &[Kind] = &[PROFILE, PROVISIONED, ROUTER, outcrop_guardrails::GUARDRAIL];

/// What guardrails judge with, whatever the configuration becomes.
#[derive(Clone)]
pub(super) struct Judging {
    memory: Memory,
    encoder: Arc<dyn Encoder>,
    classifier: Arc<Classifier>,
}

impl Judging {
    /// Reads what accounts have. Weights that are damaged end the start: nothing may be guarded with them.
    pub(super) async fn open(resources: &Resources, models: ModelDir) -> Result<Self, StartError> {
        let memory = Memory::new(resources);
        memory.catch_up().await.map_err(told)?;
        let classifier = Arc::new(Classifier::load().map_err(told)?);
        Ok(Self { memory, encoder: Arc::new(MiniLm { models, loaded: Mutex::default() }), classifier })
    }

    /// What tells how close texts are in meaning.
    pub(super) fn encoder(&self) -> Arc<dyn Encoder> {
        Arc::clone(&self.encoder)
    }

    /// What calls must know of guardrails.
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The guardrails as `config` wants them.
    pub(super) fn guardrails(&self, config: &Config, resources: &Resources) -> Result<Guardrails, StartError> {
        let (memory, encoder, classifier) = (self.memory.clone(), self.encoder.clone(), self.classifier.clone());
        Ok(Guardrails::remembering(resources, memory, encoder, classifier, settings(config)?))
    }
}

/// How calls go about their guardrails.
pub(super) fn guarding(config: &Config) -> Guarding {
    let guardrails = &config.guardrails;
    Guarding {
        input: match guardrails.input {
            GuardrailInput::Before => InputTime::Before,
            GuardrailInput::Beside => InputTime::Beside,
        },
        pace: Pace { window: guardrails.stream_window.get(), first: guardrails.stream_first.get() },
    }
}

/// A judge whose model nobody answers for, as far as its name tells: every call that it judges would fail. Profiles that
/// somebody made, routers and provisioned models show by their ARNs, and are found when they are asked.
pub(super) fn check_judges(
    config: &Config,
    catalogue: &Catalogue,
    setup: &Setup,
    routes: &Routes,
) -> Result<(), StartError> {
    for judge in &config.guardrails.judges {
        let id = match Identifier::parse(&judge.model) {
            Identifier::Model(id) | Identifier::ModelArn { id, .. } => id,
            Identifier::Profile(profile) | Identifier::ProfileArn { profile: Some(profile), .. } => profile.model,
            _ => continue,
        };
        // A provider may say later that it has the model.
        if setup.sources.iter().any(|source| id.strip_prefix(&*source.name).is_some_and(|rest| rest.starts_with('.'))) {
            continue;
        }
        let wrong = |what: String| Err(StartError(format!("guardrails.judges.model: {what}")));
        match catalogue.find(id) {
            None => {
                return wrong(format!(
                    "`{}` is no model of the catalogue (ListFoundationModels shows them); a provisioned model is named by \
                     its ARN",
                    judge.model
                ));
            }
            Some((model, _)) if !model.writes_text() => return wrong(format!("`{}` writes no text", judge.model)),
            Some((model, _)) if routes.of(model).is_err() => {
                return wrong(format!("no provider of this server serves `{}`", judge.model));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn settings(config: &Config) -> Result<Settings, StartError> {
    for enforced in &config.guardrails.enforce {
        let parts = enforced.rsplit_once(':').and_then(|(arn, version)| Some((Arn::parse(arn)?, version)));
        let fits = parts.is_some_and(|(arn, version)| {
            arn.resource.strip_prefix("guardrail/").is_some_and(|id| !id.is_empty())
                && (version == "DRAFT" || version.parse::<u32>().is_ok())
        });
        if !fits {
            return Err(StartError(format!(
                "guardrails.enforce has `{enforced}`, which is no ARN of a guardrail with a version behind it, as in \
                 arn:aws:bedrock:us-east-1:111122223333:guardrail/abcdefghij12:1"
            )));
        }
    }
    Ok(Settings {
        on_failure: match config.guardrails.on_failure {
            GuardrailFailure::Block => OnFailure::Block,
            GuardrailFailure::Allow => OnFailure::Allow,
        },
        enforce: config.guardrails.enforce.clone(),
        unmeasured: match config.guardrails.unmeasured_languages {
            UnmeasuredLanguages::Judge => Unmeasured::Judge,
            UnmeasuredLanguages::Block => Unmeasured::Block,
            UnmeasuredLanguages::Allow => Unmeasured::Allow,
        },
        judges: config.guardrails.judges.iter().map(crate::config::GuardrailJudge::rule).collect(),
    })
}

/// The embedding model, loaded when a guardrail first needs it. Where its weights are not there, the next call looks
/// again.
struct MiniLm {
    models: ModelDir,
    loaded: Mutex<Option<Arc<Embedder>>>,
}

impl MiniLm {
    fn embedder(&self) -> Result<Arc<Embedder>, EncodeError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(embedder) = &*loaded {
            return Ok(Arc::clone(embedder));
        }
        let folder = self.models.folder(EMBEDDING_MODEL).map_err(failed)?;
        let embedder = Arc::new(Embedder::load(&folder).map_err(failed)?);
        *loaded = Some(Arc::clone(&embedder));
        Ok(embedder)
    }
}

impl Encoder for MiniLm {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        let encoded = self.embedder()?.embed_with_states(texts, SHARED_LAYERS).map_err(failed)?;
        let encoded =
            encoded.into_iter().map(|(one, states)| Encoded { vector: one.vector, states, truncated: one.truncated });
        Ok(encoded.collect())
    }
}

fn failed(error: impl std::fmt::Display) -> EncodeError {
    EncodeError(error.to_string())
}
