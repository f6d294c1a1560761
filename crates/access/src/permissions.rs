//! What a principal may, as far as its own policies say.

use crate::policy::Policy;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The policies and tags of a proven caller.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// The policies of the user or role; `None` is the owner of the account, who may everything in it.
    pub identity: Option<Vec<Arc<Policy>>>,
    /// The policies that a session was narrowed by: what it may, these and `identity` must both allow.
    pub session: Vec<Arc<Policy>>,
    /// `aws:PrincipalTag/…`: the tags of the principal, and over them those of the session.
    pub tags: BTreeMap<String, String>,
}
