//! Keys: what they hold, how they are made, where they are looked up.

mod generate;
mod known;
mod limits;
mod memory;
mod session;
mod stored;
#[cfg(test)]
mod tests;
mod usage;

pub(crate) use generate::{check_name, role_id};
pub use limits::{MAX_ACTIVE, check_room};
pub use memory::MemoryKeys;
pub use session::{NewSession, Session, SessionOf};
pub use stored::StoredKeys;
pub use usage::Usage;

use crate::{AccessError, Caller, CallerKind, Secret};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An access key: what `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…`, or `ASIA…` for a session's key.
    pub id: String,
    /// What signs.
    pub secret: Secret,
    /// Whose, twelve digits.
    pub account: String,
    /// The IAM user's name, `root` for the owner of the account; for a role's session `role/session`.
    pub user: String,
    /// The principal's unique id.
    pub user_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a long-term key is no longer good; never, where absent. A session says it itself.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Present for temporary keys.
    pub session: Option<Session>,
}

/// A long-term Bedrock API key. The key itself is not kept, only its hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    /// By which it is listed and removed, `ACCA…`.
    pub id: String,
    /// SHA-256 of the key as it is sent, in hexadecimal.
    pub hash: String,
    /// Whose, twelve digits.
    pub account: String,
    /// The IAM user's name; where none was given, one that stands for the key, `BedrockAPIKey-…`.
    pub user: String,
    /// That user's unique id.
    pub user_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is no longer good; never, where absent.
    pub expires_at: Option<Timestamp>,
}

/// Either kind of key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "made and listed at the terminal, never where calls pass")]
pub enum Key {
    /// For signatures.
    Access(AccessKey),
    /// For bearer tokens.
    Api(ApiKey),
}

/// Where keys are kept. What is added, replaced or removed counts for every process at once.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// The access key of this id, a session's among them.
    async fn access_key(&self, id: &str) -> Result<Option<Arc<AccessKey>>, AccessError>;
    /// The API key whose [`ApiKey::hash`] this is.
    async fn api_key(&self, hash: &str) -> Result<Option<Arc<ApiKey>>, AccessError>;
    /// Keeps a key from now on.
    async fn add(&self, key: Key) -> Result<(), AccessError>;
    /// Keeps a key as it is now; false if there is none of its id any more.
    async fn replace(&self, key: Key) -> Result<bool, AccessError>;
    /// Every long-term key, oldest first.
    async fn list(&self) -> Result<Vec<Key>, AccessError>;
    /// Every session's key, oldest first.
    async fn sessions(&self) -> Result<Vec<AccessKey>, AccessError>;
    /// Forgets the key of this id at once; false if there was none.
    async fn remove(&self, id: &str) -> Result<bool, AccessError>;
    /// When each of these keys was last used, as far as it is known.
    async fn last_used(&self, key: &Key) -> Result<Option<Timestamp>, AccessError>;
    /// Remembers when keys were used.
    async fn record_uses(&self, uses: Vec<Use>) -> Result<(), AccessError>;
}

/// One use of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The key's id.
    pub id: String,
    /// Its account.
    pub account: String,
    /// When.
    pub at: Timestamp,
}

/// Removes the sessions that came from the long-term key `id`, through whatever roles; how many there were.
pub async fn remove_sessions(keys: &dyn Keys, id: &str) -> Result<usize, AccessError> {
    let mut removed = 0;
    for key in keys.sessions().await? {
        let origin = key.session.as_ref().and_then(|session| session.origin.as_deref());
        if origin == Some(id) && keys.remove(&key.id).await? {
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes the sessions that have ended by `now`; how many there were.
pub async fn remove_expired_sessions(keys: &dyn Keys, now: Timestamp) -> Result<usize, AccessError> {
    let mut removed = 0;
    for key in keys.sessions().await? {
        if key.session.as_ref().is_some_and(|session| session.expires_at <= now) && keys.remove(&key.id).await? {
            removed += 1;
        }
    }
    Ok(removed)
}

impl Key {
    /// By which it is listed and removed.
    pub fn id(&self) -> &str {
        match self {
            Self::Access(key) => &key.id,
            Self::Api(key) => &key.id,
        }
    }

    /// Whose, twelve digits.
    pub fn account(&self) -> &str {
        match self {
            Self::Access(key) => &key.account,
            Self::Api(key) => &key.account,
        }
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        match self {
            Self::Access(key) => &key.user,
            Self::Api(key) => &key.user,
        }
    }

    /// When it was made.
    pub fn created_at(&self) -> Timestamp {
        match self {
            Self::Access(key) => key.created_at,
            Self::Api(key) => key.created_at,
        }
    }

    /// When it is no longer good; never, where absent.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Access(key) => key.session.as_ref().map(|session| session.expires_at).or(key.expires_at),
            Self::Api(key) => key.expires_at,
        }
    }

    /// The same key with another end.
    pub fn with_end(mut self, end: Option<Timestamp>) -> Self {
        match &mut self {
            Self::Access(key) => key.expires_at = end,
            Self::Api(key) => key.expires_at = end,
        }
        self
    }

    /// Whether it is good at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.expires_at().is_none_or(|end| end > now)
    }
}

impl AccessKey {
    /// Who signs with this key; `kind` is [`CallerKind::ApiKey`] for a bearer token derived from it.
    pub(crate) fn caller(&self, kind: CallerKind) -> Caller {
        let Self { account, user, .. } = self;
        let arn = match &self.session {
            Some(Session { of: SessionOf::Role { .. }, .. }) => format!("arn:aws:sts::{account}:assumed-role/{user}"),
            _ => user_arn(account, user),
        };
        let user_id = self.user_id.clone();
        Caller { account: account.clone(), arn, user_id, access_key_id: Some(self.id.clone()), api_key_id: None, kind }
    }

    /// Whether `token` is what this key demands: a session's token, or none; and whether the key is good at `now`.
    pub(crate) fn check(&self, token: Option<&str>, now: Timestamp) -> Result<(), AccessError> {
        let end = match (&self.session, token) {
            (None, None) => self.expires_at,
            (None, Some(_)) => return Err(AccessError::Unknown("a session token with a long-term key")),
            (Some(_), None) => return Err(AccessError::Unknown("a session's key without its token")),
            (Some(session), Some(token)) if !session.token.matches(token) => {
                return Err(AccessError::Unknown("another session token"));
            }
            (Some(session), Some(_)) => Some(session.expires_at),
        };
        if end.is_some_and(|end| end <= now) { Err(AccessError::Expired) } else { Ok(()) }
    }
}

impl ApiKey {
    /// Who sends this key.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            account: self.account.clone(),
            arn: user_arn(&self.account, &self.user),
            user_id: self.user_id.clone(),
            access_key_id: None,
            api_key_id: Some(self.id.clone()),
            kind: CallerKind::ApiKey,
        }
    }
}

/// The name of the user that is the owner of its account.
pub const ROOT: &str = "root";

fn user_arn(account: &str, user: &str) -> String {
    match user {
        ROOT => format!("arn:aws:iam::{account}:root"),
        _ => format!("arn:aws:iam::{account}:user/{user}"),
    }
}
