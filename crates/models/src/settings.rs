//! What the configuration says about limits. AWS's own limits are always reported; by default none is enforced, so
//! that a retired model keeps answering and a base id needs no profile.

/// Which of AWS's limits hold here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// A model past its end of life refuses.
    pub enforce_lifecycle: bool,
    /// A model or profile refuses in a Region that does not offer it.
    pub enforce_regions: bool,
    /// A model without on-demand refuses to be called by its base id.
    pub enforce_on_demand: bool,
    /// ListFoundationModels and ListInferenceProfiles show every Region's models and profiles in every Region.
    pub list_every_region: bool,
}
