//! Who asks, where credentials say nothing.

use serde::{Deserialize, Serialize};

use super::{ConfigError, impossible};

/// `[dev]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dev {
    /// The Region of a request that names none.
    pub region: String,
    /// The account of credentials that name none.
    pub account: String,
    /// Take what runs on this machine and what the environment has keys for as providers.
    pub discover: bool,
}

impl Default for Dev {
    fn default() -> Self {
        Self { region: "us-east-1".into(), account: "000000000000".into(), discover: true }
    }
}

impl Dev {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let account = &self.account;
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(impossible("dev.account", account, "12 digits"));
        }
        let region = &self.region;
        if region.is_empty() || !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(impossible("dev.region", region, "a Region such as us-east-1"));
        }
        Ok(())
    }
}
