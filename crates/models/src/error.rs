//! What can go wrong with a model identifier or a profile, in Bedrock's own words where they are known.

use outcrop_access::AccessError;
use outcrop_api::{AwsError, Kind};
use thiserror::Error;

/// Why a model or a profile was refused.
#[derive(Debug, Error)]
pub enum ModelsError {
    /// No model, no profile of this Region goes by that name.
    #[error("The provided model identifier is invalid.")]
    InvalidIdentifier,
    /// The identifier is well formed and names a resource that does not exist for this caller.
    #[error("Could not resolve the foundation model from the provided model identifier.")]
    Unresolved,
    /// A model that AWS serves through profiles only was called by its base id.
    // The apostrophe is U+2019: clients match the text with it.
    #[error(
        "Invocation of model ID {0} with on-demand throughput isn\u{2019}t supported. Retry your request with the ID \
         or ARN of an inference profile that contains this model."
    )]
    OnDemand(String),
    /// The model is past its end of life.
    #[error(
        "This model version has reached the end of its life. Please refer to the AWS documentation for more details."
    )]
    EndOfLife,
    /// A profile cannot be made from a model without on-demand.
    #[error("The provided foundation model does not support On Demand inference.")]
    CopyWithoutOnDemand,
    /// A prompt router cannot have this model: it holds no conversations.
    // As AWS says it of every model that its own router was not trained for.
    #[error("Prompt routing is not supported for the specified model identifier")]
    NotRoutable,
    /// No such profile for this caller.
    #[error("Inference profile with id {0} does not exist")]
    NoProfile(String),
    /// No throughput can be bought for this id.
    #[error("Provisioned throughput isn\u{2019}t supported for the model {0}.")]
    NotSold(String),
    /// More model units than are left.
    #[error(
        "The requested model units of {0} are more than this server has left. Ask for fewer, delete provisioned \
         throughput that is not needed, or have the operator raise [provisioned] units."
    )]
    SoldOut(String),
    /// A commitment lasts.
    #[error("The provisioned throughput {name} can't be deleted before its commitment term ends at {end}.")]
    Committed {
        /// Its name.
        name: String,
        /// The end of the term.
        end: jiff::Timestamp,
    },
    /// The account has no agreement for the model.
    #[error("You don't have access to the model with the specified model ID.")]
    NoAccess,
    /// The model's provider asks for the use-case form first.
    // Bedrock's words, less the time that it takes there to notice a form.
    #[error(
        "Model use case details have not been submitted for this account. Fill out the Anthropic use case details form \
         before using the model."
    )]
    NoUseCase,
    /// There is an agreement already.
    #[error("The account has an agreement for the model {0} already.")]
    Agreed(String),
    /// There is no agreement to end.
    #[error("The account has no agreement for the model {0}.")]
    NoAgreement(String),
    /// No form was submitted.
    #[error("Model use case details have not been submitted for this account.")]
    NoForm,
    /// The input breaks another rule; the text says which.
    #[error("{0}")]
    Validation(String),
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A stored profile, its tags or a page of them.
    #[error(transparent)]
    Resource(#[from] outcrop_resources::Error),
    /// The catalogue's text cannot be read: a fault of the data or of the configuration, never of a caller.
    #[error("catalogue, {file}: {reason}")]
    Catalogue {
        /// Which text.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ModelsError {
    pub(crate) fn catalogue(file: &str, reason: impl std::fmt::Display) -> Self {
        Self::Catalogue { file: file.to_owned(), reason: reason.to_string() }
    }
}

impl AwsError for ModelsError {
    fn kind(&self) -> Kind {
        match self {
            Self::InvalidIdentifier
            | Self::OnDemand(_)
            | Self::CopyWithoutOnDemand
            | Self::NotSold(_)
            | Self::NotRoutable
            | Self::Validation(_) => Kind::Validation,
            Self::Unresolved | Self::EndOfLife | Self::NoProfile(_) => Kind::ResourceNotFound,
            Self::NoUseCase | Self::NoForm | Self::NoAgreement(_) => Kind::ResourceNotFound,
            Self::SoldOut(_) => Kind::ServiceQuotaExceeded,
            Self::Committed { .. } | Self::Agreed(_) => Kind::Conflict,
            Self::NoAccess => Kind::AccessDenied,
            Self::Access(error) => error.kind(),
            Self::Resource(error) => error.kind(),
            Self::Catalogue { .. } => Kind::InternalServer,
        }
    }

    fn message(&self) -> String {
        match self {
            // The file's text is for the log.
            Self::Catalogue { .. } => "The model catalogue could not be read.".to_owned(),
            Self::Access(error) => error.message(),
            Self::Resource(error) => error.message(),
            told => told.to_string(),
        }
    }
}
