//! The part of CloudTrail that shows the audit trail: `LookupEvents`.
//!
//! A caller sees the events of its own account in the Region that it asks, of the last 90 days, newest first. Calls
//! whose caller was not proven belong to no account: only `outcrop audit` shows them.

mod lookup;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use outcrop_access::Context;
use outcrop_api::AwsError;
use serde_json::Value;

use crate::{Slice, SliceError};

/// CloudTrail over the trail below a folder.
#[derive(Debug, Clone)]
pub struct CloudTrail {
    root: Arc<PathBuf>,
}

impl CloudTrail {
    /// Over the chains below `root`: [`crate::audit::folder_of`].
    pub fn new(root: PathBuf) -> Self {
        Self { root: Arc::new(root) }
    }
}

#[async_trait]
impl Slice for CloudTrail {
    fn signing_name(&self) -> &'static str {
        "cloudtrail"
    }

    fn target_prefix(&self) -> &'static str {
        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"
    }

    async fn call(&self, cx: &Context, operation: &str, input: Value) -> Result<Value, SliceError> {
        if operation != "LookupEvents" {
            let text = format!("CloudTrail's {operation} is not built in this version of Outcrop.");
            return Err(SliceError { code: "NotImplementedException", message: text, status: 501 });
        }
        cx.allow("cloudtrail:LookupEvents", "*")
            .map_err(|error| SliceError::client("AccessDeniedException", error.message()))?;
        let asked = lookup::Asked::read(&input, jiff::Timestamp::now())?;
        let (root, account, region) = (Arc::clone(&self.root), cx.caller.account.clone(), cx.region.clone());
        let found = tokio::task::spawn_blocking(move || asked.run(&root, &account, &region)).await;
        let failed = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "the audit trail cannot be read");
            let message = "The audit trail cannot be read at the moment.".to_owned();
            SliceError { code: "InternalFailure", message, status: 500 }
        };
        match found {
            Ok(Ok(page)) => Ok(page),
            Ok(Err(error)) => Err(failed(&error)),
            Err(error) => Err(failed(&error)),
        }
    }

    fn operations(&self) -> &'static [&'static str] {
        &["LookupEvents"]
    }

    fn timestamps(&self) -> &'static [&'static str] {
        &["StartTime", "EndTime", "EventTime"]
    }
}
