use outcrop_api::{AwsError, Kind};

/// Why a body was refused, in Bedrock's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// The body is no JSON text.
    #[error("Malformed input request, please reformat your input and try again.")]
    NotJson,
    /// The body breaks the schema of the model's format; the text names the place as a JSON pointer.
    #[error("Malformed input request: {0}, please reformat your input and try again.")]
    Malformed(String),
    /// The body breaks a rule that the model's provider words itself.
    #[error("{0}")]
    Rule(String),
    /// A Converse request says what the format cannot.
    #[error("The model's request format has no place for {0}. Remove it and try again.")]
    NoPlace(String),
    /// Only the model that the format is of can do what is asked.
    #[error("{0} is only done by the model itself, through a provider of kind bedrock. Others make images of a text.")]
    OnlyItself(String),
    /// The format has no stream.
    #[error("The model is unsupported for streaming.")]
    NotStreamed,
}

impl AwsError for DialectError {
    fn kind(&self) -> Kind {
        Kind::Validation
    }
}
