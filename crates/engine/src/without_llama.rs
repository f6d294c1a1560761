//! Text models in a build without llama.cpp: known by name, answered by none.

use std::sync::Arc;

use crate::chat::Chat;
use crate::config::{EngineConfig, LocalModel};
use crate::error::EngineError;
use crate::generate::{Generate, Generation, TokenCount};
use crate::memory::Memory;
use crate::status::{LoadState, ModelStatus};

/// A configured model that this build cannot run.
pub(crate) struct TextModel(LocalModel);

impl TextModel {
    pub(crate) fn new(spec: LocalModel, _: EngineConfig, _: &Arc<Memory>) -> Arc<Self> {
        Arc::new(Self(spec))
    }

    fn refusal(&self) -> EngineError {
        EngineError::Weights {
            model: self.0.name.clone(),
            reason: "this build has no llama.cpp (cargo feature `llama`)".into(),
        }
    }

    pub(crate) async fn generate(self: &Arc<Self>, _: Generate) -> Result<Generation, EngineError> {
        Err(self.refusal())
    }

    pub(crate) async fn count_tokens(self: &Arc<Self>, _: &Chat) -> Result<TokenCount, EngineError> {
        Err(self.refusal())
    }

    pub(crate) fn status(&self) -> ModelStatus {
        ModelStatus {
            name: self.0.name.clone(),
            kind: self.0.kind,
            path: self.0.path.clone(),
            state: LoadState::Failed(self.refusal().to_string()),
            weights_bytes: 0,
            prefix_bytes: 0,
            computed_tokens: 0,
            running: 0,
            waiting: 0,
        }
    }

    pub(crate) async fn shutdown(&self) {}
}
