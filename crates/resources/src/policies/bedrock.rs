//! The three operations of `bedrock`.

use outcrop_access::Context;
use outcrop_api::bedrock::{
    DeleteResourcePolicyRequest, DeleteResourcePolicyResponse, GetResourcePolicyRequest, GetResourcePolicyResponse,
    PutResourcePolicyRequest, PutResourcePolicyResponse,
};

use super::Policies;
use crate::{Error, Result};

/// Gives a resource a policy, or another one.
pub async fn put(cx: &Context, all: &Policies, input: PutResourcePolicyRequest) -> Result<PutResourcePolicyResponse> {
    let arn = input.resource_arn;
    // This operation has no ResourceNotFoundException.
    let invalid = |error| match error {
        Error::NotFound { .. } => {
            Error::Validation(format!("The resource ARN {arn} is not of a resource that can have a policy here."))
        }
        other => other,
    };
    let resource = all.resource(all.kinds, cx, "bedrock:PutResourcePolicy", &arn).await.map_err(invalid)?;
    all.put(resource, &arn, &input.resource_policy, None).await.map_err(invalid)?;
    Ok(PutResourcePolicyResponse { resource_arn: Some(arn) })
}

/// Tells the policy of a resource.
pub async fn get(cx: &Context, all: &Policies, input: GetResourcePolicyRequest) -> Result<GetResourcePolicyResponse> {
    all.resource(all.kinds, cx, "bedrock:GetResourcePolicy", &input.resource_arn).await?;
    Ok(GetResourcePolicyResponse { resource_policy: Some(all.get(&input.resource_arn).await?.policy) })
}

/// Takes the policy of a resource away.
pub async fn delete(
    cx: &Context,
    all: &Policies,
    input: DeleteResourcePolicyRequest,
) -> Result<DeleteResourcePolicyResponse> {
    all.resource(all.kinds, cx, "bedrock:DeleteResourcePolicy", &input.resource_arn).await?;
    all.delete(&input.resource_arn, None).await?;
    Ok(DeleteResourcePolicyResponse::default())
}
