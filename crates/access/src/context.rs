//! What an operation knows about its call besides the input.

use crate::{AccessError, Caller, CallerKind, ClientInfo, Permissions};
use outcrop_wire::arn::Arn;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

#[cfg(test)]
mod tests;

/// One call: who makes it, where, and how long it may take.
#[derive(Debug, Clone)]
pub struct Context {
    /// The proven caller; resources of other accounts do not exist for it.
    pub caller: Caller,
    /// What its policies let it do.
    pub permissions: Arc<Permissions>,
    /// Where the request came from.
    pub client: ClientInfo,
    /// The Region that the call is for; resources of other Regions do not exist in it.
    pub region: String,
    /// The endpoint prefix of the service called: `bedrock`, `bedrock-runtime`, `bedrock-agent`,
    /// `bedrock-agent-runtime` or `sts`.
    pub service: &'static str,
    /// As the answer's `x-amzn-RequestId` says it.
    pub request_id: String,
    /// Cancelled when the client is gone or the server stops.
    pub cancel: CancellationToken,
    /// When the answer is no longer wanted.
    pub deadline: Option<Instant>,
}

impl Context {
    /// A call by `caller` that nothing cancels and that may do what an account's owner may.
    pub fn new(caller: Caller, region: &str, service: &'static str) -> Self {
        Self {
            caller,
            permissions: Arc::default(),
            client: ClientInfo::default(),
            region: region.to_owned(),
            service,
            request_id: String::new(),
            cancel: CancellationToken::new(),
            deadline: None,
        }
    }

    /// Whether the caller may do `action` (as IAM writes it, `bedrock:InvokeModel`) to `resource` (an ARN or `*`).
    ///
    /// A caller may do everything within its own account, but for the two agent services by API key: AWS opens
    /// those to signatures only. The account part of an ARN is empty for what AWS owns, foundation models among it.
    pub fn allow(&self, action: &str, resource: &str) -> Result<(), AccessError> {
        let agents = matches!(self.service, "bedrock-agent" | "bedrock-agent-runtime");
        let closed_to_key = agents && self.caller.kind == CallerKind::ApiKey;
        let foreign = Arn::parse(resource)
            .is_some_and(|arn| !matches!(arn.account, "" | "aws") && arn.account != self.caller.account);
        if foreign || closed_to_key {
            return Err(AccessError::Denied {
                principal: self.caller.arn.clone(),
                action: action.to_owned(),
                resource: resource.to_owned(),
                closed_to_key,
            });
        }
        Ok(())
    }
}
