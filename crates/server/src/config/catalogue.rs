//! What of the catalogue is enforced.

use serde::{Deserialize, Serialize};

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
}
