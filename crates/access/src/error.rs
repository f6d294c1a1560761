//! Why a caller is not let in. The texts are AWS's own; what follows one in a second sentence is a guess at the
//! mistake. No variant holds a secret, a token or a signature.

use outcrop_api::{AwsError, Kind};
use outcrop_wire::sigv4::ParseError;

/// Why a caller is not let in, or a key not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The request has no credentials at all.
    #[error("no credentials")]
    Missing,
    /// The credentials are not in the form that they claim.
    #[error("malformed credentials: {0}")]
    Malformed(&'static str),
    /// The signature's parts are not in the form of Signature Version 4.
    #[error("malformed signature: {0}")]
    MalformedSignature(#[from] ParseError),
    /// No such key, or not with this session token.
    #[error("unknown credentials: {0}")]
    Unknown(&'static str),
    /// Another signature than the key makes.
    #[error("the signature does not match{}", hint(.0))]
    Mismatch(Option<&'static str>),
    /// A signature for another time, Region or service; the text says which.
    #[error("{0}")]
    Scope(String),
    /// The session or the API key has ended.
    #[error("the credentials have expired")]
    Expired,
    /// The caller is known and may not.
    #[error("{principal} may not {action} on {resource}")]
    Denied {
        /// Who.
        principal: String,
        /// What.
        action: String,
        /// On what.
        resource: String,
        /// Because API keys do not open this service at all.
        closed_to_key: bool,
    },
    /// A key cannot be made as asked.
    #[error("{0}")]
    BadKey(String),
    /// The keys could not be read or written, or the system gave no randomness.
    #[error("the keys are out of reach: {0}")]
    Unavailable(String),
}

fn hint(hint: &Option<&'static str>) -> String {
    hint.map(|hint| format!(": {hint}")).unwrap_or_default()
}

const INVALID: &str = "The security token included in the request is invalid.";

impl AwsError for AccessError {
    fn kind(&self) -> Kind {
        match self {
            Self::Missing => Kind::MissingAuthenticationToken,
            Self::Malformed(_) | Self::MalformedSignature(_) | Self::Unknown(_) => Kind::UnrecognizedClient,
            Self::Mismatch(_) | Self::Scope(_) => Kind::InvalidSignature,
            Self::Expired => Kind::ExpiredToken,
            Self::Denied { .. } => Kind::AccessDenied,
            Self::BadKey(_) => Kind::Validation,
            Self::Unavailable(_) => Kind::InternalServer,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Missing => "Missing Authentication Token".to_owned(),
            Self::Malformed(reason) => format!("{INVALID} ({reason})"),
            Self::MalformedSignature(reason) => format!("{INVALID} ({reason})"),
            // Which of key and session token is unknown is for the log only.
            Self::Unknown(_) => INVALID.to_owned(),
            Self::Mismatch(hint) => {
                let text = "The request signature we calculated does not match the signature you provided. Check your \
                            AWS Secret Access Key and signing method. Consult the service documentation for details.";
                hint.map_or_else(|| text.to_owned(), |hint| format!("{text} ({hint})"))
            }
            Self::Scope(text) | Self::BadKey(text) => text.clone(),
            Self::Expired => "The security token included in the request is expired".to_owned(),
            Self::Denied { principal, action, resource, closed_to_key } => {
                let text = format!(
                    "User: {principal} is not authorized to perform: {action} on resource: {resource} because no \
                     identity-based policy allows the {action} action"
                );
                let door = ". Bedrock API keys open bedrock and bedrock-runtime only.";
                if *closed_to_key { text + door } else { text }
            }
            Self::Unavailable(_) => "The service could not verify the credentials.".to_owned(),
        }
    }
}
