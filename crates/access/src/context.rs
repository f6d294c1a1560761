//! What an operation knows about its call besides the input.

use crate::{Caller, ClientInfo, Permissions, ResourcePolicies, Trail};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// One call: who makes it, where, and how long it may take.
#[derive(Debug, Clone)]
pub struct Context {
    /// The proven caller; resources of other accounts do not exist for it.
    pub caller: Caller,
    /// What its policies let it do.
    pub permissions: Arc<Permissions>,
    /// What the resources' own policies let others do.
    pub resource_policies: ResourcePolicies,
    /// Where the request came from.
    pub client: ClientInfo,
    /// The Region that the call is for; resources of other Regions do not exist in it.
    pub region: String,
    /// The endpoint prefix of the service called: `bedrock`, `bedrock-runtime`, `bedrock-agent`,
    /// `bedrock-agent-runtime` or `sts`.
    pub service: &'static str,
    /// The operation's name, or the door's: `Converse`, `ChatCompletions`.
    pub operation: &'static str,
    /// As the answer's `x-amzn-RequestId` says it.
    pub request_id: String,
    /// What the record of the call is to know.
    pub trail: Trail,
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
            resource_policies: ResourcePolicies::default(),
            client: ClientInfo::default(),
            region: region.to_owned(),
            service,
            operation: "",
            request_id: String::new(),
            trail: Trail::default(),
            cancel: CancellationToken::new(),
            deadline: None,
        }
    }
}
