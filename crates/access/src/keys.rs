//! Keys: what they hold, how they are made, where they are looked up.

mod generate;
mod memory;
mod stored;
#[cfg(test)]
mod tests;

pub use memory::MemoryKeys;
pub use stored::StoredKeys;

use crate::{AccessError, Caller, CallerKind, Secret};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An access key: what `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…`, or `ASIA…` for a session's key.
    pub id: String,
    /// What signs.
    pub secret: Secret,
    /// Whose, twelve digits.
    pub account: String,
    /// The IAM user's name; for a session the assumed role's and the session's, `role/session`.
    pub user: String,
    /// The principal's unique id.
    pub user_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Present for temporary keys.
    pub session: Option<Session>,
}

/// What makes an access key temporary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// What `x-amz-security-token` must say.
    pub token: Secret,
    /// When the key is no longer good.
    pub expires_at: Timestamp,
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
    /// The IAM user that stands for the key, `BedrockAPIKey-…`.
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
pub enum Key {
    /// For signatures.
    Access(AccessKey),
    /// For bearer tokens.
    Api(ApiKey),
}

/// Where keys are kept.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// The access key of this id.
    async fn access_key(&self, id: &str) -> Result<Option<AccessKey>, AccessError>;
    /// The API key whose [`ApiKey::hash`] this is.
    async fn api_key(&self, hash: &str) -> Result<Option<ApiKey>, AccessError>;
    /// Keeps a key from now on.
    async fn add(&self, key: Key) -> Result<(), AccessError>;
    /// Every key, oldest first.
    async fn list(&self) -> Result<Vec<Key>, AccessError>;
    /// Forgets the key of this id at once; false if there was none.
    async fn remove(&self, id: &str) -> Result<bool, AccessError>;
}

impl Key {
    /// By which it is listed and removed.
    pub fn id(&self) -> &str {
        match self {
            Self::Access(key) => &key.id,
            Self::Api(key) => &key.id,
        }
    }

    /// When it was made.
    pub fn created_at(&self) -> Timestamp {
        match self {
            Self::Access(key) => key.created_at,
            Self::Api(key) => key.created_at,
        }
    }
}

impl AccessKey {
    /// Who signs with this key; `kind` is [`CallerKind::ApiKey`] for a bearer token derived from it.
    pub(crate) fn caller(&self, kind: CallerKind) -> Caller {
        let Self { account, user, .. } = self;
        let arn = match self.session {
            None => format!("arn:aws:iam::{account}:user/{user}"),
            Some(_) => format!("arn:aws:sts::{account}:assumed-role/{user}"),
        };
        let user_id = self.user_id.clone();
        Caller { account: account.clone(), arn, user_id, access_key_id: Some(self.id.clone()), kind }
    }

    /// Whether `token` is what this key demands: a session's token, or none.
    pub(crate) fn check_session(&self, token: Option<&str>, now: Timestamp) -> Result<(), AccessError> {
        match (&self.session, token) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(AccessError::Unknown("a session token with a long-term key")),
            (Some(_), None) => Err(AccessError::Unknown("a session's key without its token")),
            (Some(session), Some(token)) if !session.token.matches(token) => {
                Err(AccessError::Unknown("another session token"))
            }
            (Some(session), Some(_)) if session.expires_at <= now => Err(AccessError::Expired),
            (Some(_), Some(_)) => Ok(()),
        }
    }
}

impl ApiKey {
    /// Who sends this key.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            account: self.account.clone(),
            arn: format!("arn:aws:iam::{}:user/{}", self.account, self.user),
            user_id: self.user_id.clone(),
            access_key_id: None,
            kind: CallerKind::ApiKey,
        }
    }
}
