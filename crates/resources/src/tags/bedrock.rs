//! The three operations of `bedrock`.

#[cfg(test)]
mod tests;

use outcrop_access::{Ask, Context};
use outcrop_api::bedrock::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag as Shown, TagResourceRequest, TagResourceResponse,
    UntagResourceRequest, UntagResourceResponse,
};
use outcrop_store::Tag;

use super::{Tagger, pairs};
use crate::{Result, Scope};

/// Lists a resource's tags, by key.
pub async fn list(
    cx: &Context,
    tagger: &Tagger,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse> {
    may(cx, tagger, "bedrock:ListTagsForResource", &input.resource_arn, |ask| ask).await?;
    let tags = tagger.list(scope(cx), &input.resource_arn).await?;
    let tags = tags.into_iter().map(|t| Shown { key: t.key, value: t.value }).collect();
    Ok(ListTagsForResourceResponse { tags: Some(tags) })
}

/// Adds tags to a resource or replaces their values.
pub async fn tag(cx: &Context, tagger: &Tagger, input: TagResourceRequest) -> Result<TagResourceResponse> {
    let tags: Vec<_> = input.tags.into_iter().map(|t| Tag { key: t.key, value: t.value }).collect();
    may(cx, tagger, "bedrock:TagResource", &input.resource_arn, |ask| ask.request_tags(pairs(&tags))).await?;
    tagger.tag(scope(cx), &input.resource_arn, &tags).await?;
    Ok(TagResourceResponse::default())
}

/// Takes tags from a resource.
pub async fn untag(cx: &Context, tagger: &Tagger, input: UntagResourceRequest) -> Result<UntagResourceResponse> {
    let keys = || input.tag_keys.iter().map(String::as_str);
    may(cx, tagger, "bedrock:UntagResource", &input.resource_arn, |ask| ask.tag_keys(keys())).await?;
    tagger.untag(scope(cx), &input.resource_arn, &input.tag_keys).await?;
    Ok(UntagResourceResponse::default())
}

/// What is not this caller's does not exist, before it is forbidden.
async fn may<'a>(
    cx: &'a Context,
    tagger: &Tagger,
    action: &'a str,
    arn: &'a str,
    with: impl FnOnce(Ask<'a>) -> Ask<'a>,
) -> Result<()> {
    tagger.locate(scope(cx), arn)?;
    let has = tagger.asked(cx, scope(cx), arn).await?;
    with(cx.ask(action).on(arn).resource_tags(pairs(&has))).check()?;
    Ok(())
}

fn scope(cx: &Context) -> Scope<'_> {
    Scope { account: &cx.caller.account, region: &cx.region }
}
