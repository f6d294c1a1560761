//! The policies of resources, in memory.

use crate::Policy;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The policies of all resources that have one, by ARN. Reading takes no lock and waits for nothing; whoever follows
/// the store writes. Cheap to clone, and every clone sees every write.
#[derive(Clone, Default)]
pub struct ResourcePolicies(Arc<ArcSwap<HashMap<String, Arc<Policy>>>>);

impl ResourcePolicies {
    /// The policy of the resource of this ARN.
    pub fn get(&self, arn: &str) -> Option<Arc<Policy>> {
        self.0.load().get(arn).cloned()
    }

    /// Replaces all of them.
    pub fn replace(&self, policies: HashMap<String, Arc<Policy>>) {
        self.0.store(Arc::new(policies));
    }

    /// Sets those of some resources, or takes them away.
    pub fn update(&self, changes: &[(String, Option<Arc<Policy>>)]) {
        self.0.rcu(|policies| {
            let mut policies = HashMap::clone(policies);
            for (arn, policy) in changes {
                match policy {
                    Some(policy) => policies.insert(arn.clone(), Arc::clone(policy)),
                    None => policies.remove(arn),
                };
            }
            policies
        });
    }
}

impl fmt::Debug for ResourcePolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourcePolicies({})", self.0.load().len())
    }
}
