//! The options of a call that are answered as resolved: service tier and latency.

use outcrop_api::bedrock_runtime::{
    ConverseRequest, PerformanceConfigLatency, PerformanceConfiguration, ServiceTier, ServiceTierType,
};
use outcrop_providers::Priority;

use crate::routing::Target;

/// What the caller asked for, resolved.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `optimized` was asked.
    optimized: bool,
    /// Echoed where it was asked: `optimized` falls back to `standard` unless a target says that it is the fast one.
    pub latency: Option<PerformanceConfigLatency>,
    /// Echoed where it was asked: nothing is reserved, so `reserved` overflows to `default`.
    pub tier: Option<ServiceTierType>,
}

impl Options {
    /// Resolves what `request` asks for.
    pub fn of(request: &ConverseRequest) -> Self {
        let latency = request.performance_config.as_ref().and_then(|p| p.latency.as_ref());
        let tier = request.service_tier.as_ref().map(|t| &t.r#type);
        Self {
            optimized: latency == Some(&PerformanceConfigLatency::Optimized),
            latency: latency.map(|_| PerformanceConfigLatency::Standard),
            tier: tier.map(|tier| match tier {
                ServiceTierType::Reserved => ServiceTierType::Default,
                other => other.clone(),
            }),
        }
    }

    /// `target` answers.
    pub fn served_by(&mut self, target: &Target) {
        if self.optimized && target.optimized {
            self.latency = Some(PerformanceConfigLatency::Optimized);
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
