//! The tags of what can be tagged in the `bedrock` service so far: the inference profiles and prompt routers that
//! callers created, and provisioned models.

#[cfg(test)]
mod tests;

use outcrop_access::{Ask, Context};
use outcrop_api::bedrock::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag as Shown, TagResourceRequest, TagResourceResponse,
    UntagResourceRequest, UntagResourceResponse,
};
use outcrop_resources::{Error, Kind, Tag};

use crate::Models;
use crate::error::ModelsError;
use crate::inference_profiles::PROFILE;
use crate::models::scope;
use crate::prompt_routers::ROUTER;
use crate::provisioned::PROVISIONED;

/// What of this crate can be tagged.
pub const KINDS: &[Kind] = &[PROFILE, PROVISIONED, ROUTER];

/// Lists a resource's tags, by key.
pub async fn list(
    cx: &Context,
    models: &Models,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, ModelsError> {
    may(cx, models, "bedrock:ListTagsForResource", &input.resource_arn, |ask| ask).await?;
    let tags = models.tagger.list(scope(cx), &input.resource_arn).await?;
    let tags = tags.into_iter().map(|t| Shown { key: t.key, value: t.value }).collect();
    Ok(ListTagsForResourceResponse { tags: Some(tags) })
}

/// Adds tags to a resource or replaces their values.
pub async fn tag(cx: &Context, models: &Models, input: TagResourceRequest) -> Result<TagResourceResponse, ModelsError> {
    let tags: Vec<_> = input.tags.into_iter().map(|t| Tag { key: t.key, value: t.value }).collect();
    may(cx, models, "bedrock:TagResource", &input.resource_arn, |ask| ask.request_tags(pairs(&tags))).await?;
    models.tagger.tag(scope(cx), &input.resource_arn, &tags).await?;
    Ok(TagResourceResponse::default())
}

/// Takes tags from a resource.
pub async fn untag(
    cx: &Context,
    models: &Models,
    input: UntagResourceRequest,
) -> Result<UntagResourceResponse, ModelsError> {
    let keys = || input.tag_keys.iter().map(String::as_str);
    may(cx, models, "bedrock:UntagResource", &input.resource_arn, |ask| ask.tag_keys(keys())).await?;
    models.tagger.untag(scope(cx), &input.resource_arn, &input.tag_keys).await?;
    Ok(UntagResourceResponse::default())
}

/// What is not this caller's does not exist, before it is forbidden.
async fn may<'a>(
    cx: &'a Context,
    models: &Models,
    action: &'a str,
    arn: &'a str,
    with: impl FnOnce(Ask<'a>) -> Ask<'a>,
) -> Result<(), ModelsError> {
    if !KINDS.iter().any(|kind| kind.id_in(scope(cx), arn).is_some()) {
        return Err(Error::NotFound { noun: "Resource", identifier: arn.to_owned() }.into());
    }
    let has = models.tags(cx, arn).await?;
    Ok(with(cx.ask(action).on(arn).resource_tags(pairs(&has))).check()?)
}

/// Tags as policies ask for them.
pub(crate) fn pairs(tags: &[Tag]) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))
}
