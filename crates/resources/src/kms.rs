//! Callers name KMS keys by ARN; the configuration says which of this server's keys each one is.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Error, Result, Scope};

/// Which named key stands for which KMS key. Nothing leads to AWS: an ARN is a name here.
#[derive(Debug, Clone, Default)]
pub struct KmsKeys(Arc<BTreeMap<String, String>>);

impl KmsKeys {
    /// The bindings: ARN of a key or an alias, name of a key.
    pub fn new(bindings: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        Self(Arc::new(bindings.into_iter().map(|(arn, name)| (arn.into(), name.into())).collect()))
    }

    /// The name of the key that stands for `key`: an ARN, or, as Bedrock's `KmsKeyId` also has it, the id or the
    /// alias of a key of the caller's account and Region.
    pub fn name(&self, scope: Scope<'_>, key: &str) -> Result<String> {
        let arn = match key {
            _ if key.starts_with("arn:") => key.to_owned(),
            _ if key.starts_with("alias/") => format!("arn:aws:kms:{}:{}:{key}", scope.region, scope.account),
            _ => format!("arn:aws:kms:{}:{}:key/{key}", scope.region, scope.account),
        };
        self.0.get(&arn).cloned().ok_or(Error::KmsKeyUnbound { arn })
    }
}
