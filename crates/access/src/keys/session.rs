//! Sessions: what makes an access key temporary.

use crate::Secret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes an access key temporary, and what it was narrowed by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// What `x-amz-security-token` must say.
    pub token: Secret,
    /// When the key is no longer good.
    pub expires_at: Timestamp,
    /// Whose permissions it has at most.
    pub of: SessionOf,
    /// Session policies, as the caller wrote them.
    pub policies: Vec<String>,
    /// Session policies by name or ARN.
    pub policy_names: Vec<String>,
    /// Session tags; they win over the role's.
    pub tags: BTreeMap<String, String>,
    /// Which of the tags go with a role assumed by this session.
    pub transitive: Vec<String>,
    /// `sts:SourceIdentity`, which no later role can change.
    pub source_identity: Option<String>,
    /// The long-term key at the beginning of the chain; none for a web identity.
    pub origin: Option<String>,
    /// The issuer, for a web identity.
    pub provider: Option<String>,
}

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionOf {
    /// An assumed role's.
    Role {
        /// The role.
        role: String,
        /// The session's name.
        name: String,
    },
    /// A user's own (`GetSessionToken`).
    User {
        /// The user.
        user: String,
    },
}

/// What a new session is to be.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "as in Session")]
pub struct NewSession {
    pub account: String,
    pub of: SessionOf,
    pub policies: Vec<String>,
    pub policy_names: Vec<String>,
    pub tags: BTreeMap<String, String>,
    pub transitive: Vec<String>,
    pub source_identity: Option<String>,
    pub origin: Option<String>,
    pub provider: Option<String>,
}

impl NewSession {
    /// A session in `account` that nothing narrows.
    pub fn new(account: &str, of: SessionOf) -> Self {
        Self {
            account: account.to_owned(),
            of,
            policies: Vec::new(),
            policy_names: Vec::new(),
            tags: BTreeMap::new(),
            transitive: Vec::new(),
            source_identity: None,
            origin: None,
            provider: None,
        }
    }
}
