//! What can go wrong between a chat and its answer.

use outcrop_api::{AwsError, Kind};

/// Why the engine did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// No model of this name and kind is configured.
    #[error("no local model is called {0:?}")]
    UnknownModel(String),
    /// The model is still being loaded.
    #[error("model {0:?} is still being loaded")]
    NotReady(String),
    /// The weights are missing or cannot be used. The text is for the operator.
    #[error("the weights of model {model:?} cannot be used: {reason}")]
    Weights {
        /// The model's configured name.
        model: String,
        /// What is wrong and what to do, with paths.
        reason: String,
    },
    /// The model takes more memory than all models together may.
    #[error(
        "model {model:?} takes {needs} bytes of memory with its first keys and values, and models may take {limit}: raise \
         memory_bytes, lower max_sequences, or choose a smaller file"
    )]
    TooLarge {
        /// The model's configured name.
        model: String,
        /// What it takes at least.
        needs: u64,
        /// What there is for models.
        limit: u64,
    },
    /// Other models are answering in the memory that this conversation needs.
    #[error("models that are answering hold the memory that this conversation needs")]
    NoMemory,
    /// The prompt leaves no room for even one token of answer.
    #[error("a prompt of {prompt} tokens and an answer of {max} do not fit a window of {limit} tokens")]
    ContextOverflow {
        /// Tokens of the prompt; where it was too long to be worth tokenising, the least it can have.
        prompt: u32,
        /// Tokens of answer that were asked for, 1 where none were.
        max: u32,
        /// The window.
        limit: u32,
    },
    /// As many calls as the engine admits are already waiting.
    #[error("too many calls are waiting for model {0:?}")]
    Overloaded(String),
    /// The JSON schema cannot be made into a grammar.
    #[error("the JSON schema cannot be enforced: {0}")]
    InvalidSchema(String),
    /// The model's own chat template refuses this conversation.
    #[error("the model's chat template refuses the conversation: {0}")]
    InvalidChat(String),
    /// The engine is going away.
    #[error("the engine is shutting down")]
    ShuttingDown,
    /// A fault of the engine.
    #[error("the engine failed: {0}")]
    Internal(String),
}

impl AwsError for EngineError {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownModel(_) => Kind::ResourceNotFound,
            Self::NotReady(_) => Kind::ModelNotReady,
            Self::Weights { .. } | Self::TooLarge { .. } | Self::ShuttingDown => Kind::ServiceUnavailable,
            Self::ContextOverflow { .. } | Self::InvalidSchema(_) | Self::InvalidChat(_) => Kind::Validation,
            Self::Overloaded(_) | Self::NoMemory => Kind::Throttling,
            Self::Internal(_) => Kind::InternalServer,
        }
    }

    // Known texts are from the Converse reference (context overflow) and botocore's retry tables (throttling).
    fn message(&self) -> String {
        match self {
            Self::UnknownModel(_) => "The provided model identifier is invalid.".into(),
            Self::NotReady(_) => "The model is not ready for inference yet. Try again in a moment.".into(),
            // No path of this machine reaches a caller; `doctor` and the log tell the operator.
            Self::Weights { model, .. } => format!(
                "The weights of local model {model} are missing or damaged. The operator can run `outcrop models pull {model}`."
            ),
            Self::ContextOverflow { .. } => "Input is too long for requested model.".into(),
            Self::TooLarge { model, .. } => {
                format!("The local model {model} is larger than the memory that this server has for models.")
            }
            Self::Overloaded(_) | Self::NoMemory => "Too many requests, please wait before trying again.".into(),
            Self::InvalidSchema(reason) => format!("The JSON schema is not supported: {reason}"),
            Self::InvalidChat(reason) => format!("The model returned the following errors: {reason}"),
            Self::ShuttingDown => "The server is shutting down.".into(),
            Self::Internal(_) => {
                "The system encountered an unexpected error during processing. Try your request again.".into()
            }
        }
    }
}
