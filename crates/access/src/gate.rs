//! The gate that every request passes: no caller, no operation.
//!
//! Two steps, so that a request without good credentials is refused before its body is read:
//! [`Gate::examine`] the head, then [`Claim::prove`] with the body. [`Gate::prove`] does both.

mod bearer;
mod credentials;
mod head;
mod hint;
mod payload;
mod signed;
#[cfg(test)]
mod tests;
mod window;

pub use head::{Body, Head};
pub use payload::{Payload, Seal};

use crate::keys::Usage;
use crate::{AccessError, Caller, DEFAULT_ACCOUNT, Directory, Keys, Permissions};
use credentials::Given;
use jiff::Timestamp;
use outcrop_wire::sigv4::Place;
use std::fmt;
use std::sync::Arc;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How much is believed.
#[derive(Clone)]
pub enum Mode {
    /// `outcrop dev`: any well-formed credentials. The account comes from the access key id, the Region from the
    /// credential's scope; signatures are not verified. Everybody is the owner of the account, but for sessions that
    /// this server has made itself ([`Gate::with_sessions`]).
    Dev,
    /// `outcrop serve`: only what these keys verify.
    Serve(Arc<dyn Keys>),
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dev => "Dev",
            Self::Serve(_) => "Serve",
        })
    }
}

/// Proves who is calling.
#[derive(Clone)]
pub struct Gate {
    mode: Mode,
    region: String,
    account: String,
    clock: Clock,
    directory: Arc<Directory>,
    sessions: Option<Arc<dyn Keys>>,
    usage: Option<Arc<Usage>>,
}

/// What proving a request looks into.
struct Books<'a> {
    keys: &'a dyn Keys,
    directory: &'a Directory,
    usage: Option<&'a Arc<Usage>>,
    now: Timestamp,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("mode", &self.mode).field("region", &self.region).finish()
    }
}

/// What a request has proven.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Who calls.
    pub caller: Caller,
    /// What it may.
    pub permissions: Arc<Permissions>,
    /// The Region that the call is for.
    pub region: String,
    /// The service of the credential's scope: `bedrock` for all four Bedrock services, `sts` for STS. Bearer
    /// tokens are always for `bedrock`.
    pub service: String,
}

/// A head that was examined; what is left to check is the body.
#[derive(Debug)]
pub struct Claim(Left);

#[derive(Debug)]
enum Left {
    Nothing(Proof),
    Signature(signed::Pending),
}

impl Gate {
    /// A gate for `mode`; `region` is that of calls whose credentials name none.
    pub fn new(mode: Mode, region: impl Into<String>) -> Self {
        let account = DEFAULT_ACCOUNT.to_owned();
        let directory = Arc::<Directory>::default();
        let clock: Clock = Arc::new(Timestamp::now);
        Self { mode, region: region.into(), account, clock, directory, sessions: None, usage: None }
    }

    /// The same gate, with users and roles from `directory`.
    pub fn with_directory(self, directory: Arc<Directory>) -> Self {
        Self { directory, ..self }
    }

    /// The users and roles that it knows.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    /// The same gate, which in `outcrop dev` knows the sessions in `keys` for what they are: a program that assumes
    /// a role there has the role's permissions.
    pub fn with_sessions(self, keys: Arc<dyn Keys>) -> Self {
        Self { sessions: Some(keys), ..self }
    }

    /// The same gate, which notes in `usage` when keys are used.
    pub fn with_usage(self, usage: Arc<Usage>) -> Self {
        Self { usage: Some(usage), ..self }
    }

    /// The same gate with another account for credentials that name none, which only `outcrop dev` believes.
    pub fn with_account(self, account: impl Into<String>) -> Self {
        Self { account: account.into(), ..self }
    }

    /// The same gate by another clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// All that can be judged before the body is read: form, key, session, time, scope.
    pub async fn examine(&self, head: &Head<'_>) -> Result<Claim, AccessError> {
        let now = (self.clock)();
        let books = |keys| Books { keys, directory: &self.directory, usage: self.usage.as_ref(), now };
        let made = || self.sessions.as_deref().map(books);
        let left = match (&self.mode, credentials::given(head)?) {
            (Mode::Dev, Given::Bearer(token)) => {
                Left::Nothing(bearer::believe(token, head, &self.region, &self.account))
            }
            (Mode::Dev, Given::Signed(signed)) => {
                Left::Nothing(signed::believe(&signed, &self.account, made().as_ref()).await?)
            }
            (Mode::Serve(keys), Given::Bearer(token)) => {
                Left::Nothing(bearer::verify(&books(&**keys), token, head, &self.region).await?)
            }
            (Mode::Serve(keys), Given::Signed(signed)) => {
                Left::Signature(signed::examine(&books(&**keys), &signed, head).await?)
            }
        };
        Ok(Claim(left))
    }

    /// Both steps at once, for a body that is there already.
    pub async fn prove(&self, head: &Head<'_>, body: Body<'_>) -> Result<Proof, AccessError> {
        self.examine(head).await?.prove(head, body)
    }
}

impl Claim {
    /// Verifies the signature over the head that was examined and its body.
    pub fn prove(self, head: &Head<'_>, body: Body<'_>) -> Result<Proof, AccessError> {
        match self.0 {
            Left::Nothing(proof) => Ok(proof),
            Left::Signature(pending) => pending.verify(head, body),
        }
    }

    /// The same over a head of S3's alone: it says what the body must be, which is held against it as it comes. A
    /// credential for another service opens nothing here.
    pub fn prove_head(self, head: &Head<'_>) -> Result<(Proof, Payload), AccessError> {
        let proven = match self.0 {
            Left::Nothing(proof) => {
                // What stands for an unsigned body in a URL stands for it where nothing is verified, too.
                let declared = payload::declared(head, Place::Query)?;
                (proof, Payload::of(declared, None)?)
            }
            Left::Signature(pending) => pending.verify_head(head)?,
        };
        if proven.0.service != payload::S3 {
            return Err(AccessError::Scope("Credential should be scoped to correct service: 's3'.".to_owned()));
        }
        Ok(proven)
    }
}
