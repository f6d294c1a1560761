//! The engine as its callers see it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::chat::Chat;
use crate::config::{EngineConfig, ModelKind};
use crate::error::EngineError;
use crate::generate::{Generate, Generation, TokenCount};
use crate::memory::{Memory, default_limit};
use crate::status::ModelStatus;

#[cfg(feature = "llama")]
use crate::llama::TextModel;
#[cfg(not(feature = "llama"))]
use crate::without_llama::TextModel;

/// Local text models. A cheap handle; nothing is loaded before the first call.
#[derive(Clone)]
pub struct Engine {
    text: Arc<HashMap<String, Arc<TextModel>>>,
    memory: Arc<Memory>,
}

impl Engine {
    /// An engine for the text models of `config`.
    pub fn new(config: EngineConfig) -> Self {
        let memory = Memory::new(config.memory.unwrap_or_else(default_limit));
        let mut text = HashMap::new();
        for spec in config.models.iter().filter(|spec| spec.kind == ModelKind::Text) {
            text.insert(spec.name.clone(), TextModel::new(spec.clone(), config.clone(), &memory));
        }
        Self { text: Arc::new(text), memory }
    }

    /// Begins an answer. Resolves when the model is loaded, the prompt is known to fit and the call has its
    /// place in the queue. Dropping the answer frees that place within one token.
    pub async fn generate(&self, request: Generate) -> Result<Generation, EngineError> {
        self.model(&request.model)?.generate(request).await
    }

    /// How many tokens [`Engine::generate`] would read for this chat: the same template, the same tokeniser.
    pub async fn count_tokens(&self, model: &str, chat: &Chat) -> Result<TokenCount, EngineError> {
        self.model(model)?.count_tokens(chat).await
    }

    /// Every text model, by name.
    pub fn status(&self) -> Vec<ModelStatus> {
        let mut status: Vec<ModelStatus> = self.text.values().map(|model| model.status()).collect();
        status.sort_by(|a, b| a.name.cmp(&b.name));
        status
    }

    /// The memory that models hold now and the most that they may hold, in bytes.
    pub fn memory(&self) -> (u64, u64) {
        (self.memory.held(), self.memory.limit())
    }

    /// Refuses further calls, ends running answers with an error and gives all memory back.
    pub async fn shutdown(&self) {
        for model in self.text.values() {
            model.shutdown().await;
        }
    }

    fn model(&self, name: &str) -> Result<&Arc<TextModel>, EngineError> {
        self.text.get(name).ok_or_else(|| EngineError::UnknownModel(name.to_owned()))
    }
}
