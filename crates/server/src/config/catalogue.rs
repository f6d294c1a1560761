//! What of the catalogue is enforced.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ConfigError, impossible};

/// `[catalogue]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Catalogue {
    /// Retired models are refused.
    pub enforce_lifecycle: bool,
    /// Models are refused where AWS does not offer them.
    pub enforce_regions: bool,
    /// Models that AWS serves through profiles only are refused by their base id.
    pub enforce_on_demand: bool,
    /// Lists show the models of every Region in each.
    pub list_every_region: bool,
    /// Whether accounts need agreements for the models that they invoke.
    pub model_access: ModelAccess,
    /// The same for single accounts.
    pub model_access_by_account: BTreeMap<String, ModelAccess>,
}

/// Which models an account may invoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelAccess {
    /// All of them.
    #[default]
    Open,
    /// Those of the catalogue that it has an agreement for, and the local ones.
    Explicit,
}

impl Catalogue {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |account: &&String| account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit());
        match self.model_access_by_account.keys().find(wrong) {
            Some(account) => Err(impossible("catalogue.model_access_by_account", account, "an account of 12 digits")),
            None => Ok(()),
        }
    }
}
