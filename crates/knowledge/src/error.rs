//! What goes wrong with knowledge bases.

use outcrop_api::{AwsError, Kind};

/// Why an operation on a knowledge base was refused.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// No such knowledge base.
    #[error("Knowledge Base with id {0} does not exist")]
    UnknownBase(String),
}

impl AwsError for KnowledgeError {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownBase(_) => Kind::ResourceNotFound,
        }
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
