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
    #[error("{principal} may not {action} on {resource:?}: {why:?}")]
    Denied {
        /// Who.
        principal: String,
        /// What.
        action: String,
        /// On what; none where the action is on no one resource.
        resource: Option<String>,
        /// Which policy says no, or says nothing.
        why: Denial,
    },
    /// A key cannot be made as asked.
    #[error("{0}")]
    BadKey(String),
    /// The keys could not be read or written, or the system gave no randomness.
    #[error("the keys are out of reach: {0}")]
    Unavailable(String),
}

/// Which kind of policy a call failed by. AWS tells one, the first that denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// No policy of the user or role allows it.
    IdentitySilent,
    /// One denies it.
    IdentityDenies,
    /// The resource is another account's, and its policy does not allow it.
    ResourceSilent,
    /// The resource's policy denies it.
    ResourceDenies,
    /// The session was narrowed by policies, and none allows it.
    SessionSilent,
    /// One denies it.
    SessionDenies,
    /// Bedrock API keys do not open the agent services, whatever policies say.
    ClosedToKeys,
}

impl Denial {
    /// The end of the sentence, as "Troubleshoot access denied error messages" of the IAM user guide has it.
    fn because(self, action: &str) -> String {
        let silent = |kind: &str| format!("because no {kind} policy allows the {action} action");
        let denies = |kind: &str| format!("with an explicit deny in {kind} policy");
        match self {
            Self::IdentitySilent => silent("identity-based"),
            Self::IdentityDenies => denies("an identity-based"),
            Self::ResourceSilent => silent("resource-based"),
            Self::ResourceDenies => denies("a resource-based"),
            Self::SessionSilent => silent("session"),
            Self::SessionDenies => denies("a session"),
            Self::ClosedToKeys => {
                silent("identity-based") + ". Bedrock API keys open bedrock and bedrock-runtime only."
            }
        }
    }
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
            Self::Denied { principal, action, resource, why } => {
                // AWS names no resource where the action has none.
                let on = resource.as_ref().map(|arn| format!(" on resource: {arn}")).unwrap_or_default();
                let because = why.because(action);
                format!("User: {principal} is not authorized to perform: {action}{on} {because}")
            }
            Self::Unavailable(_) => "The service could not verify the credentials.".to_owned(),
        }
    }
}
