//! The options of a call that are answered as resolved: service tier and latency.

use outcrop_api::bedrock_runtime::{PerformanceConfigLatency, PerformanceConfiguration, ServiceTier, ServiceTierType};
use outcrop_providers::Priority;

/// What the caller asked for, resolved for the local engine.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Echoed where it was asked: a local model has one speed, so `optimized` falls back to `standard`.
    pub latency: Option<PerformanceConfigLatency>,
    /// Echoed where it was asked: nothing is reserved on a local model, so `reserved` overflows to `default`.
    pub tier: Option<ServiceTierType>,
}

impl Options {
    /// Resolves the two.
    pub fn new(latency: Option<PerformanceConfigLatency>, tier: Option<ServiceTierType>) -> Self {
        Self {
            latency: latency.map(|_| PerformanceConfigLatency::Standard),
            tier: tier.map(|t| if t == ServiceTierType::Reserved { ServiceTierType::Default } else { t }),
        }
    }

    /// The place in the queue that the tier buys.
    pub fn priority(&self) -> Priority {
        match self.tier {
            Some(ServiceTierType::Priority) => Priority::High,
            Some(ServiceTierType::Flex) => Priority::Low,
            _ => Priority::Normal,
        }
    }

    /// For Converse's body.
    pub fn performance(&self) -> Option<PerformanceConfiguration> {
        self.latency.clone().map(|latency| PerformanceConfiguration { latency: Some(latency) })
    }

    /// For Converse's body.
    pub fn service_tier(&self) -> Option<ServiceTier> {
        self.tier.clone().map(|r#type| ServiceTier { r#type })
    }
}
