//! The tags of what can be tagged in the `bedrock` service so far: inference profiles that callers created.

#[cfg(test)]
mod tests;

use outcrop_access::Context;
use outcrop_api::bedrock::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag as Shown, TagResourceRequest, TagResourceResponse,
    UntagResourceRequest, UntagResourceResponse,
};
use outcrop_resources::{Error, Tag};

use crate::Models;
use crate::error::ModelsError;
use crate::inference_profiles::KINDS;
use crate::models::scope;

/// Lists a resource's tags, by key.
pub async fn list(
    cx: &Context,
    models: &Models,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, ModelsError> {
    may(cx, "bedrock:ListTagsForResource", &input.resource_arn)?;
    let tags = models.tagger.list(scope(cx), &input.resource_arn).await?;
    let tags = tags.into_iter().map(|t| Shown { key: t.key, value: t.value }).collect();
    Ok(ListTagsForResourceResponse { tags: Some(tags) })
}

/// Adds tags to a resource or replaces their values.
pub async fn tag(cx: &Context, models: &Models, input: TagResourceRequest) -> Result<TagResourceResponse, ModelsError> {
    may(cx, "bedrock:TagResource", &input.resource_arn)?;
    let tags: Vec<_> = input.tags.into_iter().map(|t| Tag { key: t.key, value: t.value }).collect();
    models.tagger.tag(scope(cx), &input.resource_arn, &tags).await?;
    Ok(TagResourceResponse::default())
}

/// Takes tags from a resource.
pub async fn untag(
    cx: &Context,
    models: &Models,
    input: UntagResourceRequest,
) -> Result<UntagResourceResponse, ModelsError> {
    may(cx, "bedrock:UntagResource", &input.resource_arn)?;
    models.tagger.untag(scope(cx), &input.resource_arn, &input.tag_keys).await?;
    Ok(UntagResourceResponse::default())
}

/// What is not this caller's does not exist, before it is forbidden.
fn may(cx: &Context, action: &str, arn: &str) -> Result<(), ModelsError> {
    if !KINDS.iter().any(|kind| kind.id_in(scope(cx), arn).is_some()) {
        return Err(Error::NotFound { noun: "Resource", identifier: arn.to_owned() }.into());
    }
    Ok(cx.allow(action, arn)?)
}
