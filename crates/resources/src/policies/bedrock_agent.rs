//! The three operations of `bedrock-agent`, whose policies are those of knowledge bases and have revisions.

use outcrop_access::Context;
use outcrop_api::bedrock_agent::{
    DeleteResourcePolicyRequest, DeleteResourcePolicyResponse, GetResourcePolicyRequest, GetResourcePolicyResponse,
    PutResourcePolicyRequest, PutResourcePolicyResponse,
};

use super::Policies;
use crate::{Ids, Kind, Result};

/// What can have a policy by these operations.
pub const KINDS: &[Kind] =
    &[Kind { name: "knowledge-base", noun: "Knowledge base", arn: "knowledge-base", ids: Ids::Upper }];

/// Gives a knowledge base a policy, or another one.
pub async fn put(cx: &Context, all: &Policies, input: PutResourcePolicyRequest) -> Result<PutResourcePolicyResponse> {
    let arn = input.resource_arn;
    let resource = all.resource(KINDS, cx, "bedrock:PutResourcePolicy", &arn).await?;
    let stored = all.put(resource, &arn, &input.policy, input.expected_revision_id.as_deref()).await?;
    Ok(PutResourcePolicyResponse { resource_arn: arn, revision_id: stored.revision })
}

/// Tells the policy of a knowledge base and which writing of it this is.
pub async fn get(cx: &Context, all: &Policies, input: GetResourcePolicyRequest) -> Result<GetResourcePolicyResponse> {
    let arn = input.resource_arn;
    all.resource(KINDS, cx, "bedrock:GetResourcePolicy", &arn).await?;
    let stored = all.get(&arn).await?;
    Ok(GetResourcePolicyResponse { resource_arn: arn, policy: stored.policy, revision_id: stored.revision })
}

/// Takes the policy of a knowledge base away.
pub async fn delete(
    cx: &Context,
    all: &Policies,
    input: DeleteResourcePolicyRequest,
) -> Result<DeleteResourcePolicyResponse> {
    let arn = input.resource_arn;
    all.resource(KINDS, cx, "bedrock:DeleteResourcePolicy", &arn).await?;
    all.delete(&arn, input.expected_revision_id.as_deref()).await?;
    Ok(DeleteResourcePolicyResponse { resource_arn: arn, revision_id: None })
}
