//! The small vocabulary in which every crate's errors reach the caller.

use std::time::Duration;

/// What went wrong, as the Bedrock services name it. The HTTP status of a kind depends on the service
/// (`ConflictException` is 400 in `bedrock` and 409 in `bedrock-agent`) and is in
/// the generated tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input breaks a rule of the operation.
    Validation,
    /// The input is not readable as the protocol at all: broken JSON, a wrong JSON type.
    Serialization,
    /// Credentials are fine, permission is not.
    AccessDenied,
    /// The credentials are unknown or malformed.
    UnrecognizedClient,
    /// No credentials came with the request.
    MissingAuthenticationToken,
    /// The signature does not match, or its time is outside the window.
    InvalidSignature,
    /// The session or key has expired.
    ExpiredToken,
    /// The named thing does not exist for this caller.
    ResourceNotFound,
    /// The write collides with what is there.
    Conflict,
    /// The resource is used by another and cannot go.
    ResourceInUse,
    /// More tags than a resource may carry.
    TooManyTags,
    /// An account's limit on a resource.
    ServiceQuotaExceeded,
    /// Too much at once; the same call may succeed later.
    Throttling,
    /// The request's body is larger than the operation admits.
    RequestTooLarge,
    /// The model exists and is still being loaded.
    ModelNotReady,
    /// The model did not answer in time.
    ModelTimeout,
    /// The model failed on this input.
    ModelError,
    /// The model failed after the answer had begun.
    ModelStreamError,
    /// A part that the operation needs failed.
    DependencyFailed,
    /// A server behind this one answered wrongly.
    BadGateway,
    /// Temporarily unable to serve.
    ServiceUnavailable,
    /// A fault of this server.
    InternalServer,
    /// No operation answers to this method and path.
    UnknownOperation,
    /// The path has operations, for other methods.
    MethodNotAllowed,
    /// The operation exists in AWS and is not built here.
    NotImplemented,
}

impl Kind {
    /// The exception's name on the wire, as `x-amzn-ErrorType` carries it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validation => "ValidationException",
            Self::Serialization => "SerializationException",
            Self::AccessDenied => "AccessDeniedException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::Conflict => "ConflictException",
            Self::ResourceInUse => "ResourceInUseException",
            Self::TooManyTags => "TooManyTagsException",
            Self::ServiceQuotaExceeded => "ServiceQuotaExceededException",
            Self::Throttling => "ThrottlingException",
            Self::RequestTooLarge => "RequestEntityTooLargeException",
            Self::ModelNotReady => "ModelNotReadyException",
            Self::ModelTimeout => "ModelTimeoutException",
            Self::ModelError => "ModelErrorException",
            Self::ModelStreamError => "ModelStreamErrorException",
            Self::DependencyFailed => "DependencyFailedException",
            Self::BadGateway => "BadGatewayException",
            Self::ServiceUnavailable => "ServiceUnavailableException",
            Self::InternalServer => "InternalServerException",
            Self::UnknownOperation | Self::MethodNotAllowed => "UnknownOperationException",
            Self::NotImplemented => "NotImplementedException",
        }
    }

    /// The status where the service's own model does not list the exception.
    pub const fn default_status(self) -> u16 {
        match self {
            Self::Validation | Self::Serialization | Self::Conflict | Self::ResourceInUse | Self::TooManyTags => 400,
            Self::ServiceQuotaExceeded => 400,
            Self::AccessDenied
            | Self::UnrecognizedClient
            | Self::MissingAuthenticationToken
            | Self::InvalidSignature
            | Self::ExpiredToken => 403,
            Self::ResourceNotFound | Self::UnknownOperation => 404,
            Self::MethodNotAllowed => 405,
            Self::ModelTimeout => 408,
            Self::RequestTooLarge => 413,
            Self::ModelError | Self::ModelStreamError | Self::DependencyFailed => 424,
            Self::Throttling | Self::ModelNotReady => 429,
            Self::InternalServer => 500,
            Self::NotImplemented => 501,
            Self::BadGateway => 502,
            Self::ServiceUnavailable => 503,
        }
    }
}

/// An error that can be told to an AWS client. The caller's message and the log's context are two things:
/// [`AwsError::message`] must never carry secrets, paths of this machine or another account's names;
/// the `Display` of the error may say more and goes to the log.
pub trait AwsError: std::error::Error + Send + Sync + 'static {
    /// The exception to answer with.
    fn kind(&self) -> Kind;
    /// What the caller reads.
    fn message(&self) -> String {
        self.to_string()
    }
    /// When the same call may succeed, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
    /// What a server behind this one said, where the exception has members for it.
    fn original(&self) -> Option<Box<Original>> {
        None
    }
    /// Headers of the answer beside those of every error, names in lower case.
    fn headers(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// What the server behind a model answered: `originalStatusCode` and `originalMessage` of the exceptions of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Its status, where it told one.
    pub status: Option<u16>,
    /// Its message: of an error, never of an answer, and without secrets.
    pub message: String,
}

/// A ready-made error: a kind and the caller's message. Crates with more to say have their own enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The exception to answer with.
    pub kind: Kind,
    /// What the caller reads.
    pub message: String,
    /// When the same call may succeed, where that is known: `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Headers beside those of every error. In a stream they have no place.
    pub headers: Vec<(&'static str, String)>,
    /// What a server behind this one said, for the exceptions that have members for it.
    pub original: Option<Box<Original>>,
}

impl Fault {
    /// An error of `kind` that says `message`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, headers: Vec::new(), original: None }
    }
    /// The same, with the time after which the call may succeed.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }
    /// A `ValidationException`.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(Kind::Validation, message)
    }
    /// Any crate's error, reduced to what the caller may know.
    pub fn of(error: &dyn AwsError) -> Self {
        Self {
            retry_after: error.retry_after(),
            headers: error.headers(),
            original: error.original(),
            ..Self::new(error.kind(), error.message())
        }
    }
    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}
impl std::error::Error for Fault {}
impl AwsError for Fault {
    fn kind(&self) -> Kind {
        self.kind
    }
    fn message(&self) -> String {
        self.message.clone()
    }
    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
    fn original(&self) -> Option<Box<Original>> {
        self.original.clone()
    }
    fn headers(&self) -> Vec<(&'static str, String)> {
        self.headers.clone()
    }
}
