//! A part of another AWS service, spoken on the same port.

use async_trait::async_trait;
use outcrop_access::{AccessError, Context};
use outcrop_api::{AwsError, Kind};
use serde_json::Value;

/// Some operations of another AWS service. The server turns its protocols (JSON, CBOR, Query) into these values and
/// back: members have the names of botocore's model, timestamps are seconds since 1970.
#[async_trait]
pub trait Slice: Send + Sync {
    /// The service's name in a credential's scope: `monitoring`, `servicequotas`, `cloudtrail`.
    fn signing_name(&self) -> &'static str;
    /// What stands before the dot of `X-Amz-Target`.
    fn target_prefix(&self) -> &'static str;
    /// Runs one operation. Permission is asked here, as `<IAM prefix>:<operation>`.
    async fn call(&self, cx: &Context, operation: &str, input: Value) -> Result<Value, SliceError>;
    /// The operations that it has.
    fn operations(&self) -> &'static [&'static str];
    /// The members, at any depth, that are timestamps.
    fn timestamps(&self) -> &'static [&'static str];
}

/// A refusal in the words of that service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct SliceError {
    /// The exception: `ResourceNotFoundException`.
    pub code: &'static str,
    /// What the caller reads.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

impl SliceError {
    /// An error of the caller's.
    pub fn client(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: 400 }
    }
}

/// A refusal of access control. The services that speak so answer 400 to it, not 403.
impl From<AccessError> for SliceError {
    fn from(error: AccessError) -> Self {
        let kind = error.kind();
        let status = if kind == Kind::AccessDenied { 400 } else { kind.default_status() };
        Self { code: kind.name(), message: error.message(), status }
    }
}
