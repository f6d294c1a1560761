//! Callers, a store and an encoder for the tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use outcrop_access::{Caller, CallerKind, Context};
use outcrop_api::bedrock::{
    CreateGuardrailRequest, CreateGuardrailResponse, GuardrailRegexConfig, GuardrailSensitiveInformationPolicyConfig,
    GuardrailTopicConfig, GuardrailTopicPolicyConfig, GuardrailWordConfig, GuardrailWordPolicyConfig,
};
use outcrop_guard::content::Classifier;
use outcrop_guard::{EncodeError, Encoded, Encoder};
use outcrop_resources::{KmsKeys, Resources};
use outcrop_store::{Options, Sqlite};

use crate::{Guardrails, Settings, control};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555";
pub(crate) const OTHER_KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/99999999-2222-3333-4444-555555555555";

/// A call from `account` in `region`.
pub(crate) fn call(account: &str, region: &str) -> Context {
    Context::new(Caller::root(account, None, CallerKind::User), region, "bedrock")
}

/// A call from [`ACCOUNT`] in us-east-1.
pub(crate) fn here() -> Context {
    call(ACCOUNT, "us-east-1")
}

/// An encoder that can be broken.
#[derive(Default)]
pub(crate) struct Breakable(AtomicBool);

impl Breakable {
    pub(crate) fn breaks(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Encoder for Breakable {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        if self.0.load(Ordering::SeqCst) {
            return Err(EncodeError("no model".into()));
        }
        Ok(texts.iter().map(|_| Encoded { vector: vec![1.0], ..Encoded::default() }).collect())
    }
}

/// Guardrails over a store in a folder that goes with the test.
pub(crate) struct Bench {
    pub(crate) guardrails: Guardrails,
    pub(crate) resources: Resources,
    pub(crate) encoder: Arc<Breakable>,
    _folder: tempfile::TempDir,
}

pub(crate) async fn bench() -> Bench {
    bench_with(Settings::default()).await
}

pub(crate) async fn bench_with(settings: Settings) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let resources = Resources::open(store).await.unwrap();
    let resources = resources.with_kms(KmsKeys::new([(KEY, "master"), (OTHER_KEY, "master")]));
    let encoder = Arc::new(Breakable::default());
    let guardrails = of(&resources, &encoder, settings);
    Bench { guardrails, resources, encoder, _folder: folder }
}

fn of(resources: &Resources, encoder: &Arc<Breakable>, settings: Settings) -> Guardrails {
    let classifier = Arc::new(Classifier::load().unwrap());
    Guardrails::new(resources, encoder.clone(), classifier, settings)
}

impl Bench {
    /// The same guardrails as another process has them.
    pub(crate) fn elsewhere(&self, settings: Settings) -> Guardrails {
        of(&self.resources, &self.encoder, settings)
    }

    pub(crate) async fn make(&self, input: CreateGuardrailRequest) -> CreateGuardrailResponse {
        control::create(&here(), &self.guardrails, input).await.unwrap()
    }
}

/// A guardrail that blocks words.
pub(crate) fn words(name: &str, words: &[&str]) -> CreateGuardrailRequest {
    let word = |text: &&str| GuardrailWordConfig { text: (*text).to_owned(), ..Default::default() };
    CreateGuardrailRequest {
        name: name.to_owned(),
        blocked_input_messaging: "not to the model".to_owned(),
        blocked_outputs_messaging: "not to the caller".to_owned(),
        word_policy_config: Some(GuardrailWordPolicyConfig {
            words_config: Some(words.iter().map(word).collect()),
            managed_word_lists_config: None,
        }),
        ..CreateGuardrailRequest::default()
    }
}

/// A guardrail that blocks what an expression finds, on both sides.
pub(crate) fn blocking(name: &str, pattern: &str) -> CreateGuardrailRequest {
    let regex = GuardrailRegexConfig { name: "found".into(), pattern: pattern.to_owned(), ..Default::default() };
    let policy =
        GuardrailSensitiveInformationPolicyConfig { pii_entities_config: None, regexes_config: Some(vec![regex]) };
    CreateGuardrailRequest {
        sensitive_information_policy_config: Some(policy),
        word_policy_config: None,
        ..words(name, &[])
    }
}

/// A topic as it is given.
pub(crate) fn topics(definitions: &[(&str, &str)]) -> GuardrailTopicPolicyConfig {
    let topic = |(name, definition): &(&str, &str)| GuardrailTopicConfig {
        name: (*name).to_owned(),
        definition: (*definition).to_owned(),
        ..GuardrailTopicConfig::default()
    };
    GuardrailTopicPolicyConfig { topics_config: definitions.iter().map(topic).collect(), tier_config: None }
}
