//! What goes wrong with knowledge bases, in Bedrock's own words where they are known.

use outcrop_access::AccessError;
use outcrop_api::{AwsError, Fault, Kind};
use outcrop_buckets::BucketError;

/// Why an operation on a knowledge base was refused.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// No such knowledge base.
    #[error("Knowledge Base with id {0} does not exist")]
    UnknownBase(String),
    /// No such data source in this knowledge base.
    #[error("DataSource with id {0} does not exist in the knowledge base {1}")]
    UnknownSource(String, String),
    /// No such job of this data source.
    #[error("IngestionJob with id {0} does not exist in the data source {1}")]
    UnknownJob(String, String),
    /// The input breaks a rule; the text says which.
    #[error("{0}")]
    Validation(String),
    /// It collides with what is there.
    #[error("{0}")]
    Conflict(String),
    /// As many as there may be.
    #[error("{0}")]
    Quota(String),
    /// Too much at once.
    #[error("{0}")]
    Throttled(String),
    /// AWS has it and this server does not.
    #[error("{0}")]
    NotBuilt(String),
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A stored resource, its tags or a page of them.
    #[error(transparent)]
    Resource(#[from] outcrop_resources::Error),
    /// The index refused; what it said.
    #[error("The vector database encountered an error while processing the request: {0}")]
    Index(#[from] outcrop_vectors::VectorError),
    /// A model was asked and did not answer.
    #[error("{}", .0.message)]
    Model(Fault),
    /// What compares texts in meaning failed.
    #[error(transparent)]
    Encode(#[from] outcrop_guard::EncodeError),
    /// A function that the operator lends.
    #[error(transparent)]
    Function(#[from] outcrop_functions::FunctionError),
    /// A document for the answer could not be read; what its reader said.
    #[error("{0}")]
    Bucket(#[from] BucketError),
}

/// A broken rule, in the words of its refusal.
pub(crate) fn broken<T>(text: impl Into<String>) -> Result<T, KnowledgeError> {
    Err(KnowledgeError::Validation(text.into()))
}

impl From<outcrop_store::Error> for KnowledgeError {
    fn from(error: outcrop_store::Error) -> Self {
        Self::Resource(error.into())
    }
}

impl AwsError for KnowledgeError {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownBase(_) | Self::UnknownSource(..) | Self::UnknownJob(..) => Kind::ResourceNotFound,
            Self::Validation(_) | Self::Index(_) => Kind::Validation,
            Self::Conflict(_) => Kind::Conflict,
            Self::Quota(_) => Kind::ServiceQuotaExceeded,
            Self::Throttled(_) => Kind::Throttling,
            Self::NotBuilt(_) => Kind::NotImplemented,
            Self::Access(error) => error.kind(),
            Self::Resource(error) => error.kind(),
            // The agents' services have other names for a model's failures than the models' own.
            Self::Model(fault) => match fault.kind {
                Kind::ModelError => Kind::DependencyFailed,
                Kind::ModelNotReady | Kind::ModelTimeout | Kind::ModelStreamError | Kind::ServiceUnavailable => {
                    Kind::BadGateway
                }
                kind => kind,
            },
            Self::Encode(_) => Kind::InternalServer,
            Self::Function(error) => error.kind(),
            // What the caller names may be wrong; what lies behind the bucket is not the caller's.
            Self::Bucket(error @ (BucketError::Denied(_) | BucketError::Failed(_))) => error.kind(),
            Self::Bucket(_) => Kind::Validation,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Access(error) => error.message(),
            Self::Resource(error) => error.message(),
            Self::Function(error) => error.message(),
            Self::Bucket(error) => error.message(),
            told => told.to_string(),
        }
    }
}
