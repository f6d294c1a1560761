//! Temporary credentials: assuming roles, by signature or by web identity, and a user's own sessions.
//!
//! [`Sts`] decides and makes the session; how a call is read and answered on the wire is the server's. Rules and
//! texts are those of the AWS STS API reference.

mod assume;
mod error;
mod input;
mod session_token;
#[cfg(test)]
mod tests;
mod web_identity;

pub use assume::{AssumeRole, Narrowing, SessionTags};
pub use error::StsError;
pub use session_token::GetSessionToken;
pub use web_identity::AssumeRoleWithWebIdentity;

use crate::keys::{AccessKey, Key, NewSession, remove_expired_sessions};
use crate::oidc::Verifier;
use crate::{Clock, Directory, Keys};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// How long an ended session may lie around before its row is removed. It opens nothing in that time.
const SWEEP: Duration = Duration::from_secs(600);

/// Makes sessions.
pub struct Sts {
    keys: Arc<dyn Keys>,
    directory: Arc<Directory>,
    verifier: Arc<Verifier>,
    clock: Clock,
}

/// A session that was made.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Its key, with secret and token.
    pub key: AccessKey,
    /// How much of the room for policies and tags they take, in percent.
    pub packed_percent: u32,
    /// Of a web identity: its subject.
    pub subject: Option<String>,
    /// Of a web identity: the audience that matched.
    pub audience: Option<String>,
}

impl Issued {
    /// When it ends.
    pub fn expires_at(&self) -> Timestamp {
        self.key.session.as_ref().map_or(self.key.created_at, |session| session.expires_at)
    }

    /// The principal's ARN.
    pub fn arn(&self) -> String {
        self.key.caller(crate::CallerKind::Session).arn
    }
}

impl Sts {
    /// Sessions in `keys` for the roles of `directory`; `verifier` outlives a directory, with the keys it has fetched.
    pub fn new(keys: Arc<dyn Keys>, directory: Arc<Directory>, verifier: Arc<Verifier>) -> Self {
        Self { keys, directory, verifier, clock: Arc::new(Timestamp::now) }
    }

    /// The same by another clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    async fn issue(&self, new: NewSession, seconds: u32) -> Result<AccessKey, StsError> {
        let key = AccessKey::generate_session(new, seconds, (self.clock)())?;
        self.keys.add(Key::Access(key.clone())).await?;
        Ok(key)
    }
}

/// Removes ended sessions from time to time, without end.
pub async fn sweep(keys: &dyn Keys) {
    loop {
        match remove_expired_sessions(keys, Timestamp::now()).await {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(removed, "ended sessions removed"),
            Err(error) => tracing::warn!(%error, "ended sessions could not be removed"),
        }
        tokio::time::sleep(SWEEP).await;
    }
}
