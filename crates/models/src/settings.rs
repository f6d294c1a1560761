//! What the configuration says about limits. AWS's own limits are always reported; by default none is enforced, so
//! that a retired model keeps answering and a base id needs no profile.

use crate::model_access::ModelAccess;
use crate::provisioned::Units;

/// Which of AWS's limits hold here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// A model past its end of life refuses.
    pub enforce_lifecycle: bool,
    /// A model or profile refuses in a Region that does not offer it.
    pub enforce_regions: bool,
    /// A model without on-demand refuses to be called by its base id.
    pub enforce_on_demand: bool,
    /// ListFoundationModels and ListInferenceProfiles show every Region's models and profiles in every Region.
    pub list_every_region: bool,
    /// Which accounts need agreements for the models that they invoke.
    pub model_access: ModelAccess,
    /// The model units that can be reserved.
    pub units: Units,
}
