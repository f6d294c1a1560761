//! Why a provider gave no answer, in the words that routing decides by.

use std::time::Duration;

use outcrop_api::{AwsError, Fault, Kind};

/// A call that brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause:?}: {fault}")]
pub struct Failure {
    /// What kind of failure it is.
    pub cause: Cause,
    /// What the caller reads if nobody else answers. Never an address, a key or another's name.
    pub fault: Fault,
    /// How long the provider asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// The kinds of failure that are treated differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The request is at fault, whoever reads it.
    Request,
    /// This provider's format cannot say the request, or it does not offer what is asked; another's may.
    Unmappable,
    /// The provider does not know the model.
    NoModel,
    /// It refuses the credentials that this server has for it.
    Credentials,
    /// Its quota is used up.
    Throttled,
    /// It failed, or is overloaded.
    Unavailable,
    /// No connection came about: nothing was sent.
    Unreachable,
    /// It did not answer in time.
    TimedOut,
    /// Its answer was cut off or malformed.
    Broken,
    /// The gate for outbound connections refuses it.
    Blocked,
}

impl Cause {
    /// Whether the same target may answer if it is asked again.
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Unreachable | Self::TimedOut | Self::Broken)
    }

    /// Whether another target may answer.
    pub const fn others_may(self) -> bool {
        !matches!(self, Self::Request)
    }

    /// Whether it speaks against the target's health.
    pub const fn ill(self) -> bool {
        matches!(self, Self::Unavailable | Self::Unreachable | Self::TimedOut | Self::Broken | Self::Credentials)
    }
}

impl Failure {
    /// A failure of `cause` about which the caller reads `fault`.
    pub fn new(cause: Cause, fault: Fault) -> Self {
        Self { cause, fault, retry_after: None }
    }

    /// What `error` says is the request's fault.
    pub fn request(error: &dyn AwsError) -> Self {
        Self::new(Cause::Request, Fault::of(error))
    }

    /// `what` is not offered by this provider.
    pub fn not_offered(what: &str) -> Self {
        let text = format!("The provider of this model does not offer {what}.");
        Self::new(Cause::Unmappable, Fault::new(Kind::Validation, text))
    }
}

/// An AWS error of a local model, sorted by its kind.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let cause = match fault.kind {
            Kind::Throttling | Kind::ServiceQuotaExceeded => Cause::Throttled,
            Kind::ModelNotReady | Kind::ServiceUnavailable | Kind::InternalServer | Kind::BadGateway => {
                Cause::Unavailable
            }
            Kind::ModelTimeout => Cause::TimedOut,
            Kind::ModelError | Kind::ModelStreamError | Kind::DependencyFailed => Cause::Broken,
            Kind::NotImplemented => Cause::Unmappable,
            _ => Cause::Request,
        };
        Self::new(cause, fault)
    }
}
